//! Shows what happens to the tasks of a group, as it happens, until the group is resolved.
//!
//! `cargo run --example follow_task_group --features pulse -- TASK_GROUP_ID`, with `PULSE_USERNAME` and `PULSE_PASSWORD`,
//! or `PULSE_URL`.
//!
//! `--demo` in place of the id needs a broker of `.ci/broker` only: the embedded deployment publishes its messages there.

mod shared;

use futures::TryStreamExt as _;
use taskcluster::pulse::{Listener, Messages, PulseCredentials};
use taskcluster::{QueueEvents, Result};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    taskcluster::debug_logging();
    match std::env::args().nth(1).as_deref() {
        Some("--demo") => demo::run().await,
        Some(group) => Ok(follow(listen(PulseCredentials::from_env()?, group).await?).await?),
        None => Err("usage: follow_task_group TASK_GROUP_ID, or --demo".into()),
    }
}

/// Listens to all that a group's tasks go through. When this returns, no message is missed any more.
async fn listen(credentials: PulseCredentials, group: &str) -> Result<Messages> {
    Listener::connect(credentials)
        .bind_any(QueueEvents::task_pending().task_group_id(group))
        .bind_any(QueueEvents::task_running().task_group_id(group))
        .bind_any(QueueEvents::task_completed().task_group_id(group))
        .bind_any(QueueEvents::task_failed().task_group_id(group))
        .bind_any(QueueEvents::task_exception().task_group_id(group))
        .bind_any(QueueEvents::task_group_resolved().task_group_id(group))
        .listen()
        .await
}

/// Prints messages until the group is resolved.
async fn follow(mut messages: Messages) -> Result<()> {
    while let Some(message) = messages.try_next().await? {
        let resolved = message.exchange == QueueEvents::task_group_resolved().exchange().exchange;
        if let Ok(payload) = &message.payload {
            let text =
                |pointer| payload.pointer(pointer).and_then(|text| text.as_str()).unwrap_or("?");
            if resolved {
                println!("{} is resolved", text("/taskGroupId"));
            } else {
                println!("{} {}", text("/status/taskId"), text("/status/state"));
            }
        }
        message.ack().await?;
        if resolved {
            break;
        }
    }
    messages.close().await
}

/// Something to follow: a deployment of this program's own, and a worker.
mod demo {
    use std::error::Error;
    use std::time::Duration;

    use taskcluster::pulse::PulseCredentials;
    use taskcluster::queue::ClaimWorkRequest;
    use taskcluster::{Client, Queue, Result, slugid};

    use super::{follow, listen, shared};

    const HOW: &str = "the demo needs a broker: eval \"$(.ci/broker start /tmp/broker)\"";

    pub(super) async fn run() -> Result<(), Box<dyn Error>> {
        let broker = |variable| std::env::var(variable).map_err(|_| HOW);
        let listener = PulseCredentials::from_url(&broker("TASKCLUSTER_TEST_BROKER")?)?;
        let service = PulseCredentials::from_url(&broker("TASKCLUSTER_TEST_BROKER_SERVICE")?)?;
        let (deployment, client) = shared::embedded_deployment()?;
        deployment.publish_to(service).await?;

        let group = slugid::nice();
        let messages = listen(listener, &group).await?;
        tokio::try_join!(follow(messages), work(&client, &group))?;
        Ok(())
    }

    /// Three tasks: one completes, one fails, one is cancelled before it is claimed.
    async fn work(client: &Client, group: &str) -> Result<()> {
        let queue = Queue::new(client);
        let tasks = [slugid::nice(), slugid::nice(), slugid::nice()];
        for (n, task) in tasks.iter().enumerate() {
            queue.create_task(task, &shared::task(group, n)).await?;
            pause().await;
        }
        let worker = ClaimWorkRequest::new("demo", "demo", 1);
        for n in 0..2 {
            for claim in queue.claim_work(shared::TASK_QUEUE_ID, &worker).await?.tasks {
                pause().await;
                let task = &claim.status.task_id;
                if n == 0 {
                    queue.report_completed(task, claim.run_id).await?;
                } else {
                    queue.report_failed(task, claim.run_id).await?;
                }
            }
        }
        pause().await;
        queue.cancel_task(&tasks[2]).await?;
        Ok(())
    }

    /// Slow enough to watch.
    async fn pause() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
