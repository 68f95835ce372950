//! What can be seen of calls from outside: spans, hooks, and errors as data.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use taskcluster::testing::{Deployment, Fault};
use taskcluster::{Client, Credentials, Error, ErrorKind, Hooks, Queue, Retry, StatusCode};
use taskcluster_tests::{RawServer, answer, json as json_answer};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::log::{Log, subscribe};

const TASK: &str = "fN1SbArXTPSVFNUvaOlinQ";

/// A span: its name, the index of its parent, and its fields.
#[derive(Clone, Debug, Default)]
struct Seen {
    name: &'static str,
    parent: Option<usize>,
    fields: BTreeMap<&'static str, String>,
}

impl Seen {
    fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

/// Keeps the spans of this crate.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<(Vec<Seen>, Vec<usize>)>>);

impl Spans {
    fn all(&self) -> Vec<Seen> {
        self.0.lock().unwrap().0.clone()
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("taskcluster::call")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let (spans, entered) = &mut *self.0.lock().unwrap();
        let (name, parent) = (attributes.metadata().name(), entered.last().copied());
        let mut seen = Seen { name, parent, ..Seen::default() };
        attributes.record(&mut seen);
        spans.push(seen);
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        values.record(&mut self.0.lock().unwrap().0[id.into_u64() as usize - 1]);
    }

    fn enter(&self, id: &Id) {
        self.0.lock().unwrap().1.push(id.into_u64() as usize - 1);
    }

    fn exit(&self, _: &Id) {
        self.0.lock().unwrap().1.pop();
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}
}

/// What an attempt's hook was told.
type Told = Arc<Mutex<Vec<(u32, Option<u16>, Option<ErrorKind>, Option<Duration>, String)>>>;

fn hooked(client: taskcluster::ClientBuilder) -> (Client, Told) {
    let told = Told::default();
    let kept = told.clone();
    let client = client.on_attempt(move |attempt| {
        kept.lock().unwrap().push((
            attempt.number,
            attempt.status.map(|status| status.as_u16()),
            attempt.error.map(Error::kind),
            attempt.retry_after,
            attempt.trace_id.to_owned(),
        ));
    });
    (client.build().unwrap(), told)
}

fn quick() -> Retry {
    Retry::default().first_delay(Duration::from_millis(1))
}

#[tokio::test]
async fn each_attempt_is_a_span_in_the_span_of_its_call() {
    let fake = Deployment::start().await.unwrap();
    let status = Queue::REFERENCE.endpoint("status");
    fake.on(status).times(1).fault(Fault::Status(StatusCode::BAD_GATEWAY));
    fake.client("tester", "no-secret", ["queue:status:*"]);
    let signed = fake.builder().unwrap().credentials(Credentials::new("tester", "no-secret"));
    let (client, told) = hooked(signed.retry(quick()));
    let spans = Spans::default();
    let guard = subscribe(spans.clone());
    let error = Queue::new(&client).status(TASK).await.unwrap_err();
    drop(guard);
    assert_eq!((error.status(), error.attempts()), (Some(StatusCode::NOT_FOUND), 2));

    let seen = spans.all();
    let shape: Vec<_> = seen.iter().map(|span| (span.name, span.parent)).collect();
    assert_eq!(shape, [("call", None), ("attempt", Some(0)), ("attempt", Some(0))]);
    let (call, attempts) = (&seen[0], &seen[1..]);
    for (field, value) in [
        ("otel.name", "queue.status"),
        ("otel.kind", "internal"),
        ("taskcluster.attempts", "2"),
        ("http.response.status_code", "404"),
        ("error.type", "404"),
    ] {
        assert_eq!(call.get(field), Some(value), "{field}");
    }
    let (host, port) = fake.root_url().strip_prefix("http://").unwrap().split_once(':').unwrap();
    let told = told.lock().unwrap();
    for (n, attempt) in attempts.iter().enumerate() {
        let url = format!("{}/api/queue/v1/task/{TASK}/status", fake.root_url());
        for (field, value) in [
            ("otel.name", "GET /api/queue/v1/task/<taskId>/status"),
            ("otel.kind", "client"),
            ("otel.status_code", "ERROR"),
            ("taskcluster.service", "queue"),
            ("taskcluster.endpoint", "status"),
            ("taskcluster.trace_id", &told[n].4),
            ("http.request.method", "GET"),
            ("http.response.status_code", ["502", "404"][n]),
            ("url.template", "/api/queue/v1/task/<taskId>/status"),
            ("url.full", &url),
            ("server.address", host),
            ("server.port", port),
            ("error.type", ["502", "404"][n]),
        ] {
            assert_eq!(attempt.get(field), Some(value), "{field}");
        }
        assert_eq!(attempt.get("http.request.resend_count"), [None, Some("1")][n]);
        assert!(attempt.get("duration").unwrap().parse::<f64>().unwrap() > 0.0);
    }
    // The trace ids are those that were sent.
    let sent = fake.calls();
    assert_eq!(sent.len(), 2);
    assert_ne!(told[0].4, told[1].4);
}

#[tokio::test]
async fn spans_have_no_secrets_and_say_what_failed_without_an_answer() {
    let ping = json_answer("200 OK", "{}");
    let server = RawServer::start([String::new(), ping]).await.unwrap();
    let client = Client::builder(&server.url).retry(quick()).build().unwrap();
    let spans = Spans::default();
    let guard = subscribe(spans.clone());
    let hooks = Hooks::new(&client);
    hooks
        .trigger_hook_with_token("g", "h", "hush", json!({"x": "hush"}))
        .send_as::<Value>()
        .await
        .unwrap();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let away = Client::builder(format!("http://{}", silent.local_addr().unwrap())).build().unwrap();
    let late = Queue::new(&away).ping().timeout(Duration::from_millis(10)).retry(Retry::never());
    late.await.unwrap_err();
    drop(guard);
    let seen = spans.all();
    assert!(!format!("{seen:?}").contains("hush"));
    let url = format!("{}/api/hooks/v1/hooks/g/h/trigger/...", server.url);
    assert_eq!(seen[1].get("url.full"), Some(&*url));
    let errors: Vec<_> = seen.iter().map(|span| span.get("error.type")).collect();
    assert_eq!(errors, [None, Some("transport"), None, Some("timeout"), Some("timeout")]);
    assert_eq!(seen[1].get("http.response.status_code"), None);
    assert_eq!(seen[2].get("http.response.status_code"), Some("200"));
}

#[tokio::test]
async fn a_hook_is_told_of_every_attempt() {
    let busy = answer("429 Too Many Requests", &["Retry-After: 0"], "");
    let answers = [String::new(), busy, json_answer("200 OK", "{}")];
    let server = RawServer::start(answers).await.unwrap();
    let (client, told) = hooked(Client::builder(&server.url).retry(quick()));
    // Derived clients have the hook, too.
    Queue::new(&client.without_credentials()).ping().await.unwrap();
    let told = told.lock().unwrap();
    let shape: Vec<_> =
        told.iter().map(|told| (told.0, told.1, told.2, told.3.is_some())).collect();
    assert_eq!(
        shape,
        [
            (1, None, Some(ErrorKind::Transport), true),
            (2, Some(429), Some(ErrorKind::Api), true),
            (3, Some(200), None, false),
        ]
    );
    for (told, request) in told.iter().zip(server.requests()) {
        assert!(request.contains(&format!("x-taskcluster-trace-id: {}\r\n", told.4)), "{request}");
    }
}

#[tokio::test]
async fn a_hook_that_panics_does_not_take_the_call_with_it() {
    let server = RawServer::start([json_answer("200 OK", r#"{"alive": true}"#)]).await.unwrap();
    let panicking = Client::builder(&server.url).on_attempt(|_| panic!("a broken hook"));
    let (client, told) = hooked(panicking);
    let log = Log::default();
    let guard = log.install();
    assert_eq!(Queue::new(&client).ping().await.unwrap()["alive"], true);
    drop(guard);
    assert_eq!(told.lock().unwrap().len(), 1, "later hooks are called all the same");
    let text = log.text();
    assert!(
        text.contains("ERROR") && text.contains("panicked after an attempt of queue.ping"),
        "{text}"
    );
}

#[tokio::test]
async fn an_error_is_data_of_a_fixed_shape_without_secrets() {
    let body = r#"{"code": "InputError", "message": "no such hook\n---\npayload: hush", "requestInfo": {"payload": "hush"}}"#;
    let server = RawServer::start([json_answer("400 Bad Request", body)]).await.unwrap();
    let client = Client::builder(&server.url).build().unwrap();
    let error =
        Hooks::new(&client).trigger_hook_with_token("g", "h", "hush", json!({})).await.unwrap_err();
    let url = format!("{}/api/hooks/v1/hooks/g/h/trigger/...", server.url);
    assert_eq!(
        serde_json::to_value(&error).unwrap(),
        json!({
            "kind": "api", "method": "POST", "url": url, "status": 400, "code": "InputError",
            "message": "no such hook", "cause": null, "timeout": false, "attempts": 1,
        })
    );
    let nobody = Client::builder("http://127.0.0.1:1").retry(Retry::never()).build().unwrap();
    let data = serde_json::to_value(Queue::new(&nobody).ping().await.unwrap_err()).unwrap();
    assert_eq!((&data["kind"], &data["status"]), (&json!("transport"), &json!(null)));
    assert!(data["cause"].as_str().unwrap().contains("refused"), "{data}");
    assert_eq!(data.as_object().unwrap().len(), 9);
}
