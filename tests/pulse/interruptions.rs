//! Whatever breaks between listener and broker, no message is lost.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use taskcluster::slugid;
use tokio::time::timeout;

use crate::pulse::{Cable, listener, next, number};
use crate::support::broker::{Broker, HANGING, broker};

#[tokio::test]
async fn a_connection_that_is_cut_loses_nothing() {
    const ALL: usize = 3_000;
    let Some(broker) = broker() else { return };
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let cable = Cable::to(broker.address()).await;
    let mut messages = listener(broker.credentials_at(&cable.address), &group)
        .queue(&group)
        .listen()
        .await
        .unwrap();
    publisher.complete(&group, 0..1).await;
    let held = next(&mut messages).await;
    assert_eq!(cable.cut(), 1);

    // The same message, since it was not acknowledged; and that cannot be made up for.
    let again = next(&mut messages).await;
    assert_eq!((number(&again), again.redelivered), (0, true));
    assert!(!held.ack().await.unwrap());
    assert!(again.ack().await.unwrap());

    let publishing = publisher.complete(&group, 1..ALL);
    let listening = async {
        let mut seen = vec![false; ALL];
        seen[0] = true;
        let mut cuts = 0;
        while seen.contains(&false) {
            let message = next(&mut messages).await;
            let number = number(&message);
            // Where the cut comes first, it must come again.
            if timeout(HANGING, message.ack()).await.expect("an answer").unwrap() {
                seen[number] = true;
            }
            if number == (cuts + 1) * 500 {
                cuts += cable.cut();
            }
        }
        cuts
    };
    let ((), cuts) = tokio::join!(publishing, listening);
    assert!(cuts >= 3, "{cuts}");
    messages.close().await.unwrap();
    publisher.delete(&group).await;
}

#[tokio::test]
async fn a_deleted_queue_is_declared_and_bound_again() {
    let Some(broker) = broker() else { return };
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let mut messages = listener(broker.credentials(), &group).queue(&group).listen().await.unwrap();
    publisher.complete(&group, [0]).await;
    assert!(next(&mut messages).await.ack().await.unwrap());
    publisher.delete(&group).await;
    // Messages are lost until the queue is there again, so they are sent until one comes.
    let sending = async {
        for n in 1.. {
            publisher.complete(&group, [n]).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let message = tokio::select! {
        message = next(&mut messages) => message,
        () = sending => unreachable!(),
    };
    assert!(number(&message) >= 1);
    assert!(message.ack().await.unwrap());
    messages.close().await.unwrap();
    publisher.delete(&group).await;
}

/// A broker of this test's own, since it does not survive it.
struct OwnBroker(PathBuf);

impl OwnBroker {
    fn script(&self, command: &str) -> Broker {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/broker");
        let output = Command::new(script).arg(command).arg(&self.0).output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
        let value = |name: &str| {
            let line = shown.lines().find_map(|line| line.strip_prefix(&format!("export {name}=")));
            line.unwrap_or_default().to_owned()
        };
        Broker {
            tester: value("TASKCLUSTER_TEST_BROKER"),
            service: value("TASKCLUSTER_TEST_BROKER_SERVICE"),
        }
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        self.script("stop");
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_and_started_again_loses_nothing() {
    if broker().is_none() {
        return;
    }
    let own = OwnBroker(std::env::temp_dir().join(format!("broker-{}", slugid::nice())));
    let broker = own.script("start");
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let mut messages = listener(broker.credentials(), &group).queue(&group).listen().await.unwrap();
    publisher.complete(&group, 0..100).await;
    let mut seen = [false; 200];
    for _ in 0..50 {
        let message = next(&mut messages).await;
        let number = number(&message);
        assert!(message.ack().await.unwrap());
        seen[number] = true;
    }
    own.script("kill");
    // The listener does not wait for somebody to poll it when the broker is back.
    let rest = tokio::spawn(async move {
        let mut rest = Vec::new();
        while !(0..200).all(|n| seen[n]) {
            let message = next(&mut messages).await;
            let number = number(&message);
            if message.ack().await.unwrap() {
                seen[number] = true;
                rest.push(number);
            }
        }
        messages.close().await.unwrap();
        rest
    });
    assert_eq!(own.script("start").tester, broker.tester);
    let publisher = broker.publisher().await;
    publisher.complete(&group, 100..200).await;
    let rest = rest.await.unwrap();
    assert!((100..200).all(|n| rest.contains(&n)));
    assert_eq!(publisher.waiting(&group).await, 0);
}
