//! Whatever breaks between listener and broker, no message is lost.

use std::sync::Mutex;
use std::time::Duration;

use taskcluster::pulse::{Listener, PulseCredentials};
use taskcluster::{Error, QueueEvents, slugid};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::pulse::{Cable, listener, next, number};
use crate::support::broker::{HANGING, broker};

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

#[tokio::test]
async fn a_broker_that_never_answers_is_left_with_the_listener() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let credentials = PulseCredentials::new("u", "no-secret").host(&address).unwrap();
    let plain = format!("amqp://u:no-secret@{address}");
    for (credentials, start) in [
        (PulseCredentials::from_url(&plain).unwrap(), &b"AMQP\0\0\x09\x01"[..]),
        // TLS: a handshake.
        (credentials, &b"\x16\x03\x01"[..]),
    ] {
        let listening = tokio::spawn(listener(credentials, "G").listen());
        let (mut connection, _) = silent.accept().await.unwrap();
        let mut said = vec![0; start.len()];
        connection.read_exact(&mut said).await.unwrap();
        assert_eq!(said, start);
        listening.abort();
        let end = timeout(HANGING, connection.read_to_end(&mut said)).await;
        assert!(end.is_ok(), "still connected");
    }
}

/// Hands on one connection, but does something before it hands on the first request of a class and method of AMQP.
async fn interfere(on: TcpListener, broker: &str, request: [u8; 4], act: impl Future<Output = ()>) {
    let (mut near, _) = on.accept().await.unwrap();
    let mut far = TcpStream::connect(broker).await.unwrap();
    let mut bytes = vec![0; 1 << 16];
    let held = {
        let ((mut from_near, mut to_near), (mut from_far, mut to_far)) =
            (near.split(), far.split());
        let forth = async {
            loop {
                let length = from_near.read(&mut bytes).await.unwrap();
                if bytes[..length].windows(4).any(|part| part == request) {
                    break length;
                }
                to_far.write_all(&bytes[..length]).await.unwrap();
            }
        };
        tokio::select! {
            held = forth => held,
            _ = tokio::io::copy(&mut from_far, &mut to_near) => panic!("the broker hung up"),
        }
    };
    act.await;
    far.write_all(&bytes[..held]).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
}

#[tokio::test]
async fn a_queue_that_is_deleted_while_it_is_set_up_is_declared_again() {
    const QUEUE_BIND: [u8; 4] = [0, 50, 0, 20];
    const BASIC_CONSUME: [u8; 4] = [0, 60, 0, 20];
    let Some(broker) = broker() else { return };
    let publisher = broker.publisher().await;
    for request in [QUEUE_BIND, BASIC_CONSUME] {
        let group = slugid::nice();
        let on = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = on.local_addr().unwrap().to_string();
        let ways = Mutex::new(vec![broker.credentials(), broker.credentials_at(&address)]);
        let listening = Listener::connect_with(move || {
            std::future::ready(Ok::<_, Error>(ways.lock().unwrap().pop().expect("two attempts")))
        })
        .bind_any(QueueEvents::task_completed().task_group_id(&group))
        .queue(&group)
        .listen();
        let address = broker.address();
        let interfering = interfere(on, &address, request, publisher.delete(&group));
        let (messages, ()) = tokio::join!(timeout(HANGING, listening), interfering);
        let mut messages = messages.unwrap().unwrap();
        publisher.complete(&group, [0]).await;
        assert!(next(&mut messages).await.ack().await.unwrap());
        messages.close().await.unwrap();
        publisher.delete(&group).await;
    }
}
