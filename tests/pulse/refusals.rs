//! What is refused, by the broker or before anything is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lapin::options::*;
use lapin::types::FieldTable;
use taskcluster::pulse::{Listener, PulseCredentials};
use taskcluster::{Binding, ErrorKind, slugid};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::pulse::listener;
use crate::support::broker::{HANGING, PASSWORD, broker};

#[tokio::test]
async fn refusals_are_errors_at_once() {
    let Some(broker) = broker() else { return };
    let publisher = broker.publisher().await;
    // Nobody would wait for it to be tried again.
    let patient = taskcluster::Retry::default()
        .max_retries(1000)
        .first_delay(Duration::from_secs(3600))
        .max_delay(Duration::from_secs(3600));
    let refused = async |listener: Listener<taskcluster::Value>| {
        let error = timeout(HANGING, listener.retry(patient).listen()).await.unwrap().unwrap_err();
        assert!(!format!("{error} {error:?}").contains(PASSWORD), "{error}");
        error
    };
    let bound = |credentials| listener(credentials, "G");

    let wrong = broker.tester.replace(PASSWORD, "sesame");
    let error = refused(bound(PulseCredentials::from_url(&wrong).unwrap())).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("ACCESS_REFUSED")));
    assert!(error.message().starts_with("tester cannot connect to 127.0.0.1:"), "{error}");
    assert!(!format!("{error} {error:?}").contains("sesame"), "{error}");

    let error = refused(bound(broker.credentials()).queue("queue/other/q")).await;
    assert_eq!(error.kind(), ErrorKind::Input);

    let error = refused(bound(broker.credentials().namespace("other")).queue("q")).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("ACCESS_REFUSED")));
    assert!(error.message().starts_with("the queue queue/other/q cannot be declared"), "{error}");

    let exchange = "exchange/tests/v1/missing";
    let missing = Binding { exchange, routing_key_pattern: "#".to_owned() };
    let error = refused(Listener::connect(broker.credentials()).bind(missing)).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("NOT_FOUND")));
    assert!(error.message().contains(exchange), "{error}");

    let name = slugid::nice();
    let queue = format!("queue/tester/{name}");
    let declare = publisher.channel.queue_declare(
        queue.into(),
        QueueDeclareOptions::default(),
        FieldTable::default(),
    );
    declare.await.unwrap();
    let error = refused(bound(broker.credentials()).queue(&name)).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some("PRECONDITION_FAILED")));
    publisher.delete(&name).await;
}

#[tokio::test]
async fn mistakes_are_told_without_a_broker() {
    let credentials = || PulseCredentials::new("u", PASSWORD).host("127.0.0.1:9").unwrap();
    for (listener, what) in [
        (listener(credentials(), "a.b"), "part `taskGroupId`"),
        (listener(credentials(), "G").queue(""), "the queue name is empty"),
        (Listener::connect(credentials()).payload_as(), "a temporary queue without bindings"),
    ] {
        let error = listener.listen().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.message().starts_with(what), "{error}");
    }
    // Nobody is there: an error of the connection, when the repetitions are used up.
    let retry = taskcluster::Retry::default().max_retries(2).first_delay(Duration::from_millis(1));
    let claims = Arc::new(AtomicUsize::new(0));
    let counted = claims.clone();
    let nowhere = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = Listener::connect_with(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let credentials = PulseCredentials::new("u", PASSWORD).host(&nowhere.to_string());
        std::future::ready(credentials)
    })
    .queue("q")
    .retry(retry)
    .listen()
    .await
    .unwrap_err();
    assert!(error.is_transport(), "{error:?}");
    assert_eq!(claims.load(Ordering::SeqCst), 3);
    assert!(!format!("{error} {error:?}").contains(PASSWORD), "{error}");
    // An error of the callback is not tried again.
    let error = Listener::connect_with(|| std::future::ready(PulseCredentials::from_url("none")))
        .queue("q")
        .listen()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}
