//! A real broker. Without one, the tests that need it do nothing but say so.

use std::io::Write as _;
use std::sync::Once;
use std::time::Duration;

use futures::StreamExt as _;
use lapin::options::*;
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use taskcluster::pulse::PulseCredentials;
use taskcluster::{QueueEvents, json};

pub(crate) const COMPLETED: &str = "exchange/taskcluster-queue/v1/task-completed";

pub(crate) const PASSWORD: &str = "no-secret";

/// Long enough for a broker to restart on a busy machine. Nothing is measured by it: it keeps a broken test from hanging.
pub(crate) const HANGING: Duration = Duration::from_secs(120);

/// Where the users `tester` and `service` find the broker.
#[derive(Clone)]
pub(crate) struct Broker {
    pub(crate) tester: String,
    pub(crate) service: String,
}

impl Broker {
    pub(crate) fn credentials(&self) -> PulseCredentials {
        PulseCredentials::from_url(&self.tester).unwrap()
    }

    /// As seen through another address.
    pub(crate) fn credentials_at(&self, address: &str) -> PulseCredentials {
        self.credentials().host(address).unwrap()
    }

    pub(crate) fn address(&self) -> String {
        let (_, rest) = self.tester.split_once('@').unwrap();
        rest.split('/').next().unwrap().to_owned()
    }

    /// The environment in which a process finds it.
    pub(crate) fn variables(&self) -> [(&str, &str); 2] {
        [
            ("TASKCLUSTER_TEST_BROKER", &self.tester),
            ("TASKCLUSTER_TEST_BROKER_SERVICE", &self.service),
        ]
    }

    pub(crate) async fn publisher(&self) -> Publisher {
        let connection = Connection::connect(&self.service, ConnectionProperties::default());
        let connection = connection.await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        for exchange in [COMPLETED, "exchange/taskcluster-auth/v1/client-created"] {
            let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
            let (kind, arguments) = (ExchangeKind::Topic, FieldTable::default());
            channel.exchange_declare(exchange.into(), kind, options, arguments).await.unwrap();
        }
        Publisher { _connection: connection, channel }
    }
}

/// The broker to test against, if there is one.
pub(crate) fn broker() -> Option<Broker> {
    static SAY: Once = Once::new();
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let broker = variable("TASKCLUSTER_TEST_BROKER")
        .zip(variable("TASKCLUSTER_TEST_BROKER_SERVICE"))
        .map(|(tester, service)| Broker { tester, service });
    if broker.is_none() {
        // Not by `eprintln`, which is shown of failing tests only.
        SAY.call_once(|| {
            let _ = writeln!(
                std::io::stderr(),
                "The listener's tests are skipped: they need a broker. `.ci/run` has one, or \
                 eval \"$(.ci/broker start /tmp/broker)\", and at the end .ci/broker stop /tmp/broker"
            );
        });
    }
    broker
}

/// What Taskcluster is to the broker.
pub(crate) struct Publisher {
    _connection: Connection,
    pub(crate) channel: Channel,
}

impl Publisher {
    pub(crate) async fn send(&self, exchange: &str, key: &str, cc: &[&str], body: &[u8]) {
        let cc = cc.iter().map(|&key| AMQPValue::LongString(LongString::from(key)));
        let mut headers = FieldTable::default();
        headers.insert("CC".into(), AMQPValue::FieldArray(cc.collect::<Vec<_>>().into()));
        let properties = BasicProperties::default().with_delivery_mode(2).with_headers(headers);
        let options = BasicPublishOptions::default();
        let sent =
            self.channel.basic_publish(exchange.into(), key.into(), options, body, properties);
        let confirmation = sent.await.unwrap().await.unwrap();
        assert!(confirmation.is_ack());
    }

    /// Publishes that tasks of a group are completed, by number.
    pub(crate) async fn complete(&self, group: &str, tasks: impl IntoIterator<Item = usize>) {
        let sent = tasks.into_iter().map(|n| async move {
            let body = json!({"number": n}).to_string();
            self.send(COMPLETED, &key(group, n), &[], body.as_bytes()).await;
        });
        futures::stream::iter(sent).buffered(200).collect::<()>().await;
    }

    /// How many messages wait in a queue.
    pub(crate) async fn waiting(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let name = format!("queue/tester/{queue}");
        let queue = self.channel.queue_declare(name.into(), options, FieldTable::default());
        queue.await.unwrap().message_count()
    }

    pub(crate) async fn delete(&self, queue: &str) {
        let name = format!("queue/tester/{queue}");
        self.channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    }
}

pub(crate) fn key(group: &str, n: usize) -> String {
    let keys = QueueEvents::task_completed().task_id(n).run_id(0).worker_group("g").worker_id("i");
    let keys = keys.provisioner_id("p").worker_type("w").scheduler_id("s").task_group_id(group);
    keys.routing_key().unwrap()
}
