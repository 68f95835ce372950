//! The types in a program: printed, compared, cloned, and part of types of its own.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};
use serde_json::json;
use taskcluster::FreeForm;
use taskcluster::hooks::{HookLastFire, HookStatus};
use taskcluster::queue::{
    CreateTaskRequest, ListTaskGroupResponse, PostArtifactRequest, TaskCredentials, TaskPriority,
    TaskState,
};

use crate::payloads::{EXPIRES, full, read, refused};
use crate::support::typed;

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

/// Files are named `list-taskqueues-response.json`, `download-method-geturl.json`.
#[test]
fn words_that_files_write_as_one_are_two() {
    use taskcluster::object::DownloadMethodGetUrlResponse;
    use taskcluster::queue::{
        ListTaskQueuesResponse, ListWorkerTypesResponse, TaskQueueResponse, WorkerTypeResponse,
    };

    let names = [
        std::any::type_name::<DownloadMethodGetUrlResponse>(),
        std::any::type_name::<ListTaskQueuesResponse>(),
        std::any::type_name::<ListWorkerTypesResponse>(),
        std::any::type_name::<TaskQueueResponse>(),
        std::any::type_name::<WorkerTypeResponse>(),
    ];
    assert!(names.iter().all(|name| name.starts_with("taskcluster::")), "{names:?}");
}
