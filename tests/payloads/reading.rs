//! What is read, what is refused, and what an error says of it.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use taskcluster::hooks::HookStatus;
use taskcluster::queue::{
    CreateTaskRequest, ListTaskGroupResponse, PostArtifactResponse, Task, TaskCredentials,
    TaskState, TaskStatus, TaskStatusResponse, TaskStatusRun,
};
use taskcluster::worker_manager::RegisterWorkerRequest;
use taskcluster::{Client, ErrorKind, Queue, Retry, StatusCode};
use taskcluster_tests::{RawServer, TASK_ID, json as json_answer};

use crate::payloads::{full, read, refused, status};
use crate::support::typed;

#[test]
fn errors_say_where_in_the_document() {
    let with = |pointer: &str, value: Value| {
        let mut document = status();
        *document.pointer_mut(pointer).unwrap() = value;
        refused::<TaskStatusResponse>(document)
    };
    assert_eq!(
        with("/status/runs/1/runId", json!("3")),
        "status: runs[1]: runId: expected an integer, found text"
    );
    assert_eq!(
        with("/status/runs/1/runId", json!(1.5)),
        "status: runs[1]: runId: expected an integer, found another number"
    );
    assert_eq!(
        with("/status/runs/1/runId", json!(u64::MAX)),
        "status: runs[1]: runId: expected an integer, found a number that is too large"
    );
    assert_eq!(
        with("/status/runs/0/scheduled", json!("yesterday")),
        "status: runs[0]: scheduled: expected a date, found other text"
    );
    assert_eq!(
        with("/status/runs/0", json!([])),
        "status: runs[0]: expected an object, found a list"
    );
    assert_eq!(with("/status/runs", json!({})), "status: runs: expected a list, found an object");
    assert_eq!(with("/status/state", json!(7)), "status: state: expected text, found a number");
    assert_eq!(
        with("/status/taskId", json!(true)),
        "status: taskId: expected text, found true or false"
    );
    assert_eq!(with("/status", json!(null)), "status: expected an object, found null");
    assert_eq!(refused::<TaskStatusResponse>("[]"), "expected an object, found a list");
    assert_eq!(refused::<TaskStatusResponse>("\"x\""), "expected an object, found text");

    let mut task = full("queue/v1/task.json");
    task["tags"]["a.b"] = json!(1);
    assert_eq!(refused::<Task>(&task), "tags: entry 1: expected text, found a number");
}

#[test]
fn missing_fields_and_duplicate_keys_are_refused() {
    let mut document = status();
    document["status"]["runs"][1].as_object_mut().unwrap().remove("runId");
    let message = refused::<TaskStatusResponse>(document);
    assert_eq!(message, "status: runs[1]: `runId` is missing");
    assert_eq!(refused::<TaskStatusResponse>("{}"), "`status` is missing");

    let twice = r#"{"accessToken": "a", "certificate": "", "accessToken": "b", "clientId": ""}"#;
    assert_eq!(refused::<TaskCredentials>(twice), "`accessToken` appears twice");
    let escaped = r#"{"accessToken": "a", "certificate": "", "access\u0054oken": "b"}"#;
    assert_eq!(refused::<TaskCredentials>(escaped), "`accessToken` appears twice");
    // Whatever is not read may stand there as often as it likes.
    let unknown = r#"{"new": 1, "accessToken": "a", "new": 2, "certificate": "", "clientId": ""}"#;
    assert_eq!(read::<TaskCredentials>(unknown).access_token, "a");
}

#[test]
fn null_stands_for_what_may_be_missing_and_for_nothing_else() {
    let mut document = status();
    document["status"]["runs"][0]["workerId"] = json!(null);
    document["status"]["runs"][0]["resolved"] = json!(null);
    document["status"]["runs"][0]["reasonResolved"] = json!(null);
    let read: TaskStatusResponse = typed(&document);
    let run = &read.status.runs[0];
    assert_eq!((&run.worker_id, run.resolved, &run.reason_resolved), (&None, None, &None));
    // Written, they are missing.
    let again = serde_json::to_value(run).unwrap();
    assert!(again.get("workerId").is_none() && again.get("resolved").is_none(), "{again}");

    for (pointer, expected) in [
        ("taskId", "text"),
        ("retriesLeft", "an integer"),
        ("deadline", "a date"),
        ("state", "text"),
        ("runs", "a list"),
    ] {
        let mut document = status();
        document["status"][pointer] = json!(null);
        let message = refused::<TaskStatusResponse>(document);
        assert_eq!(message, format!("status: {pointer}: expected {expected}, found null"));
    }
    // A union is one of several objects.
    let mut register = full("worker-manager/v1/register-worker-request.json");
    for (value, found) in [(json!(null), "null"), (json!("x"), "text"), (json!([1]), "a list")] {
        register["workerIdentityProof"] = value;
        assert_eq!(
            refused::<RegisterWorkerRequest>(&register),
            format!("workerIdentityProof: expected an object, found {found}")
        );
    }
}

#[test]
fn keys_and_texts_may_be_escaped() {
    let text = status().to_string();
    let escaped =
        text.replace("\"taskId\"", "\"task\\u0049d\"").replace("\"runs\"", r#""\u0072uns""#);
    assert_ne!(text, escaped);
    assert_eq!(read::<TaskStatusResponse>(&escaped), read::<TaskStatusResponse>(&text));
    let credentials =
        r#"{"clientId": "\u00fc\n\"\ud83d\ude00", "accessToken": "", "certificate": ""}"#;
    assert_eq!(read::<TaskCredentials>(credentials).client_id, "ü\n\"😀");
}

#[test]
fn keys_may_come_in_another_order_in_each_record() {
    let mut document = status();
    let run = document["status"]["runs"][0].clone();
    let members = run.as_object().unwrap().iter();
    let mut members: Vec<_> = members.map(|(key, value)| format!("{key:?}: {value}")).collect();
    let mut runs = Vec::new();
    for _ in 0..members.len() {
        runs.push(format!("{{{}}}", members.join(",")));
        members.rotate_left(1);
        runs.push(format!("{{{}}}", members.join(",")));
        members.reverse();
    }
    document["status"]["runs"] = json!("RUNS");
    let text = document.to_string().replace("\"RUNS\"", &format!("[{}]", runs.join(",")));
    let found = read::<TaskStatusResponse>(&text).status.runs;
    assert_eq!(found, vec![read::<TaskStatusRun>(&run.to_string()); runs.len()]);
}

#[test]
fn a_newer_service_breaks_nothing() {
    let mut document = status();
    document["status"]["state"] = json!("frozen");
    document["status"]["brandNew"] = json!({"x": [1, {"y": null}]});
    document["later"] = json!(1.5);
    let status: TaskStatusResponse = typed(&document);
    assert_eq!(status.status.state, TaskState::Unknown("frozen".to_owned()));
    let again = serde_json::to_value(&status).unwrap();
    assert_eq!(again["status"]["state"], "frozen");
    assert!(again.get("later").is_none() && again["status"].get("brandNew").is_none());
}

#[test]
fn dates_are_written_with_at_least_milliseconds_in_utc() {
    let mut document = status();
    for (written, means) in [
        ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
        ("2026-01-02t03:04:05z", "2026-01-02T03:04:05.000Z"),
        ("2026-01-02T05:34:05+02:30", "2026-01-02T03:04:05.000Z"),
        ("2026-01-01T19:04:05.6-08:00", "2026-01-02T03:04:05.600Z"),
        ("2026-01-02T03:04:05.678912345Z", "2026-01-02T03:04:05.678912345Z"),
    ] {
        document["status"]["deadline"] = json!(written);
        let read: TaskStatusResponse = typed(&document);
        let again = serde_json::to_value(&read).unwrap();
        assert_eq!(again["status"]["deadline"], means, "{written}");
        assert_eq!(read.status.deadline, written.parse::<DateTime<Utc>>().unwrap());
    }
    for wrong in ["", "2026-01-02", "2026-01-02T03:04:05", "2026-02-30T00:00:00Z", "1767323045"] {
        document["status"]["deadline"] = json!(wrong);
        let message = refused::<TaskStatusResponse>(&document);
        assert_eq!(message, "status: deadline: expected a date, found other text", "{wrong}");
    }
}

#[test]
fn no_date_is_written_that_cannot_be_read() {
    let mut document = status();
    for fine in ["0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"] {
        document["status"]["deadline"] = json!(fine);
        let read: TaskStatusResponse = typed(&document);
        assert_eq!(serde_json::to_value(&read).unwrap()["status"]["deadline"], fine);
    }
    for beyond in ["9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00"] {
        document["status"]["deadline"] = json!(beyond);
        let message = refused::<TaskStatusResponse>(&document);
        assert_eq!(message, "status: deadline: expected a date, found other text", "{beyond}");
    }
    let mut status: TaskStatusResponse = typed(self::status());
    status.status.deadline = DateTime::<Utc>::MAX_UTC;
    let error = serde_json::to_string(&status).unwrap_err().to_string();
    assert!(error.contains("is not within the years 0 to 9999"), "{error}");
}

#[test]
fn every_way_of_reading_gives_the_same() {
    fn check<T: DeserializeOwned + Serialize + PartialEq + Debug>(document: &Value) {
        let text = document.to_string();
        let read: T = serde_json::from_str(&text).unwrap();
        // Texts of a reader are never borrowed.
        let reader = std::io::BufReader::with_capacity(3, text.as_bytes());
        assert_eq!(serde_json::from_reader::<_, T>(reader).unwrap(), read);
        assert_eq!(serde_json::from_slice::<T>(text.as_bytes()).unwrap(), read);
        assert_eq!(T::deserialize(document).unwrap(), read);
        assert_eq!(serde_json::from_value::<T>(document.clone()).unwrap(), read);
        let pretty = serde_json::to_string_pretty(&read).unwrap();
        assert_eq!(serde_json::from_str::<T>(&pretty).unwrap(), read);
    }

    check::<ListTaskGroupResponse>(&full("queue/v1/list-task-group-response.json"));
    check::<PostArtifactResponse>(&full("queue/v1/post-artifact-response.json"));
    check::<CreateTaskRequest>(&full("queue/v1/create-task-request.json"));
    check::<HookStatus>(&full("hooks/v1/hook-status.json"));
}

#[test]
fn nothing_half_filled_is_seen() {
    let good: TaskStatus = typed(&status()["status"]);
    let mut value = good.clone();
    let mut document = status();
    document["status"]["runs"][1]["runId"] = json!("x");
    let text = document["status"].to_string();
    let mut json = serde_json::Deserializer::from_str(&text);
    assert!(Deserialize::deserialize_in_place(&mut json, &mut value).is_err());
    assert_eq!(value, good);

    // A list of records is theirs up to the one that is wrong.
    let runs = json!([status()["status"]["runs"][0], {"runId": 1}]).to_string();
    assert_eq!(refused::<Vec<TaskStatusRun>>(runs), "`reasonCreated` is missing");
}

#[tokio::test]
async fn a_truncated_answer_is_not_one_of_another_shape() {
    let whole = status().to_string();
    let body = |text: &str| json_answer("200 OK", text);
    let server = RawServer::start([
        body(&whole[..whole.len() - 1]),
        body(&whole[..whole.len() / 2]),
        body("{\"status\": {\"taskId\": 7"),
        body("{\"status\": {\"taskId\": 7}}"),
        body(&format!("{whole}x")),
        body(&whole),
    ])
    .await
    .unwrap();
    let client = Client::builder(&server.url).retry(Retry::never()).build().unwrap();
    let queue = Queue::new(&client);
    for length in [whole.len() - 1, whole.len() / 2] {
        let error = queue.status(TASK_ID).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Answer);
        assert_eq!(error.message(), format!("the service sent {length} bytes that are not JSON"));
        assert!(error.to_string().contains("EOF while parsing"), "{error}");
    }
    // What is wrong before the end is said, whatever comes after it.
    for _ in 0..2 {
        let error = queue.status(TASK_ID).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Answer);
        assert_eq!(error.status(), Some(StatusCode::OK));
        let message = "the response does not have the expected shape: \
            status: taskId: expected text, found a number";
        assert_eq!(error.message(), message);
    }
    let error = queue.status(TASK_ID).await.unwrap_err();
    assert!(error.message().ends_with("bytes that are not JSON"), "{error}");
    assert_eq!(queue.status(TASK_ID).await.unwrap().status.runs.len(), 2);
}
