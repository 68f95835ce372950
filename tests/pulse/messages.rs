//! Messages come once, with what they carry, and again if they are not acknowledged.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use taskcluster::pulse::Listener;
use taskcluster::queue_events::TaskCompletedMessage;
use taskcluster::{AuthEvents, ErrorKind, QueueEvents, json, slugid};
use tokio::time::timeout;

use crate::pulse::{listener, next, number};
use crate::support::broker::{COMPLETED, HANGING, broker, key};
use crate::support::log::Log;
use crate::support::samples::{self, Extent};

#[tokio::test]
async fn several_services_and_routes_share_one_queue() {
    let Some(broker) = broker() else { return };
    let publisher = broker.publisher().await;
    let (group, route) = (slugid::nice(), format!("index.tests.{}", slugid::nice()));
    let mut messages = listener(broker.credentials(), &group)
        .bind(QueueEvents::task_completed().route_binding(&format!("{route}.#")))
        .bind(AuthEvents::client_created().reserved(&group).binding().unwrap())
        .listen()
        .await
        .unwrap();

    // Two bindings match it, and yet it comes once.
    let ways = [format!("route.{route}.a"), format!("route.{route}"), "other".to_owned()];
    let ways: Vec<&str> = ways.iter().map(String::as_str).collect();
    publisher.send(COMPLETED, &key(&group, 7), &ways, br#"{"number": 7}"#).await;
    // Only its route does.
    publisher.send(COMPLETED, &key("another", 8), &ways[..1], br#"{"number": 8}"#).await;
    // None does.
    publisher.send(COMPLETED, &key("another", 9), &[], br#"{"number": 9}"#).await;
    publisher.send("exchange/taskcluster-auth/v1/client-created", &group, &[], b"\"client\"").await;

    let message = next(&mut messages).await;
    assert_eq!(message.exchange, COMPLETED);
    assert_eq!(message.cc, ways);
    assert_eq!(message.routes().collect::<Vec<_>>(), [format!("{route}.a"), route.clone()]);
    assert!(!message.redelivered);
    assert_eq!(message.payload.as_ref().unwrap(), &json!({"number": 7}));
    assert_eq!(message.decode::<BTreeMap<String, u8>>().unwrap()["number"], 7);
    let parts = QueueEvents::task_completed().parse(&message.routing_key).unwrap();
    assert_eq!((parts.task_id.as_str(), parts.task_group_id), ("7", group));
    assert!(message.ack().await.unwrap());

    let message = next(&mut messages).await;
    assert_eq!(number(&message), 8);
    assert_eq!(message.routes().collect::<Vec<_>>(), [format!("{route}.a")]);
    assert!(message.ack().await.unwrap());

    let message = next(&mut messages).await;
    assert_eq!(message.exchange, "exchange/taskcluster-auth/v1/client-created");
    assert!(message.cc.is_empty());
    assert!(message.ack().await.unwrap());
    messages.close().await.unwrap();
}

#[tokio::test]
async fn payloads_have_the_type_of_their_exchange() {
    let Some(broker) = broker() else { return };
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let mut messages = Listener::connect(broker.credentials())
        .bind(QueueEvents::task_completed().task_group_id(&group).task_id("7"))
        .bind(QueueEvents::task_completed().task_group_id(&group).task_id("8"))
        .listen()
        .await
        .unwrap();
    let schema = "current/schemas/queue/v1/task-completed-message.json";
    let whole = samples::document(schema, Extent::Newer);
    publisher.send(COMPLETED, &key(&group, 7), &[], whole.to_string().as_bytes()).await;
    publisher.send(COMPLETED, &key(&group, 8), &[], br#"{"status": 7, "number": 8}"#).await;

    let message = timeout(HANGING, messages.try_next()).await.unwrap().unwrap().unwrap();
    let payload = message.payload.as_ref().unwrap();
    assert_eq!(payload.status.task_id, whole["status"]["taskId"].as_str().unwrap());
    assert_eq!(payload.run_id, whole["runId"].as_i64().unwrap());
    assert!(message.ack().await.unwrap());

    // What is not of this type is a message all the same.
    let message = timeout(HANGING, messages.try_next()).await.unwrap().unwrap().unwrap();
    let error = message.payload.as_ref().unwrap_err();
    assert!(error.message().contains("status: expected an object, found a number"), "{error}");
    assert_eq!(message.decode::<BTreeMap<String, u8>>().unwrap()["number"], 8);
    assert!(message.ack().await.unwrap());
    messages.close().await.unwrap();
}

#[tokio::test]
async fn a_message_of_an_older_service_is_read() {
    let Some(broker) = broker() else { return };
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let bindings = || QueueEvents::task_completed().task_group_id(&group);
    let mut messages =
        Listener::connect(broker.credentials()).bind(bindings()).listen().await.unwrap();
    let mut own = Listener::connect(broker.credentials())
        .bind_any(bindings())
        .payload_as::<TaskCompletedMessage>()
        .listen()
        .await
        .unwrap();
    let schema = "current/schemas/queue/v1/task-completed-message.json";
    let mut older = samples::document(schema, Extent::Most);
    older["status"].as_object_mut().unwrap().remove("taskQueueId").unwrap();
    let log = Log::default();
    let guard = log.install();
    for n in 0..2 {
        publisher.send(COMPLETED, &key(&group, n), &[], older.to_string().as_bytes()).await;
        let message = timeout(HANGING, messages.try_next()).await.unwrap().unwrap().unwrap();
        assert_eq!(message.payload.as_ref().unwrap().status.task_queue_id, "");
        assert!(message.ack().await.unwrap());
        // A type that the program names is left as it is.
        let message = timeout(HANGING, own.try_next()).await.unwrap().unwrap().unwrap();
        let error = message.payload.as_ref().unwrap_err();
        assert!(error.message().contains("`taskQueueId` is missing"), "{error}");
        assert!(message.ack().await.unwrap());
    }
    drop(guard);
    let text = log.text();
    let warnings: Vec<_> = text.lines().filter(|line| line.contains("WARN")).collect();
    assert!(matches!(&*warnings, [one] if one.contains(COMPLETED) && one.contains("taskQueueId")));
    messages.close().await.unwrap();
    own.close().await.unwrap();
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let Some(broker) = broker() else { return };
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let mut messages = listener(broker.credentials(), &group).queue(&group).listen().await.unwrap();
    publisher.complete(&group, 0..4).await;

    assert!(next(&mut messages).await.ack().await.unwrap());
    assert!(next(&mut messages).await.retry().await.unwrap());
    drop(next(&mut messages).await);
    assert!(next(&mut messages).await.reject().await.unwrap());
    let mut again = Vec::new();
    for _ in 0..2 {
        let message = next(&mut messages).await;
        assert!(message.redelivered);
        again.push(number(&message));
        assert!(message.ack().await.unwrap());
    }
    again.sort_unstable();
    assert_eq!(again, [1, 2]);
    messages.close().await.unwrap();
    assert_eq!(publisher.waiting(&group).await, 0);
    publisher.delete(&group).await;
}

#[tokio::test]
async fn a_named_queue_gathers_messages_while_nobody_listens() {
    let Some(broker) = broker() else { return };
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let listen = || listener(broker.credentials(), &group).queue(&group).listen();
    listen().await.unwrap().close().await.unwrap();
    publisher.complete(&group, 0..3).await;
    assert_eq!(publisher.waiting(&group).await, 3);
    let mut messages = listen().await.unwrap();
    for n in 0..3 {
        let message = next(&mut messages).await;
        assert_eq!(number(&message), n);
        assert!(message.ack().await.unwrap());
    }
    // The whole name is the same queue.
    messages.close().await.unwrap();
    publisher.complete(&group, [3]).await;
    let whole = format!("queue/tester/{group}");
    let mut messages = Listener::connect(broker.credentials()).queue(whole).listen().await.unwrap();
    assert_eq!(number(&next(&mut messages).await), 3);
    messages.close().await.unwrap();
    // It was not acknowledged.
    assert_eq!(publisher.waiting(&group).await, 1);
    publisher.delete(&group).await;
}

#[tokio::test]
async fn a_payload_that_is_not_json_stops_nothing() {
    let Some(broker) = broker() else { return };
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let mut messages = listener(broker.credentials(), &group)
        .payload_as::<BTreeMap<String, usize>>()
        .listen()
        .await
        .unwrap();
    let not_json: &[u8] = b"\xff sesame";
    publisher.send(COMPLETED, &key(&group, 0), &[], not_json).await;
    publisher.send(COMPLETED, &key(&group, 0), &[], br#"{"number": "sesame"}"#).await;
    publisher.complete(&group, [1]).await;

    let mut next = async || messages.try_next().await.unwrap().unwrap();
    let message = next().await;
    let error = message.payload.as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Answer);
    assert!(error.message().contains(COMPLETED), "{error}");
    assert_eq!(message.body, not_json);
    assert!(message.reject().await.unwrap());

    // JSON, but of another shape: still to be had as what it is.
    let message = next().await;
    let error = message.payload.as_ref().unwrap_err();
    assert!(!error.to_string().contains("sesame"), "{error}");
    assert_eq!(message.decode::<taskcluster::Value>().unwrap()["number"], "sesame");
    assert!(message.ack().await.unwrap());

    let message = next().await;
    assert_eq!(message.payload.as_ref().unwrap()["number"], 1);
    assert!(message.ack().await.unwrap());
    messages.close().await.unwrap();
}

#[tokio::test]
async fn a_slow_consumer_with_prefetch_1_leaves_the_rest_to_others() {
    let Some(broker) = broker() else { return };
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let listen = || listener(broker.credentials(), &group).queue(&group).prefetch(1).listen();
    let mut slow = listen().await.unwrap();
    publisher.complete(&group, 0..10).await;
    let held = next(&mut slow).await;
    let mut quick = listen().await.unwrap();
    let mut seen = vec![number(&held)];
    for _ in 1..10 {
        let message = next(&mut quick).await;
        seen.push(number(&message));
        assert!(message.ack().await.unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
    assert!(held.ack().await.unwrap());
    slow.close().await.unwrap();
    quick.close().await.unwrap();
    assert_eq!(publisher.waiting(&group).await, 0);
    publisher.delete(&group).await;
}

#[tokio::test]
async fn twenty_thousand_messages_come_once_each() {
    const ALL: usize = 20_000;
    let Some(broker) = broker() else { return };
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let mut messages =
        listener(broker.credentials(), &group).queue(&group).prefetch(500).listen().await.unwrap();
    let publishing = publisher.complete(&group, 0..ALL);
    let listening = async {
        let mut acknowledged = vec![0; ALL];
        for _ in 0..ALL {
            let message = next(&mut messages).await;
            assert!(!message.redelivered);
            let number = number(&message);
            assert!(message.ack().await.unwrap());
            acknowledged[number] += 1;
        }
        acknowledged
    };
    let ((), acknowledged) = tokio::join!(publishing, listening);
    assert!(acknowledged.iter().all(|&times| times == 1));
    messages.close().await.unwrap();
    assert_eq!(publisher.waiting(&group).await, 0);
    publisher.delete(&group).await;
}

#[tokio::test]
async fn stopping_drains_and_loses_nothing() {
    let Some(broker) = broker() else { return };
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let mut messages =
        listener(broker.credentials(), &group).queue(&group).prefetch(5).listen().await.unwrap();
    publisher.complete(&group, 0..20).await;
    let held = next(&mut messages).await;
    messages.stop_handle().stop();
    publisher.complete(&group, 20..30).await;
    let mut taken = 1;
    while let Some(message) = timeout(HANGING, messages.try_next()).await.unwrap().unwrap() {
        assert!(message.ack().await.unwrap());
        taken += 1;
    }
    // Acknowledging makes room for more, which do not come.
    assert!(taken <= 5, "{taken}");
    // Closing waits for what is still open.
    let (closed, acknowledged) = tokio::join!(messages.close(), held.ack());
    closed.unwrap();
    assert!(acknowledged.unwrap());
    assert_eq!(publisher.waiting(&group).await as usize, 30 - taken);
    publisher.delete(&group).await;
}
