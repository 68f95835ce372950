//! What the line of an error must not hold: values, keys, control characters, and more than can be read.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::json;
use taskcluster::{Client, Credentials, Error, FreeForm, Queue, Retry, Secrets, from_now, slugid};
use taskcluster_tests::{RawServer, TASK_ID, json as json_answer};

/// How `T` refuses this answer.
async fn refusal<T: serde::de::DeserializeOwned>(answer: &str) -> Error {
    let server = RawServer::start([json_answer("200 OK", answer)]).await.unwrap();
    let client = Client::builder(&server.url).retry(Retry::never()).build().unwrap();
    let result = Secrets::new(&client).get("a").send_as::<HashMap<String, T>>().await;
    result.err().unwrap()
}

#[derive(Debug, Deserialize)]
enum Choice {
    One,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closed {
    #[serde(default)]
    _field: u8,
}

#[tokio::test]
async fn values_of_every_type_are_hidden() {
    let _ = Choice::One;
    for (error, expected) in [
        (
            refusal::<String>(r#"{"a": 31337}"#).await,
            "invalid type: integer `…`, expected a string",
        ),
        (
            refusal::<String>(r#"{"a": -31337}"#).await,
            "invalid type: integer `…`, expected a string",
        ),
        (
            refusal::<String>(r#"{"a": 31337.5}"#).await,
            "invalid type: floating point `…`, expected a string",
        ),
        (refusal::<String>(r#"{"a": true}"#).await, "invalid type: boolean `…`, expected a string"),
        (refusal::<u8>(r#"{"a": 31337}"#).await, "invalid value: integer `…`, expected u8"),
        (refusal::<u8>(r#"{"a": "31337"}"#).await, "invalid type: string \"…\", expected u8"),
        (
            refusal::<u8>(r#"{"a": "31337\", expected `x`, expected 31337"}"#).await,
            "invalid type: string \"…\", expected u8",
        ),
        (
            refusal::<char>(r#"{"a": "31337"}"#).await,
            "invalid value: string \"…\", expected a character",
        ),
        (refusal::<Choice>(r#"{"a": "31337"}"#).await, "unknown variant `…`, expected `One`"),
        (refusal::<Closed>(r#"{"a": {"31337": 1}}"#).await, "unknown field `…`, expected `_field`"),
        (refusal::<u8>(r#"{"a": [31337]}"#).await, "invalid type: sequence, expected u8"),
    ] {
        assert!(error.message().contains(expected), "{expected}: {error}");
        assert!(!format!("{error} {error:?} {}", error.message()).contains("31337"), "{error}");
    }
    let error = FreeForm::from(json!(31337)).decode::<String>().unwrap_err();
    assert!(!error.to_string().contains("31337"), "{error}");
}

#[tokio::test]
async fn keys_of_maps_are_hidden() {
    let hush = json!({"hush": {"a": 1}, "more": {}});
    let error = refusal::<BTreeMap<String, String>>(&hush.to_string()).await;
    assert!(!error.to_string().contains("hush"), "{error}");

    let mut task = crate::payloads::full("queue/v1/task.json");
    task["tags"] = json!({"a": "b", "hush": 31337});
    let server = RawServer::start([json_answer("200 OK", &task.to_string())]).await.unwrap();
    let client = Client::builder(&server.url).retry(Retry::never()).build().unwrap();
    let error = Queue::new(&client).task(TASK_ID).await.unwrap_err();
    assert!(error.message().contains("tags: entry 1: expected text, found a number"), "{error}");
    assert!(!error.to_string().contains("hush"), "{error}");
}

#[tokio::test]
async fn no_part_of_a_line_is_endless() {
    let huge = "x".repeat(10_000_000);
    let client = Client::builder("http://127.0.0.1:9").retry(Retry::never()).build().unwrap();
    let mut errors = vec![
        Secrets::new(&client).get(&huge).await.unwrap_err(),
        Queue::new(&client).list_task_group(TASK_ID).continuation_token(&huge).await.unwrap_err(),
        client.call(&Queue::REFERENCE, &huge).err().unwrap(),
        from_now(&huge).unwrap_err(),
        slugid::decode(&huge).unwrap_err(),
        Client::builder(&huge).build().unwrap_err(),
        client.with_credentials(Credentials::new(format!("\"{huge}"), "t")).err().unwrap(),
    ];
    let api = json!({"code": huge[..100_000], "message": "why"}).to_string();
    let server = RawServer::start([json_answer("400 Bad Request", &api)]).await.unwrap();
    let client = Client::builder(&server.url).retry(Retry::never()).build().unwrap();
    let error = Secrets::new(&client).get(&huge[..5000]).await.unwrap_err();
    assert!(error.to_string().contains("…: why (1 attempt)"), "{error}");
    errors.push(error);
    for error in &errors {
        let line = format!("{error}");
        assert!(line.len() < 4096, "{} bytes: {}", line.len(), &line[..200]);
        assert!(format!("{error:?}").len() < 4096);
        assert!(error.message().len() <= 16 * 1024);
    }
}

#[tokio::test]
async fn a_service_cannot_control_the_terminal() {
    let hostile = "a\u{1b}[2J\u{7}b\u{202e}c\u{2066}d\u{200f}\r\n\u{85}\u{9b}31m\u{0}e";
    let body = json!({"code": hostile, "message": hostile}).to_string();
    let server = RawServer::start([
        json_answer("400 Bad Request", &body),
        json_answer("502 Bad Gateway", &format!("<html>{hostile}</html>")),
    ])
    .await
    .unwrap();
    let client = Client::builder(&server.url).retry(Retry::never()).build().unwrap();
    for _ in 0..2 {
        let error = Queue::new(&client).status(TASK_ID).await.unwrap_err();
        for line in [error.to_string(), format!("{error:?}")] {
            let bad = |c: char| c.is_control() || "\u{202e}\u{2066}\u{200f}".contains(c);
            assert!(!line.contains(bad), "{line:?}");
            assert!(line.contains("a\u{fffd}[2J\u{fffd}b\u{fffd}c"), "{line:?}");
        }
    }
}

#[tokio::test]
async fn an_url_that_is_wrong_is_not_cited() {
    let client = Client::builder("https://user:hush@tc.example.com").build().unwrap_err();
    assert!(!client.to_string().contains("hush"));
    let error = taskcluster::pulse::PulseCredentials::new("u", "p").host("amqps://u:hush@h:x");
    assert!(!error.unwrap_err().to_string().contains("hush"));
}
