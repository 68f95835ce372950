//! What happens to the tasks of a group, as it happens, until all of them have come to their end.
//!
//! `cargo run --example follow_task_group -- TASK_GROUP_ID`, with `PULSE_USERNAME` and `PULSE_PASSWORD`, or
//! `PULSE_URL`.
//!
//! `--demo` in place of the id shows it without a deployment: with a broker of `.ci/broker`, it publishes what Taskcluster
//! would.

#[path = "../../taskcluster/examples/shared/mod.rs"]
mod shared;

use futures::TryStreamExt as _;
use taskcluster::pulse::{Listener, PulseCredentials};
use taskcluster::{QueueEvents, Result};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    shared::start_logging();
    match std::env::args().nth(1).as_deref() {
        Some("--demo") => demo::run().await,
        Some(group) => Ok(follow(PulseCredentials::from_env()?, group, || ()).await?),
        None => Err("usage: follow_task_group TASK_GROUP_ID, or --demo".into()),
    }
}

/// Follows a group to its end. `listening` is called when nothing can be missed any more.
async fn follow(
    credentials: PulseCredentials,
    group: &str,
    listening: impl FnOnce(),
) -> Result<()> {
    let resolved = QueueEvents::task_group_resolved().task_group_id(group).binding()?;
    let mut messages = Listener::connect(credentials)
        .bind_any(QueueEvents::task_pending().task_group_id(group))
        .bind_any(QueueEvents::task_running().task_group_id(group))
        .bind_any(QueueEvents::task_completed().task_group_id(group))
        .bind_any(QueueEvents::task_failed().task_group_id(group))
        .bind_any(QueueEvents::task_exception().task_group_id(group))
        .bind_any(resolved.clone())
        .listen()
        .await?;
    listening();
    while let Some(message) = messages.try_next().await? {
        let done = message.exchange == resolved.exchange;
        if done {
            println!("{group} is resolved");
        } else if let Ok(payload) = &message.payload {
            let text =
                |pointer| payload.pointer(pointer).and_then(|text| text.as_str()).unwrap_or("?");
            println!("{} {}", text("/status/taskId"), text("/status/state"));
        }
        message.ack().await?;
        if done {
            break;
        }
    }
    messages.close().await
}

/// Taskcluster's part, played by this program.
mod demo {
    use std::error::Error;
    use std::time::Duration;

    use lapin::options::{BasicPublishOptions, ExchangeDeclareOptions};
    use lapin::types::FieldTable;
    use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
    use taskcluster::pulse::PulseCredentials;
    use taskcluster::{QueueEvents, RoutingKeys, json, slugid};

    const HOW: &str = "the demo needs a broker: eval \"$(.ci/broker start /tmp/broker)\"";

    pub(super) async fn run() -> Result<(), Box<dyn Error>> {
        let url = std::env::var("TASKCLUSTER_TEST_BROKER").map_err(|_| HOW)?;
        let service = std::env::var("TASKCLUSTER_TEST_BROKER_SERVICE").map_err(|_| HOW)?;
        let connection = Connection::connect(&service, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        for exchange in QueueEvents::REFERENCE.exchanges {
            let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
            let (name, arguments) = (exchange.exchange.into(), FieldTable::default());
            channel.exchange_declare(name, ExchangeKind::Topic, options, arguments).await?;
        }
        let group = slugid::nice();
        let (ready, listening) = tokio::sync::oneshot::channel();
        let follow = super::follow(PulseCredentials::from_url(&url)?, &group, || {
            let _ = ready.send(());
        });
        let publish = async {
            listening.await?;
            play(&channel, &group).await
        };
        tokio::try_join!(async { Ok(follow.await?) }, publish)?;
        Ok(())
    }

    /// Three tasks: one completes, one fails, one runs out of time before it is claimed.
    async fn play(channel: &Channel, group: &str) -> Result<(), Box<dyn Error>> {
        let tasks = [slugid::nice(), slugid::nice(), slugid::nice()];
        let [lucky, faulty, late] = &tasks;
        // Each exchange has a type of its own with the same setters.
        macro_rules! event {
            ($exchange:ident, $task:expr, $state:literal) => {{
                let keys = QueueEvents::$exchange()
                    .task_id($task)
                    .run_id(0)
                    .worker_group("demo")
                    .worker_id("demo")
                    .provisioner_id("demo")
                    .worker_type("demo")
                    .scheduler_id("demo")
                    .task_group_id(group);
                let status = json!({"status": {"taskId": $task, "taskGroupId": group, "state": $state}});
                publish(channel, &keys, status).await?;
            }};
        }
        for task in &tasks {
            event!(task_pending, task, "pending");
        }
        event!(task_running, lucky, "running");
        event!(task_running, faulty, "running");
        event!(task_completed, lucky, "completed");
        event!(task_failed, faulty, "failed");
        event!(task_exception, late, "exception");
        let resolved = QueueEvents::task_group_resolved().task_group_id(group).scheduler_id("demo");
        publish(channel, &resolved, json!({"taskGroupId": group, "schedulerId": "demo"})).await
    }

    async fn publish(
        channel: &Channel,
        keys: &RoutingKeys,
        message: taskcluster::Value,
    ) -> Result<(), Box<dyn Error>> {
        // Slow enough to watch.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let (exchange, key) = (keys.exchange().exchange.into(), keys.routing_key()?.into());
        let (body, options) = (message.to_string().into_bytes(), BasicPublishOptions::default());
        channel.basic_publish(exchange, key, options, &body, BasicProperties::default()).await?;
        Ok(())
    }
}
