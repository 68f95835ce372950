//! Reading and writing typed payloads: what a program relies on, whatever a service sends.

use std::fmt::Debug;
use std::path::Path;

use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use taskcluster::hooks::{HookLastFire, HookStatus, TriggerHookResponse};
use taskcluster::queue::{
    CreateTaskRequest, ListTaskGroupResponse, PostArtifactRequest, PostArtifactResponse, Task,
    TaskClaimResponse, TaskCredentials, TaskPriority, TaskState, TaskStatus, TaskStatusResponse,
    TaskStatusRun,
};
use taskcluster::worker_manager::{RegisterWorkerIdentityProof, RegisterWorkerRequest};
use taskcluster::{Client, ErrorKind, FreeForm, Queue, Retry, StatusCode};
use taskcluster_tests::{RawServer, json as json_answer};

use crate::samples::{self, Extent};
use crate::typed;

/// A document in full, made from a schema of the current generation.
fn full(schema: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../references/current/schemas");
    samples::of(&file.join(schema), Extent::Most).remove(0).document
}

/// The same of 2017.
fn of_2017(schema: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../references/2017/schemas");
    samples::of(&file.join(schema), Extent::Most).remove(0).document
}

/// A whole answer of `queue.status`, with two runs.
fn status() -> Value {
    full("queue/v1/task-status-response.json")
}

#[track_caller]
fn refused<T: DeserializeOwned + Debug>(json: impl ToString) -> String {
    let error = serde_json::from_str::<T>(&json.to_string()).unwrap_err().to_string();
    // Where in the text.
    error.split(" at line ").next().unwrap().to_owned()
}

#[track_caller]
fn read<T: DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

#[test]
fn errors_say_where() {
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
        "status: runs[1]: runId: expected an integer, found another number"
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
    assert_eq!(refused::<Task>(&task), "tags: a.b: expected text, found a number");
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
fn enums_are_texts() {
    assert_eq!(TaskState::from("running"), TaskState::Running);
    assert_eq!(TaskState::from("x"), TaskState::Unknown("x".to_owned()));
    assert_eq!(TaskState::Running.as_str(), "running");
    assert_eq!(TaskState::Running.to_string(), "running");
    assert_eq!(format!("{:>9}|", TaskState::Running), "  running|");
    assert_eq!(TaskPriority::from("very-low").to_string(), "very-low");
    assert_eq!(serde_json::to_string(&TaskPriority::VeryLow).unwrap(), r#""very-low""#);
    assert_eq!(read::<TaskPriority>(r#""ve\u0072y-low""#), TaskPriority::VeryLow);
    assert_eq!(refused::<TaskPriority>("{}"), "expected text, found an object");
}

const EXPIRES: &str = "2026-01-02T03:04:05.678Z";

#[test]
fn the_tag_of_a_union_may_stand_anywhere() {
    for text in [
        format!(r#"{{"storageType": "s3", "contentType": "text/plain", "expires": "{EXPIRES}"}}"#),
        format!(r#"{{"contentType": "text/plain", "expires": "{EXPIRES}", "storageType": "s3"}}"#),
        format!(
            r#"{{"new": {{"storageType": 1}}, "contentType": "text/plain", "storage\u0054ype": "\u00733", "expires": "{EXPIRES}"}}"#
        ),
    ] {
        let PostArtifactRequest::S3(artifact) = read(&text) else { panic!("{text}") };
        assert_eq!(artifact.content_type, "text/plain");
        let again = serde_json::to_value(PostArtifactRequest::from(artifact)).unwrap();
        assert_eq!(
            again,
            json!({"storageType": "s3", "contentType": "text/plain", "expires": EXPIRES})
        );
    }
    // The tag alone decides, so that the error is about what the branch lacks.
    let message = refused::<PostArtifactRequest>(r#"{"storageType": "s3"}"#);
    assert_eq!(message, "`contentType` is missing");
    let twice = format!(
        r#"{{"storageType": "s3", "contentType": "x", "expires": "{EXPIRES}", "storageType": "link"}}"#
    );
    assert_eq!(refused::<PostArtifactRequest>(twice), "`storageType` appears twice");
}

#[test]
fn errors_inside_unions_say_where() {
    let status = json!({"lastFire": {"result": "success", "taskId": 7, "time": EXPIRES}});
    assert_eq!(refused::<HookStatus>(status), "lastFire: taskId: expected text, found a number");
    let status = json!({"lastFire": {"result": "success", "taskId": "T"}});
    assert_eq!(refused::<HookStatus>(status), "lastFire: `time` is missing");
}

#[test]
fn a_form_that_is_not_known_is_kept_whole() {
    let form = json!({"result": "postponed", "until": EXPIRES, "why": {"code": [1, 2.5, null]}});
    let status: HookStatus = typed(json!({"lastFire": form}));
    assert_eq!(status.last_fire, HookLastFire::Unknown(form.clone()));
    assert_eq!(serde_json::to_value(&status).unwrap()["lastFire"], form);
    assert_eq!(status.clone(), status);

    for untagged in [json!({}), json!({"result": 1}), json!({"result": null})] {
        let status: HookStatus = typed(json!({"lastFire": untagged}));
        assert_eq!(status.last_fire, HookLastFire::Unknown(untagged));
    }
}

#[test]
fn overlapping_branches_are_told_by_what_they_require() {
    let both = json!({"document": "d", "signature": "s"});
    let read: RegisterWorkerIdentityProof = typed(&both);
    let RegisterWorkerIdentityProof::DocumentSignature(proof) = &read else { panic!("{read:?}") };
    assert_eq!((&*proof.document, &*proof.signature), ("d", "s"));
    assert_eq!(serde_json::to_value(&read).unwrap(), both);

    let read: RegisterWorkerIdentityProof = typed(json!({"document": "d"}));
    assert!(matches!(&read, RegisterWorkerIdentityProof::Document(proof) if proof.document == "d"));
    let read: RegisterWorkerIdentityProof = typed(json!({"document": "d", "more": 1}));
    assert!(matches!(read, RegisterWorkerIdentityProof::Document(_)));
    // A signature alone is none of them.
    let read: RegisterWorkerIdentityProof = typed(json!({"signature": "s"}));
    assert_eq!(read, RegisterWorkerIdentityProof::Unknown(json!({"signature": "s"})));
    // What belongs to a branch and has the wrong type is an error, not an unknown form.
    let message = refused::<RegisterWorkerIdentityProof>(json!({"document": 1}));
    assert_eq!(message, "document: expected text, found a number");
}

#[test]
fn an_object_or_nothing_is_an_object_with_nothing_that_must_be() {
    let nothing: TriggerHookResponse = typed(json!({}));
    assert!(nothing.task_id.is_none() && nothing.status.is_none());
    assert_eq!(serde_json::to_string(&nothing).unwrap(), "{}");
    let fired: TriggerHookResponse = typed(json!({"taskId": "T", "status": {"taskId": "T"}}));
    assert_eq!(fired.task_id.as_deref(), Some("T"));
    assert_eq!(fired.status.unwrap().task_id.as_deref(), Some("T"));
}

#[test]
fn open_records_keep_what_has_no_field() {
    use taskcluster::object::HashesUpload;

    let text = r#"{"md4": { "b" :1}, "sha256": "0", "z\u0061": null}"#;
    let hashes: HashesUpload = read(text);
    assert_eq!(hashes.sha256.as_deref(), Some("0"));
    assert_eq!(hashes.other.keys().collect::<Vec<_>>(), ["md4", "za"]);
    assert_eq!(hashes.other["md4"].text(), "{ \"b\" :1}");
    assert_eq!(hashes.clone(), hashes);
    let again = serde_json::to_string(&hashes).unwrap();
    assert_eq!(again, r#"{"sha256":"0","md4":{ "b" :1},"za":null}"#);
    let mut changed = hashes.clone();
    changed.other.insert("md4".to_owned(), FreeForm::from(json!(1)));
    assert_ne!(changed, hashes);
    // What has a field is in the field alone.
    changed.other.insert("sha256".to_owned(), FreeForm::from(json!(1)));
    assert_eq!(serde_json::to_string(&changed).unwrap().matches("sha256").count(), 1);
}

#[test]
fn dates_are_written_with_milliseconds_in_utc() {
    let mut document = status();
    for (written, means) in [
        ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
        ("2026-01-02t03:04:05z", "2026-01-02T03:04:05.000Z"),
        ("2026-01-02T05:34:05+02:30", "2026-01-02T03:04:05.000Z"),
        ("2026-01-01T19:04:05.6-08:00", "2026-01-02T03:04:05.600Z"),
        ("2026-01-02T03:04:05.678912345Z", "2026-01-02T03:04:05.678Z"),
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
fn free_form_keeps_its_text_and_is_decoded_when_asked() {
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct MyPayload {
        max_run_time: u32,
    }

    let mark = json!("MARK");
    let mut document = full("queue/v1/create-task-request.json");
    document["payload"] = mark.clone();
    let payload = r#"{ "z" : 1.0,  "maxRunTime":60, "a": [12345678901234567890123, "\u00fc"] }"#;
    let text = document.to_string().replace(&mark.to_string(), payload);
    let task: CreateTaskRequest = read(&text);
    assert_eq!(task.payload.text(), payload);
    assert!(serde_json::to_string(&task).unwrap().contains(payload));
    assert_eq!(task.clone().payload.text(), payload);
    assert_eq!(task.payload.decode::<MyPayload>().unwrap(), MyPayload { max_run_time: 60 });
    assert_eq!(task.payload.to_value().unwrap()["maxRunTime"], 60);
    let error = task.payload.decode::<Vec<u8>>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Answer);
    assert!(error.to_string().contains("expected a sequence"), "{error}");
    // Two are equal if their values are.
    assert_eq!(read::<FreeForm>("[1, {\"a\":2}]"), FreeForm::from(json!([1, {"a": 2}])));
}

#[test]
fn types_are_parts_of_a_programs_own() {
    /// Serde reads a flattened part from a buffer of its own.
    #[derive(Debug, Deserialize, Serialize, PartialEq)]
    struct Stored {
        note: String,
        #[serde(flatten)]
        task: CreateTaskRequest,
    }

    #[derive(Debug, Deserialize, Serialize, PartialEq)]
    struct Fire {
        #[serde(flatten)]
        status: HookStatus,
        more: FreeForm,
    }

    /// So does an untagged enum.
    #[derive(Debug, Deserialize, Serialize, PartialEq)]
    #[serde(untagged)]
    enum Either {
        Credentials(TaskCredentials),
        Free(FreeForm),
    }

    let mut document = full("queue/v1/create-task-request.json");
    document["payload"] = json!({"env": {"A": null}, "list": [1, 2.5, "x"]});
    document["note"] = json!("n");
    let stored: Stored = read(&document.to_string());
    assert_eq!(stored.task.payload.to_value().unwrap(), document["payload"]);
    assert_eq!(serde_json::to_value(&stored).unwrap(), document);
    assert_eq!(typed::<Stored>(&document), stored);

    let document = json!({
        "lastFire": {"time": EXPIRES, "taskId": "T", "result": "success"}, "more": null,
    });
    let fire: Fire = read(&document.to_string());
    assert!(matches!(&fire.status.last_fire, HookLastFire::Success(fire) if fire.task_id == "T"));
    assert_eq!(serde_json::to_value(&fire).unwrap(), document);

    let either: Either = read(r#"{"clientId": "c", "accessToken": "", "certificate": ""}"#);
    assert!(matches!(either, Either::Credentials(_)));
    let either: Either = read(r#"{"clientId": 7}"#);
    assert_eq!(either, Either::Free(FreeForm::from(json!({"clientId": 7}))));
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
        let error = queue.status("T").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Answer);
        assert_eq!(error.message(), format!("the service sent {length} bytes that are not JSON"));
        assert!(error.to_string().contains("EOF while parsing"), "{error}");
    }
    // What is wrong before the end is said, whatever comes after it.
    for _ in 0..2 {
        let error = queue.status("T").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Answer);
        assert_eq!(error.status(), Some(StatusCode::OK));
        let message = "the response does not have the expected shape: \
            status: taskId: expected text, found a number";
        assert_eq!(error.message(), message);
    }
    let error = queue.status("T").await.unwrap_err();
    assert!(error.message().ends_with("bytes that are not JSON"), "{error}");
    assert_eq!(queue.status("T").await.unwrap().status.runs.len(), 2);
}

#[test]
fn debug_has_rust_names_and_no_secrets() {
    let claim: TaskClaimResponse = typed(full("queue/v1/task-claim-response.json"));
    let shown = format!("{claim:?}");
    assert!(shown.starts_with("TaskClaimResponse { credentials: TaskCredentials { "), "{shown}");
    assert!(shown.contains("access_token: …, certificate: …, client_id: \"a"), "{shown}");
    assert!(shown.contains("worker_group: ") && !shown.contains("workerGroup"), "{shown}");
    let run: TaskStatusRun = typed(json!({
        "reasonCreated": "scheduled", "runId": 0, "scheduled": EXPIRES, "state": "pending",
    }));
    let lines: Vec<_> = format!("{run:#?}").lines().map(str::to_owned).collect();
    assert_eq!(
        lines[..3],
        ["TaskStatusRun {", "    reason_created: Scheduled,", "    reason_resolved: None,"]
    );
}

/// Replaces all texts and numbers below these keys.
fn hush(json: &mut Value, keys: &[&str], inside: bool) -> usize {
    match json {
        Value::Object(members) => members
            .iter_mut()
            .map(|(key, value)| hush(value, keys, inside || keys.contains(&key.as_str())))
            .sum(),
        Value::Array(items) => items.iter_mut().map(|item| hush(item, keys, inside)).sum(),
        // But for dates.
        Value::String(text) if !inside || text == EXPIRES => 0,
        Value::String(_) | Value::Number(_) if inside => {
            *json = json!("hush");
            1
        }
        _ => 0,
    }
}

/// Whether the values of these properties, and whatever is in them, are told by `Debug`.
#[track_caller]
fn hides<T: DeserializeOwned + Serialize + Debug>(mut document: Value, keys: &[&str]) {
    assert_ne!(hush(&mut document, keys, false), 0, "{document}");
    let read: T = typed(&document);
    assert!(serde_json::to_string(&read).unwrap().contains("hush"));
    for shown in [format!("{read:?}"), format!("{read:#?}")] {
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains('…'), "{shown}");
    }
}

#[test]
fn no_service_has_a_secret_that_debug_tells() {
    use taskcluster::{auth, hooks, object, queue, secrets, worker_manager};

    let login = ["accessToken", "certificate"];
    hides::<auth::AuthenticateHawkRequest>(
        full("auth/v1/authenticate-hawk-request.json"),
        &["authorization"],
    );
    hides::<auth::AwsS3CredentialsResponse>(
        full("auth/v1/aws-s3-credentials-response.json"),
        &["secretAccessKey", "sessionToken"],
    );
    hides::<auth::AzureContainerResponse>(full("auth/v1/azure-container-response.json"), &["sas"]);
    hides::<auth::AzureTableAccessResponse>(
        full("auth/v1/azure-table-access-response.json"),
        &["sas"],
    );
    hides::<auth::CreateClientResponse>(full("auth/v1/create-client-response.json"), &login);
    hides::<auth::GcpCredentialsResponse>(full("auth/v1/gcp-credentials-response.json"), &login);
    hides::<auth::GithubTokenResponse>(full("auth/v1/github-token-response.json"), &["token"]);
    hides::<auth::SentryDsnResponse>(full("auth/v1/sentry-dsn-response.json"), &["secret"]);
    hides::<auth::WebsocktunnelTokenResponse>(
        full("auth/v1/websocktunnel-token-response.json"),
        &["token"],
    );
    hides::<hooks::TriggerTokenResponse>(full("hooks/v1/trigger-token-response.json"), &["token"]);
    hides::<object::CreateUploadResponse>(
        full("object/v1/create-upload-response.json"),
        &["putUrl"],
    );
    hides::<object::UploadMethodPutUrlResponse>(
        json!({"url": "u", "headers": {"Authorization": "h"}, "expires": EXPIRES}),
        &["url", "headers"],
    );
    for method in ["simple", "getUrl"] {
        let hashes = json!({"sha256": "0"});
        let document = json!({"method": method, "url": "u", "expires": EXPIRES, "hashes": hashes});
        hides::<object::DownloadObjectResponse>(document, &["url"]);
    }
    hides::<queue::ArtifactContentResponse>(json!({"storageType": "s3", "url": "u"}), &["url"]);
    hides::<queue::GetArtifactResponse>(full("queue/v1/get-artifact-response.json"), &["url"]);
    hides::<queue::PostArtifactResponse>(full("queue/v1/post-artifact-response.json"), &["putUrl"]);
    hides::<queue::ClaimWorkResponse>(full("queue/v1/claim-work-response.json"), &login);
    hides::<queue::TaskClaimResponse>(full("queue/v1/task-claim-response.json"), &login);
    hides::<queue::TaskReclaimResponse>(full("queue/v1/task-reclaim-response.json"), &login);
    hides::<secrets::Secret>(full("secrets/v1/secret.json"), &["secret"]);
    hides::<worker_manager::CreateWorkerRequest>(
        full("worker-manager/v1/create-worker-request.json"),
        &["staticSecret"],
    );
    let mut register = full("worker-manager/v1/register-worker-request.json");
    for proof in [
        json!({"token": "t"}),
        json!({"staticSecret": "s"}),
        json!({"document": "d", "signature": "s"}),
        json!({"document": "d"}),
        json!({"newer": "n"}),
    ] {
        register["workerIdentityProof"] = proof;
        hides::<RegisterWorkerRequest>(register.clone(), &["workerIdentityProof"]);
    }
    let login = ["accessToken", "certificate", "secret"];
    hides::<worker_manager::RegisterWorkerResponse>(
        full("worker-manager/v1/register-worker-response.json"),
        &login,
    );
    hides::<worker_manager::ReregisterWorkerRequest>(
        full("worker-manager/v1/reregister-worker-request.json"),
        &["secret"],
    );
    hides::<worker_manager::ReregisterWorkerResponse>(
        full("worker-manager/v1/reregister-worker-response.json"),
        &login,
    );
}

#[test]
fn no_service_of_2017_has_a_secret_that_debug_tells() {
    use taskcluster::legacy::{auth, aws_provisioner, login, pulse, queue};

    hides::<queue::PollTaskUrlsResponse>(
        of_2017("queue/v1/poll-task-urls-response.json"),
        &["signedDeleteUrl", "signedPollUrl"],
    );
    let blob = json!({
        "storageType": "blob", "expires": EXPIRES,
        "requests": [{"url": "u", "method": "PUT", "headers": {"Authorization": "h"}}],
    });
    hides::<queue::PostArtifactResponse>(blob, &["url", "headers"]);
    hides::<auth::AzureBlobResponse>(of_2017("auth/v1/azure-blob-response.json"), &["sas"]);
    hides::<auth::StatsumTokenResponse>(of_2017("auth/v1/statsum-token-response.json"), &["token"]);
    hides::<aws_provisioner::CreateSecretRequest>(
        of_2017("aws-provisioner/v1/create-secret-request.json"),
        &["secrets", "token"],
    );
    hides::<aws_provisioner::GetSecretResponse>(
        of_2017("aws-provisioner/v1/get-secret-response.json"),
        &["data", "accessToken", "certificate"],
    );
    hides::<aws_provisioner::CreateWorkerTypeRequest>(
        of_2017("aws-provisioner/v1/create-worker-type-request.json"),
        &["secrets"],
    );
    hides::<login::OidcCredentialsResponse>(
        of_2017("login/v1/oidc-credentials-response.json"),
        &["accessToken", "certificate"],
    );
    hides::<pulse::NamespaceResponse>(
        of_2017("pulse/v1/namespace-response.json"),
        &["connectionString"],
    );
}

#[test]
fn records_are_compared_and_cloned_field_by_field() {
    let one: ListTaskGroupResponse = typed(full("queue/v1/list-task-group-response.json"));
    let mut other = one.clone();
    assert_eq!(one, other);
    other.tasks[1].status.runs[0].run_id += 1;
    assert_ne!(one, other);
    assert_eq!(one.tasks[0], other.tasks[0]);
    other = one.clone();
    other.tasks.pop();
    assert_ne!(one, other);
    other = one.clone();
    other.tasks[0].task.tags.insert("new".to_owned(), String::new());
    assert_ne!(one, other);
    other = one.clone();
    other.continuation_token = None;
    assert_ne!(one, other);
    other = one.clone();
    other.tasks[0].task.payload = FreeForm::from(json!({}));
    assert_ne!(one, other);

    let s3 = typed::<PostArtifactRequest>(
        json!({"storageType": "s3", "contentType": "x", "expires": EXPIRES}),
    );
    let link = typed::<PostArtifactRequest>(
        json!({"storageType": "link", "contentType": "x", "artifact": "a", "expires": EXPIRES}),
    );
    assert_eq!(link.clone(), link);
    assert_ne!(s3, link);
}

#[tokio::test]
async fn items_are_typed_whatever_the_list_is_called() {
    use taskcluster::{Auth, Secrets, WorkerManager};

    let page = |schema: &str| {
        let mut page = full(schema);
        page.as_object_mut().unwrap().remove("continuationToken");
        json_answer("200 OK", &page.to_string())
    };
    let server = RawServer::start([
        page("queue/v1/list-taskqueues-response.json"),
        page("secrets/v1/secret-list.json"),
        page("auth/v1/get-entity-history-response.json"),
        page("worker-manager/v1/worker-pool-error-list.json"),
        page("queue/v1/list-task-group-response.json"),
    ])
    .await
    .unwrap();
    let client = Client::builder(&server.url).build().unwrap();
    let queue = Queue::new(&client);

    let queues: Vec<taskcluster::queue::TaskQueue> =
        queue.list_task_queues().items().try_collect().await.unwrap();
    assert_eq!(queues.len(), 2);
    let names: Vec<String> = Secrets::new(&client).list().items().try_collect().await.unwrap();
    assert_eq!(names.len(), 2);
    let history: Vec<_> =
        Auth::new(&client).get_entity_history("client", "c").items().try_collect().await.unwrap();
    assert_eq!(history[0].client_id, history[1].client_id);
    let errors: Vec<taskcluster::worker_manager::WorkerPoolError> = WorkerManager::new(&client)
        .list_worker_pool_errors("p/w")
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(errors.len(), 2);
    // What else a page has is reached by the page.
    let pages: Vec<ListTaskGroupResponse> =
        queue.list_task_group("G").pages().try_collect().await.unwrap();
    assert_eq!((pages.len(), pages[0].tasks.len()), (1, 2));
    assert!(!pages[0].scheduler_id.is_empty() && pages[0].sealed.is_some());
}
