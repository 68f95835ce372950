//! JSON that no schema describes is kept as it is.

use std::fmt::Debug;

use serde::Deserialize;
use serde_json::json;
use taskcluster::queue::CreateTaskRequest;
use taskcluster::{ErrorKind, FreeForm};

use crate::payloads::{full, read};

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
