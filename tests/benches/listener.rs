//! What the listener costs: messages a second, taken and acknowledged one by one, beside bare lapin on the same broker.
//!
//! `cargo bench -p taskcluster-tests --bench listener`, with a broker of `.ci/broker`. The numbers of one run are
//! for comparison with each other.

#![allow(clippy::expect_used)]

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use taskcluster::pulse::{Listener, PulseCredentials};
use taskcluster::{Binding, IntoBinding as _, QueueEvents, json, slugid};

const PREFETCH: u16 = 100;

#[tokio::main]
async fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let variable = |name| std::env::var(name).ok();
    let (Some(url), Some(service)) =
        (variable("TASKCLUSTER_TEST_BROKER"), variable("TASKCLUSTER_TEST_BROKER_SERVICE"))
    else {
        eprintln!("skipped: no broker; eval \"$(.ci/broker start /tmp/broker)\"");
        return;
    };
    let (messages, rounds) = if test { (100, 1) } else { (20_000, 5) };
    let (_connection, channel) = connect(&service).await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    let (mut listener, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        // By turns, so that whatever else the machine does meets both.
        listener.push(by_listener(&url, &channel, messages).await);
        bare.push(by_lapin(&url, &channel, messages).await);
    }
    for (name, mut times) in [("listener", listener), ("bare lapin", bare)] {
        times.sort_unstable();
        let rate = |time: &Duration| (messages as f64 / time.as_secs_f64()).round();
        let rates =
            (times.get(rounds / 2).map(rate), times.last().map(rate), times.first().map(rate));
        if let (Some(median), Some(least), Some(most)) = rates {
            println!("{name:<12} {median} messages/s (median of {rounds}; {least} to {most})");
        }
    }
}

async fn connect(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default());
    let connection = connection.await.expect("a connection");
    let channel = connection.create_channel().await.expect("a channel");
    (connection, channel)
}

/// A binding of this round, and its key.
async fn exchange(channel: &Channel) -> (Binding, String) {
    let group = slugid::nice();
    let keys = QueueEvents::task_group_resolved().task_group_id(&group).scheduler_id("s");
    let (key, binding) = (keys.routing_key(), keys.into_binding());
    let (key, binding) = (key.expect("a key"), binding.expect("a binding"));
    let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
    channel
        .exchange_declare(
            binding.exchange.into(),
            ExchangeKind::Topic,
            options,
            FieldTable::default(),
        )
        .await
        .expect("an exchange");
    (binding, key)
}

/// Fills the queue before the clock starts.
async fn publish(channel: &Channel, binding: &Binding, key: &str, messages: usize) {
    let body = json!({"taskGroupId": key, "padding": "x".repeat(1000)}).to_string();
    let body = body.as_bytes();
    let sent = (0..messages).map(|_| async move {
        let options = BasicPublishOptions::default();
        let properties = BasicProperties::default();
        let sent =
            channel.basic_publish(binding.exchange.into(), key.into(), options, body, properties);
        sent.await.expect("sent").await.expect("confirmed");
    });
    futures::stream::iter(sent).buffered(500).collect::<()>().await;
}

async fn by_listener(url: &str, channel: &Channel, count: usize) -> Duration {
    let (binding, key) = exchange(channel).await;
    let name = slugid::nice();
    let listen = || {
        Listener::connect(PulseCredentials::from_url(url).expect("a URL"))
            .bind(binding.clone())
            .queue(&name)
            .prefetch(PREFETCH)
            .listen()
    };
    listen().await.expect("a queue").close().await.expect("closed");
    publish(channel, &binding, &key, count).await;
    let start = Instant::now();
    let mut messages = listen().await.expect("a queue");
    for _ in 0..count {
        let message = messages.next().await.expect("a message").expect("a message");
        assert!(message.payload.is_ok());
        message.ack().await.expect("acknowledged");
    }
    let time = start.elapsed();
    messages.close().await.expect("closed");
    delete(channel, &name).await;
    time
}

async fn by_lapin(url: &str, channel: &Channel, count: usize) -> Duration {
    let (binding, key) = exchange(channel).await;
    let name = slugid::nice();
    let queue = format!("queue/tester/{name}");
    let (_connection, own) = connect(url).await;
    let options = QueueDeclareOptions { durable: true, ..Default::default() };
    own.queue_declare(queue.as_str().into(), options, FieldTable::default())
        .await
        .expect("a queue");
    let (exchange, pattern) =
        (binding.exchange.into(), binding.routing_key_pattern.as_str().into());
    let options = QueueBindOptions::default();
    own.queue_bind(queue.as_str().into(), exchange, pattern, options, FieldTable::default())
        .await
        .expect("bound");
    publish(channel, &binding, &key, count).await;
    let start = Instant::now();
    let (connection, own) = connect(url).await;
    own.basic_qos(PREFETCH, BasicQosOptions::default()).await.expect("a limit");
    let options = BasicConsumeOptions::default();
    let mut consumer = own
        .basic_consume(queue.into(), "".into(), options, FieldTable::default())
        .await
        .expect("a consumer");
    for _ in 0..count {
        let delivery = consumer.next().await.expect("a message").expect("a message");
        serde_json::from_slice::<taskcluster::Value>(&delivery.data).expect("JSON");
        delivery.ack(BasicAckOptions::default()).await.expect("acknowledged");
    }
    let time = start.elapsed();
    connection.close(200, "OK".into()).await.expect("closed");
    delete(channel, &name).await;
    time
}

async fn delete(channel: &Channel, name: &str) {
    let queue = format!("queue/tester/{name}");
    channel.queue_delete(queue.into(), Default::default()).await.expect("deleted");
}
