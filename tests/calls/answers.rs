//! Answers that are not what they should be, and what an error tells of them.

use std::collections::HashMap;
use std::error::Error as _;
use std::future::IntoFuture as _;

use futures::TryStreamExt as _;
use serde_json::json;
use taskcluster::{
    Client, Credentials, Error, ErrorKind, Notify, Queue, Retry, Secrets, StatusCode,
};
use taskcluster_tests::{RawServer, TASK_ID, answer, json};

use crate::support::log::Log;
use crate::support::typed;

async fn status_call(raw: String) -> Result<serde_json::Value, Error> {
    let server = RawServer::start([raw]).await.unwrap();
    let client = Client::builder(&server.url).retry(Retry::never()).build().unwrap();
    Queue::new(&client).status(TASK_ID).send_as().await
}

#[tokio::test]
async fn an_api_error_keeps_all_that_the_service_said() {
    let body = json!({
        "code": "InputError",
        "message": "no such\nthing\n\n---\n\n* method: status\n* payload: {\"secret\": \"hush\"}",
        "requestInfo": {"method": "status", "params": {"taskId": "T"}, "payload": {"secret": "hush"}},
    });
    let error = status_call(json("400 Bad Request", &body.to_string())).await.unwrap_err();
    assert!(error.is_api() && !error.is_transport() && !error.is_timeout());
    assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
    assert_eq!(error.code(), Some("InputError"));
    assert_eq!(error.message(), body["message"].as_str().unwrap());
    assert_eq!(error.request_info().unwrap(), body["requestInfo"]);
    assert_eq!(error.body(), body.to_string().as_bytes());
    let (method, url) = error.request().unwrap();
    assert_eq!(
        (method.as_str(), url.path()),
        ("GET", "/api/queue/v1/task/fN1SbArXTPSVFNUvaOlinQ/status")
    );
    // One line, without what services repeat of the request.
    let line = format!("GET {url}: 400 Bad Request: InputError: no such thing (1 attempt)");
    assert_eq!(error.to_string(), line);
    assert_eq!(format!("{error:?}"), format!("Api({line})"));
}

#[tokio::test]
async fn an_error_of_a_proxy_is_told_from_the_services() {
    let page = "<html>\n<head><title>502</title></head></html>";
    let error = status_call(answer("502 Bad Gateway", &["Content-Type: text/html"], page))
        .await
        .unwrap_err();
    assert!(error.is_api());
    assert_eq!((error.code(), error.body()), (None, page.as_bytes()));
    assert!(
        error.to_string().contains("the service sent an HTML or XML page: <html> <head><title>502"),
        "{error}"
    );

    let error = status_call(answer("404 Not Found", &[], "")).await.unwrap_err();
    assert!(
        error.to_string().contains("404 Not Found: the service sent nothing (1 attempt)"),
        "{error}"
    );
    // A body that is JSON of another shape is no reason to lose the rest.
    for odd in ["[1]", "null", r#"{"code": 7, "message": ["x"]}"#] {
        let error = status_call(json("409 Conflict", odd)).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(StatusCode::CONFLICT), None));
        assert_eq!(error.body(), odd.as_bytes());
    }
}

#[tokio::test]
async fn good_statuses_with_bad_bodies_are_errors_that_keep_them() {
    let html = "<!doctype html><p>Please log in";
    for (body, message) in [
        ("", "the service sent nothing"),
        (" ", "the service sent nothing"),
        (html, "the service sent an HTML or XML page: <!doctype html><p>Please log in"),
        ("{\"status\": ", "the service sent 11 bytes that are not JSON"),
        ("{} {}", "the service sent 5 bytes that are not JSON"),
    ] {
        let error = status_call(answer("200 OK", &[], body)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Answer, "{body}: {error}");
        assert_eq!(error.message(), message);
        assert_eq!((error.status(), error.body()), (Some(StatusCode::OK), body.as_bytes()));
        assert_eq!(error.attempts(), 1, "reading is not repeated");
        assert!(error.source().is_some());
    }
    let latin1 =
        RawServer::start(["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\"\u{80}".to_owned()])
            .await
            .unwrap();
    let client = Client::builder(&latin1.url).retry(Retry::never()).build().unwrap();
    assert!(Queue::new(&client).status(TASK_ID).await.is_err());
}

#[tokio::test]
async fn json_of_another_shape_is_an_error() {
    let server = RawServer::start([json("200 OK", r#"{"status": []}"#)]).await.unwrap();
    let client = Client::builder(&server.url).build().unwrap();
    let call = Queue::new(&client).status(TASK_ID);
    let error = call.send_as::<HashMap<String, u32>>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Answer);
    assert!(
        error.message().starts_with("the response does not have the expected shape: invalid type"),
        "{error}"
    );
    assert_eq!(error.body(), br#"{"status": []}"#);
}

#[tokio::test]
async fn an_error_about_a_secret_does_not_tell_it() {
    #[derive(Debug, serde::Deserialize)]
    enum Choice {
        One,
    }

    let server = RawServer::start([
        json("200 OK", r#"{"a": "hush, \"quoted\", more"}"#),
        json("200 OK", r#"{"a": "hush"}"#),
        json("200 OK", r#"{"a": "hush"#),
    ])
    .await
    .unwrap();
    let client = Client::builder(&server.url).retry(Retry::never()).build().unwrap();
    let call = Secrets::new(&client).get("a");
    let number = call.clone().send_as::<HashMap<String, u32>>().await.unwrap_err();
    let choice = call.clone().send_as::<HashMap<String, Choice>>().await.unwrap_err();
    let broken = call.send().await.unwrap_err();
    assert!(number.message().contains("invalid type: string \"…\", expected u32"), "{number}");
    assert!(choice.message().contains("unknown variant `…`, expected `One`"), "{choice}");
    for error in [number, choice, broken] {
        let source = error.source().map(ToString::to_string);
        assert!(!format!("{error} {error:?} {source:?}").contains("hush"), "{error}");
        assert!(String::from_utf8_lossy(error.body()).contains("hush"));
    }
    let _ = Choice::One;
}

#[tokio::test]
async fn where_no_answer_is_promised_every_2xx_is_success() {
    let mail = json!({"address": "a@example.com", "subject": "Done", "content": "Well."});
    for (status, body, expected) in [
        ("200 OK", "OK", json!(null)),
        ("204 No Content", "", json!(null)),
        ("200 OK", "", json!(null)),
        ("202 Accepted", "<svg/>", json!(null)),
        ("200 OK", "{\"a\": 1} trailing", json!(null)),
        ("201 Created", " {\"a\": 1} ", json!({"a": 1})),
        ("200 OK", "\"OK\"", json!("OK")),
    ] {
        let server = RawServer::start([answer(status, &[], body)]).await.unwrap();
        let client = Client::builder(&server.url).build().unwrap();
        let email = client.call(&Notify::REFERENCE, "email").unwrap().payload(&mail);
        assert_eq!(email.clone().send().await.unwrap(), expected, "{status} {body}");
        assert_eq!(server.requests().len(), 1, "one mail");
        // A typed method and a type of one's own.
        assert_eq!(Secrets::new(&client).remove("a").await.unwrap(), expected);
        let own: Option<serde_json::Value> = Queue::new(&client).ping().send_as().await.unwrap();
        assert_eq!(own.unwrap_or_default(), expected);
        // The text is there for who wants it.
        let raw = email.into_call().send_raw().await.unwrap();
        assert_eq!(raw.text().await.unwrap(), body);
    }
    let latin1 =
        RawServer::start(["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\"\u{80}".to_owned()]);
    let client = Client::builder(&latin1.await.unwrap().url).build().unwrap();
    assert_eq!(Queue::new(&client).ping().await.unwrap(), json!(null));
}

#[tokio::test]
async fn no_content_where_an_answer_is_promised_is_an_error_that_says_so() {
    let server = RawServer::start([answer("204 No Content", &[], "")]).await.unwrap();
    let client = Client::builder(&server.url).build().unwrap();
    let clients = taskcluster::Auth::new(&client).list_clients();
    for error in [
        clients.clone().send_as::<serde_json::Value>().await.unwrap_err(),
        clients.items().try_next().await.unwrap_err(),
    ] {
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Answer, Some(StatusCode::NO_CONTENT))
        );
        let message = "the service sent no content, but listClients must answer with v1/list-clients-response.json#";
        assert_eq!(error.message(), message);
        assert_eq!(error.attempts(), 1);
    }
}

#[tokio::test]
async fn errors_keep_a_bounded_part_of_the_body() {
    let huge = "x".repeat(100_000);
    let error = status_call(answer("400 Bad Request", &[], &huge)).await.unwrap_err();
    assert_eq!(error.body().len(), 16 * 1024);
    assert!(error.to_string().len() < 400, "{error}");

    let long = json!({"code": "Long", "message": format!("a\n{}", "ü ".repeat(100_000))});
    let error = status_call(json("400 Bad Request", &long.to_string())).await.unwrap_err();
    assert_eq!(error.code(), Some("Long"));
    assert!(error.message().len() <= 16 * 1024 && error.to_string().len() < 2400);
    assert!(!error.to_string().contains('\n'));
}

#[tokio::test]
async fn a_redirect_without_json_says_how_to_read_it() {
    let redirect =
        answer("303 See Other", &["Location: https://x.example.com/?token=hush"], "See Other");
    let server = RawServer::start([redirect]).await.unwrap();
    let client = Client::builder(&server.url).build().unwrap();
    let error = Queue::new(&client).get_latest_artifact(TASK_ID, "a").await.unwrap_err();
    assert!(
        error.message().contains("the service sent a redirect; use `send_raw` to get it"),
        "{error}"
    );
    assert!(!error.to_string().contains("hush"));
}

#[tokio::test]
async fn a_large_answer_in_many_pieces_is_read_whole() {
    let items: Vec<_> = (0..20_000).map(|i| format!("item {i}")).collect();
    let body = json!({ "items": items });
    assert_eq!(status_call(json("200 OK", &body.to_string())).await.unwrap(), body);
}

#[tokio::test]
async fn no_secret_is_ever_printed() {
    let credentials = Credentials::new("tester", "t0ken-secret")
        .with_certificate("{\"seed\":\"certificate-secret\"}");
    let payload =
        json!({"secret": {"key": "payload-secret"}, "expires": "2030-01-01T00:00:00.000Z"});
    let body = json!({"code": "InputError", "message": "no", "requestInfo": {"payload": payload}});
    let server = RawServer::start([
        answer("503 Busy", &[], "payload-secret"),
        json("400 Bad Request", &body.to_string()),
    ])
    .await
    .unwrap();
    let log = Log::default();
    let guard = log.install();
    let client = Client::builder(&server.url)
        .credentials(credentials.clone())
        .retry(Retry::default().first_delay(std::time::Duration::from_millis(1)))
        .build()
        .unwrap();
    let secrets = Secrets::new(&client);
    let call = secrets.set("a", &typed(&payload));
    let named =
        client.call(&Secrets::REFERENCE, "set").unwrap().param("name", "a").payload(&payload);
    let builder = Client::builder("https://user:t0ken-secret@tc.example.com")
        .credentials(credentials.clone());
    let shown = [
        format!("{credentials:?} {client:?} {secrets:?} {call:?} {named:?} {builder:?}"),
        format!("{:?}", credentials.temporary(std::time::Duration::from_secs(1))),
        format!("{:?}", taskcluster::hawk::Signer::new(&credentials, None).unwrap()),
        format!("{:?}", call.clone().into_future()),
    ];
    let error = call.await.unwrap_err();
    drop(guard);
    let log = log.text();
    assert!(log.contains("failed") && log.contains("attempt=2"), "{log}");
    for text in shown.iter().chain([&error.to_string(), &format!("{error:?} {error:#?}"), &log]) {
        for secret in ["t0ken-secret", "certificate-secret", "payload-secret", "mac=", "Hawk id"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn errors_can_be_sent_between_threads() {
    fn travels<T: std::error::Error + Send + Sync + 'static>() {}
    travels::<Error>();
    assert_eq!(size_of::<Error>(), size_of::<usize>());
}
