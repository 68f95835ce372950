//! Profiles of task groups and logs.

use std::time::Duration;

use serde_json::{Value, json};
use taskcluster::testing::Deployment;
use taskcluster::{Client, NamedCall, Queue, StatusCode, WebServer, slugid};

use crate::deployment::services::{call, complete, connected};
use crate::deployment::{HOUR, task_of, with};
use crate::support::{assert_api_error, plain};

fn of_task(tc: &Client, name: &str, id: &str) -> NamedCall {
    call(tc, &Queue::REFERENCE, name).param("taskId", id)
}

fn profile(tc: &Client, name: &str, id: &str) -> NamedCall {
    let argument = if name == "taskProfile" { "taskId" } else { "taskGroupId" };
    call(tc, &WebServer::REFERENCE, name).param(argument, id)
}

/// The names of the markers of a profile, with what they say.
fn markers(profile: &Value) -> Vec<(String, Value)> {
    let thread = &profile["threads"][0];
    let texts = thread["stringArray"].as_array().unwrap();
    let text = |number: &Value| texts[usize::try_from(number.as_u64().unwrap()).unwrap()].clone();
    let markers = &thread["markers"];
    let (names, data) = (markers["name"].as_array().unwrap(), markers["data"].as_array().unwrap());
    assert_eq!(markers["length"], names.len());
    for column in ["startTime", "endTime", "phase", "category", "data"] {
        assert_eq!(markers[column].as_array().unwrap().len(), names.len(), "{column}");
    }
    names
        .iter()
        .zip(data)
        .map(|(name, data)| {
            let message = data.get("message").map_or_else(|| data["name"].clone(), text);
            (text(name).as_str().unwrap().to_owned(), message)
        })
        .collect()
}

#[tokio::test]
async fn a_profile_of_a_group_has_the_runs_of_its_tasks() {
    let (fake, tc) = connected().await;
    // Anybody may ask.
    let anybody = fake.anonymous().unwrap();
    let group = slugid::nice();
    let error = profile(&anybody, "taskGroupProfile", &group).await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", &group);
    let first = complete(&fake, &tc, json!({"taskGroupId": group})).await;
    fake.advance(Duration::from_secs(60));
    let open = slugid::nice();
    let fields = json!({"taskGroupId": group, "taskQueueId": "p/w"});
    of_task(&tc, "createTask", &open).payload(with(task_of(fake.now()), fields)).await.unwrap();
    let worker = json!({"workerGroup": "g", "workerId": "w"});
    of_task(&tc, "claimTask", &open).param("runId", 0).payload(worker).await.unwrap();

    let raw = profile(&anybody, "taskGroupProfile", &group).into_call().send_raw().await.unwrap();
    assert_eq!(raw.headers()["cache-control"], "no-cache");
    let found: Value = serde_json::from_slice(&raw.bytes().await.unwrap()).unwrap();
    let names = markers(&found).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names, ["TaskGroup", "Task", "Task (running)"]);
    let thread = &found["threads"][0]["markers"];
    assert_eq!(thread["data"][1]["taskId"], json!(first));
    let start = thread["startTime"][2].as_i64().unwrap();
    assert!((60_000..3_600_000).contains(&start), "{start}");

    of_task(&tc, "reportFailed", &open).param("runId", 0).await.unwrap();
    let raw = profile(&anybody, "taskGroupProfile", &group).into_call().send_raw().await.unwrap();
    assert_eq!(raw.headers()["cache-control"], "public, max-age=86400");
    let found: Value = serde_json::from_slice(&raw.bytes().await.unwrap()).unwrap();
    assert_eq!(markers(&found)[2].0, "Task (failed)");
}

const LOG: &str = "before the first\n\
    [taskcluster 2026-01-02T03:04:05.000Z] Task ID: x\n\
    \n\
    [vcs:info 2026-01-02T03:04:06.500Z] cloned\n\
    more of it\n";

/// Uploads a log of a running task.
async fn upload(fake: &Deployment, tc: &Client, id: &str) {
    let artifact = json!({
        "storageType": "s3", "contentType": "text/plain",
        "expires": taskcluster::dates::to_json(fake.now() + HOUR),
    });
    let create = of_task(tc, "createArtifact", id).param("runId", 0);
    let created = create.param("name", "public/logs/live_backing.log").payload(artifact);
    let url = created.await.unwrap()["putUrl"].as_str().unwrap().to_owned();
    let put = plain().put(url).header("content-type", "text/plain").body(LOG).send().await.unwrap();
    assert_eq!(put.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_profile_of_a_task_has_the_lines_of_its_log() {
    let (fake, tc) = connected().await;
    let missing = profile(&tc, "taskProfile", &slugid::nice()).await.unwrap_err();
    assert_eq!(missing.status(), Some(StatusCode::NOT_FOUND));
    let id = slugid::nice();
    let task = with(task_of(fake.now()), json!({"taskQueueId": "p/w"}));
    of_task(&tc, "createTask", &id).payload(task).await.unwrap();
    let worker = json!({"workerGroup": "g", "workerId": "w"});
    of_task(&tc, "claimTask", &id).param("runId", 0).payload(worker).await.unwrap();
    upload(&fake, &tc, &id).await;
    let error = profile(&tc, "taskProfile", &id).await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "not resolved");
    of_task(&tc, "reportCompleted", &id).param("runId", 0).await.unwrap();

    let found = profile(&tc, "taskProfile", &id).await.unwrap();
    let expected = [
        ("n", "Task"),
        ("no timestamp", "before the first"),
        ("taskcluster", "Task ID: x"),
        ("vcs", "cloned"),
        ("no timestamp", "more of it"),
    ];
    assert_eq!(markers(&found), expected.map(|(name, text)| (name.to_owned(), json!(text))));
    let starts = &found["threads"][0]["markers"]["startTime"];
    assert_eq!(starts, &json!([0, 0, 0, 1500, 1500]));
    let without = complete(&fake, &tc, json!({})).await;
    let error = profile(&tc, "taskProfile", &without).await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "no log");
}
