//! The listener and a real broker, and what can go wrong between them.
//!
//! Without a broker these tests do nothing but say so.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use lapin::options::*;
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use taskcluster::pulse::{Listener, Message, Messages, PulseCredentials};
use taskcluster::{AuthEvents, Binding, Error, ErrorKind, QueueEvents, json, slugid};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const COMPLETED: &str = "exchange/taskcluster-queue/v1/task-completed";
const PASSWORD: &str = "no-secret";

/// Long enough for a broker to restart on a busy machine. Nothing is measured by it: it keeps a broken test from hanging.
const HANGING: Duration = Duration::from_secs(120);

/// Where the users `tester` and `service` find the broker.
#[derive(Clone)]
struct Broker {
    tester: String,
    service: String,
}

/// Where the users `tester` and `service` find the broker, if there is one.
pub(crate) fn broker_urls() -> Option<(String, String)> {
    broker().map(|Broker { tester, service }| (tester, service))
}

/// The broker to test against, if there is one.
fn broker() -> Option<Broker> {
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

impl Broker {
    fn credentials(&self) -> PulseCredentials {
        PulseCredentials::from_url(&self.tester).unwrap()
    }

    /// As seen through another address.
    fn credentials_at(&self, address: &str) -> PulseCredentials {
        self.credentials().host(address).unwrap()
    }

    fn address(&self) -> String {
        let (_, rest) = self.tester.split_once('@').unwrap();
        rest.split('/').next().unwrap().to_owned()
    }

    async fn publisher(&self) -> Publisher {
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

/// What Taskcluster is to the broker.
struct Publisher {
    _connection: Connection,
    channel: Channel,
}

impl Publisher {
    async fn send(&self, exchange: &str, key: &str, cc: &[&str], body: &[u8]) {
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
    async fn complete(&self, group: &str, tasks: impl IntoIterator<Item = usize>) {
        let sent = tasks.into_iter().map(|n| async move {
            let body = json!({"number": n}).to_string();
            self.send(COMPLETED, &key(group, n), &[], body.as_bytes()).await;
        });
        futures::stream::iter(sent).buffered(200).collect::<()>().await;
    }

    /// How many messages wait in a queue.
    async fn waiting(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let name = format!("queue/tester/{queue}");
        let queue = self.channel.queue_declare(name.into(), options, FieldTable::default());
        queue.await.unwrap().message_count()
    }

    async fn delete(&self, queue: &str) {
        let name = format!("queue/tester/{queue}");
        self.channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    }
}

fn key(group: &str, n: usize) -> String {
    let keys = QueueEvents::task_completed().task_id(n).run_id(0).worker_group("g").worker_id("i");
    let keys = keys.provisioner_id("p").worker_type("w").scheduler_id("s").task_group_id(group);
    keys.routing_key().unwrap()
}

/// A listener to the completed tasks of a group.
fn listener(credentials: PulseCredentials, group: &str) -> Listener<taskcluster::Value> {
    Listener::connect(credentials).bind_any(QueueEvents::task_completed().task_group_id(group))
}

async fn next(messages: &mut Messages) -> Message {
    timeout(HANGING, messages.try_next()).await.expect("no message").unwrap().expect("the end")
}

fn number(message: &Message) -> usize {
    message.payload.as_ref().unwrap()["number"].as_u64().unwrap() as usize
}

/// A way to the broker that can be cut.
struct Cable {
    address: String,
    plugged: Arc<Mutex<Vec<JoinHandle<()>>>>,
    accepting: JoinHandle<()>,
}

impl Cable {
    async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let plugged = Arc::<Mutex<Vec<JoinHandle<()>>>>::default();
        let kept = plugged.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let target = target.clone();
                kept.lock().unwrap().push(tokio::spawn(async move {
                    let mut far = TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }));
            }
        });
        Self { address, plugged, accepting }
    }

    /// Cuts what is connected now; how many connections that were.
    fn cut(&self) -> usize {
        let all: Vec<_> = self.plugged.lock().unwrap().drain(..).collect();
        let open = all.iter().filter(|connection| !connection.is_finished()).count();
        all.iter().for_each(JoinHandle::abort);
        open
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

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
    let schema = "../references/current/schemas/queue/v1/task-completed-message.json";
    let schema = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(schema);
    let whole = crate::samples::of(&schema, crate::samples::Extent::Newer).remove(0).document;
    publisher.send(COMPLETED, &key(&group, 7), &[], whole.to_string().as_bytes()).await;
    publisher.complete(&group, [8]).await;

    let message = timeout(HANGING, messages.try_next()).await.unwrap().unwrap().unwrap();
    let payload = message.payload.as_ref().unwrap();
    assert_eq!(payload.status.task_id, whole["status"]["taskId"].as_str().unwrap());
    assert_eq!(payload.run_id, whole["runId"].as_i64().unwrap());
    assert!(message.ack().await.unwrap());

    // What is not of this type is a message all the same.
    let message = timeout(HANGING, messages.try_next()).await.unwrap().unwrap().unwrap();
    let error = message.payload.as_ref().unwrap_err();
    assert!(error.message().contains("is missing"), "{error}");
    assert_eq!(message.decode::<BTreeMap<String, u8>>().unwrap()["number"], 8);
    assert!(message.ack().await.unwrap());
    messages.close().await.unwrap();
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

#[tokio::test]
async fn credentials_of_a_callback_are_renewed() {
    let Some(broker) = broker() else { return };
    let (publisher, group) = (broker.publisher().await, slugid::nice());
    let cables = [Cable::to(broker.address()).await, Cable::to(broker.address()).await];
    let claimed: Vec<_> =
        cables.iter().map(|cable| broker.credentials_at(&cable.address)).collect();
    let claims = Arc::new(AtomicUsize::new(0));
    let counted = claims.clone();
    let mut messages = Listener::connect_with(move || {
        // The first ones are to be renewed at once, the second ones never.
        let credentials = match counted.fetch_add(1, Ordering::SeqCst) {
            0 => claimed[0].clone().renew_at(chrono::Utc::now()),
            _ => claimed[1].clone(),
        };
        std::future::ready(Ok::<_, Error>(credentials))
    })
    .bind_any(QueueEvents::task_completed().task_group_id(&group))
    .queue(&group)
    .listen()
    .await
    .unwrap();
    publisher.complete(&group, [0]).await;
    let old = next(&mut messages).await;
    assert_eq!(claims.load(Ordering::SeqCst), 1);

    // Comes by the new connection, while what came by the old one can still be settled.
    let claim = async {
        while claims.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        publisher.complete(&group, [1]).await;
    };
    let (new, ()) = tokio::join!(next(&mut messages), claim);
    assert_eq!((number(&old), number(&new)), (0, 1));
    assert!(old.ack().await.unwrap());
    assert_eq!(cables[1].cut(), 1);
    drop(new);
    let again = next(&mut messages).await;
    assert_eq!((number(&again), again.redelivered), (1, true));
    assert!(again.ack().await.unwrap());
    assert_eq!(claims.load(Ordering::SeqCst), 3);
    messages.close().await.unwrap();
    assert_eq!(publisher.waiting(&group).await, 0);
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

/// Listens with everything logged, lapin's part too.
#[tokio::test]
#[ignore = "run by the test below, in a process of its own"]
async fn child() {
    let writer = std::io::stdout;
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(writer).init();
    let broker = broker().unwrap();
    let listener = listener(broker.credentials(), "G");
    println!("{listener:?} {:?}", broker.credentials());
    let messages = listener.listen().await.unwrap();
    println!("{messages:?}");
    messages.close().await.unwrap();
    let wrong = broker.tester.replace("tester:", "nobody:");
    let refused = Listener::connect(PulseCredentials::from_url(&wrong).unwrap()).queue("q");
    println!("{:?}", refused.listen().await.unwrap_err());
}

/// Listens as the environment says, and shows what comes of it.
#[tokio::test]
#[ignore = "run by the tests below, with an environment"]
async fn environment() {
    let credentials = PulseCredentials::from_env();
    println!("credentials: {credentials:?}");
    if let (Ok(credentials), Some(_)) = (credentials, broker()) {
        let retry = taskcluster::Retry::never();
        match listener(credentials, "G").retry(retry).listen().await {
            Ok(messages) => println!("closed: {:?}", messages.close().await),
            Err(error) => println!("error: {error:?}"),
        }
    }
}

fn with_environment(variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "pulse::environment", "--ignored", "--nocapture"])
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(!shown.contains(PASSWORD), "{shown}");
    shown
}

#[test]
fn credentials_of_the_environment() {
    let (user, password) = (("PULSE_USERNAME", "builds"), ("PULSE_PASSWORD", PASSWORD));
    for (variables, shown) in [
        (
            vec![user, password],
            r#"Ok(PulseCredentials { user: "builds", host: "pulse.mozilla.org", port: 5671, .. })"#,
        ),
        (
            vec![user, password, ("PULSE_HOST", "localhost:7"), ("PULSE_URL", "")],
            r#"Ok(PulseCredentials { user: "builds", host: "localhost", port: 7, .. })"#,
        ),
        (
            vec![user, ("PULSE_URL", "amqp://u:no-secret@h")],
            r#"Ok(PulseCredentials { user: "u", host: "h", port: 5672, .. })"#,
        ),
        (vec![user], "Err(Config(neither PULSE_PASSWORD nor PULSE_URL is set))"),
        (vec![password], "Err(Config(neither PULSE_USERNAME nor PULSE_URL is set))"),
        (
            vec![user, password, ("PULSE_HOST", "h:x")],
            "Err(Config(the port in \"h:x\" is not a number up to 65535))",
        ),
    ] {
        let output = with_environment(&variables);
        assert!(output.contains(&format!("credentials: {shown}\n")), "{output}");
    }
}

#[tokio::test]
async fn tls_takes_the_certificates_of_the_system_and_no_others() {
    let Some(broker) = broker() else { return };
    broker.publisher().await;
    let url = std::env::var("TASKCLUSTER_TEST_BROKER_TLS").unwrap();
    let authority = std::env::var("TASKCLUSTER_TEST_BROKER_AUTHORITY").unwrap();
    let environment = [
        ("TASKCLUSTER_TEST_BROKER", broker.tester.as_str()),
        ("TASKCLUSTER_TEST_BROKER_SERVICE", &broker.service),
        ("PULSE_URL", &url),
        // What the operating system's certificates are, for this process.
        ("SSL_CERT_FILE", &authority),
    ];
    let output = with_environment(&environment);
    assert!(output.contains("closed: Ok(())"), "{output}");
    let output = with_environment(&environment[..3]);
    assert!(output.contains("error: Transport(tester cannot connect to localhost:"), "{output}");
    assert!(output.contains("certificate"), "{output}");
}

#[tokio::test]
async fn passwords_are_not_logged() {
    let Some(broker) = broker() else { return };
    // Makes the exchange.
    broker.publisher().await;
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "pulse::child", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let shown = String::from_utf8_lossy(&child.stdout);
    assert!(shown.contains("listening") && shown.contains("TRACE lapin"), "{shown}");
    let bytes = format!("{:?}", PASSWORD.as_bytes());
    let bytes = bytes.trim_matches(['[', ']']);
    let secret = |line: &&str| line.contains(PASSWORD) || line.contains(bytes);
    let lines: Vec<_> = shown.lines().filter(secret).collect();
    assert!(lines.is_empty(), "{lines:#?}");
}
