//! Brokers go down and come back, and no message is lost.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use taskcluster::pulse::{Listener, Messages};
use taskcluster::{Error, QueueEvents, slugid};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::pulse::{listener, next, number};
use crate::support::broker::{Broker, HANGING, broker};

/// A broker of a test's own, since it does not survive it.
struct OwnBroker(PathBuf);

impl OwnBroker {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("broker-{}", slugid::nice())))
    }

    fn script(&self, command: &str, other: Option<&Self>) -> String {
        let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/broker"));
        let output = script.arg(command).arg(&self.0).args(other.map(|other| &other.0)).output();
        let output = output.unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
        shown
    }

    /// Starts it, perhaps in a cluster with another one.
    fn start(&self, other: Option<&Self>) -> Broker {
        let shown = self.script("start", other);
        let value = |name: &str| {
            let line = shown.lines().find_map(|line| line.strip_prefix(&format!("export {name}=")));
            line.unwrap_or_default().to_owned()
        };
        Broker {
            tester: value("TASKCLUSTER_TEST_BROKER"),
            service: value("TASKCLUSTER_TEST_BROKER_SERVICE"),
        }
    }

    fn kill(&self) {
        self.script("kill", None);
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        self.script("stop", None);
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Acknowledges messages until it has acknowledged all, and tells how many those are so far. Ends with how often one came
/// again.
async fn acknowledge(mut messages: Messages, all: usize, count: watch::Sender<usize>) -> usize {
    let (mut seen, mut again) = (BTreeSet::new(), 0);
    while seen.len() < all {
        let message = next(&mut messages).await;
        let number = number(&message);
        again += usize::from(message.redelivered);
        if message.ack().await.unwrap() {
            seen.insert(number);
            count.send_replace(seen.len());
        }
    }
    messages.close().await.unwrap();
    again
}

async fn reach(count: &mut watch::Receiver<usize>, wanted: usize) {
    let reached = timeout(HANGING, count.wait_for(|count| *count >= wanted)).await;
    reached.expect("no message").expect("the listener ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_ten_times_loses_nothing() {
    const KILLS: usize = 10;
    const EACH: usize = 100;
    if broker().is_none() {
        return;
    }
    let own = OwnBroker::new();
    let broker = own.start(None);
    let (mut publisher, group) = (broker.publisher().await, slugid::nice());
    let messages = listener(broker.credentials(), &group).queue(&group).listen().await.unwrap();
    let (count, mut counted) = watch::channel(0);
    let listening = tokio::spawn(acknowledge(messages, (KILLS + 1) * EACH, count));
    for kill in 0..=KILLS {
        publisher.complete(&group, kill * EACH..(kill + 1) * EACH).await;
        if kill < KILLS {
            // In the midst of it.
            reach(&mut counted, kill * EACH + EACH / 2).await;
            own.kill();
            assert_eq!(own.start(None).tester, broker.tester);
            publisher = broker.publisher().await;
        }
    }
    reach(&mut counted, (KILLS + 1) * EACH).await;
    let again = listening.await.unwrap();
    println!("{} messages, {KILLS} kills, {again} came again, none lost", (KILLS + 1) * EACH);
    assert_eq!(publisher.waiting(&group).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_loses_the_node_of_a_queue_ends_no_listener() {
    if broker().is_none() {
        return;
    }
    let (first, second) = (OwnBroker::new(), OwnBroker::new());
    let (staying, going) = (first.start(None), second.start(Some(&first)));
    let (publisher, group) = (staying.publisher().await, slugid::nice());
    // A queue is kept by the node that it was declared on.
    let declared = listener(going.credentials(), &group).queue(&group).listen().await.unwrap();
    declared.close().await.unwrap();

    let (attempt, mut attempts) = mpsc::unbounded_channel();
    let credentials = staying.credentials();
    let messages = Listener::connect_with(move || {
        let _ = attempt.send(());
        std::future::ready(Ok::<_, Error>(credentials.clone()))
    })
    .bind_any(QueueEvents::task_completed().task_group_id(&group))
    .queue(&group)
    .prefetch(10)
    .listen()
    .await
    .unwrap();
    let (count, mut counted) = watch::channel(0);
    let listening = tokio::spawn(acknowledge(messages, 200, count));
    publisher.complete(&group, 0..100).await;
    reach(&mut counted, 50).await;

    second.kill();
    // The first attempt was before; the others find no queue.
    for _ in 0..4 {
        let attempted = timeout(HANGING, attempts.recv()).await.expect("no attempt");
        attempted.expect("the listener ended");
    }
    second.start(Some(&first));
    reach(&mut counted, 100).await;
    publisher.complete(&group, 100..200).await;
    reach(&mut counted, 200).await;
    listening.await.unwrap();
    assert_eq!(publisher.waiting(&group).await, 0);
}
