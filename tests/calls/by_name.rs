//! Calls by wire name: what is right goes out as the typed call does, what is wrong never goes out.

use serde_json::json;
use taskcluster::{Client, Credentials, ErrorKind, NamedCall, Queue};
use taskcluster_tests::TASK_ID;

fn client() -> Client {
    Client::builder("https://tc.example.com")
        .credentials(Credentials::new("tester", "x"))
        .build()
        .unwrap()
}

fn call(endpoint: &str) -> NamedCall {
    client().call(&Queue::REFERENCE, endpoint).unwrap()
}

fn problem(call: NamedCall) -> String {
    let error = call.url().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    error.message().to_owned()
}

#[test]
fn a_call_by_name_is_the_typed_call() {
    let named = call("listTaskGroup").query("limit", 5).param("taskGroupId", TASK_ID);
    let typed = Queue::new(&client()).list_task_group(TASK_ID).limit(5);
    assert_eq!(named.url().unwrap(), typed.url().unwrap());
}

#[test]
fn an_endpoint_is_looked_up_once_for_many_calls() {
    let reclaim = client().endpoint(&Queue::REFERENCE, "reclaimTask").unwrap();
    for run in 0..3 {
        let kept = reclaim.clone().call().param("taskId", TASK_ID).param("runId", run);
        let looked_up = call("reclaimTask").args([TASK_ID, &run.to_string()]);
        assert_eq!(kept.url().unwrap(), looked_up.url().unwrap());
    }
    assert_eq!(problem(reclaim.call()), problem(call("reclaimTask")));
    let shown = format!("{reclaim:?}");
    assert!(shown.contains("reclaimTask") && shown.contains("/api/queue/v1"), "{shown}");
    let error = client().endpoint(&Queue::REFERENCE, "reclaimTsk").unwrap_err();
    assert!(error.message().ends_with("did you mean `reclaimTask`?"), "{error}");
}

#[test]
fn mistakes_are_told_with_the_nearest_name() {
    let error = client().call(&Queue::REFERENCE, "create_tsk").unwrap_err();
    assert_eq!(error.to_string(), "queue has no endpoint `create_tsk`; did you mean `createTask`?");
    let error = client().call(&Queue::REFERENCE, "xyz").unwrap_err();
    assert_eq!(error.to_string(), "queue has no endpoint `xyz`");
    assert_eq!(
        problem(call("status").param("taskID", "T")),
        "status has no argument `taskID`; did you mean `taskId`?"
    );
    assert_eq!(
        problem(call("listTaskGroup").param("taskGroupId", TASK_ID).query("limt", 1)),
        "listTaskGroup has no query option `limt`; did you mean `limit`?"
    );
    assert_eq!(
        problem(call("status").param("taskId", TASK_ID).query("limit", 1)),
        "status has no query option `limit`"
    );
}

#[test]
fn missing_and_superfluous_parts_are_told() {
    assert_eq!(
        problem(call("status")),
        "argument `taskId` of status is missing; set it with `param`"
    );
    assert_eq!(
        problem(call("createTask").param("taskId", TASK_ID)),
        "createTask needs a payload; set it with `payload`"
    );
    let surplus = call("status").param("taskId", TASK_ID).payload(json!({}));
    assert_eq!(problem(surplus), "status takes no payload");
    assert_eq!(
        problem(call("status").param("taskId", "..")),
        "argument `taskId` of status is `..`"
    );
    let unwritable = std::collections::HashMap::from([((1, 2), 3)]);
    let told = problem(call("createTask").param("taskId", TASK_ID).payload(&unwritable));
    assert!(told.starts_with("the payload of createTask cannot be serialized to JSON"), "{told}");
}

#[test]
fn an_argument_is_set_once() {
    for call in [
        call("reclaimTask").args([TASK_ID, "0"]).params([("taskId", "U")]),
        call("reclaimTask").params([("taskId", "U")]).args([TASK_ID, "0"]),
        call("reclaimTask").param("taskId", TASK_ID).param("taskId", TASK_ID).param("runId", 0),
    ] {
        assert_eq!(problem(call), "argument `taskId` of reclaimTask is set twice");
    }
}

#[test]
fn arguments_are_texts_or_integers() {
    let url = call("reclaimTask").args([TASK_ID, "0"]).url().unwrap();
    assert_eq!(call("reclaimTask").param("taskId", TASK_ID).param("runId", 0).url().unwrap(), url);
    for call in [
        call("status").param("taskId", 1.5),
        call("status").param("taskId", true),
        call("status").param("taskId", json!([TASK_ID])),
        call("status").param("taskId", None::<&str>),
    ] {
        assert_eq!(problem(call), "argument `taskId` of status is neither a string nor an integer");
    }
}

#[test]
fn only_endpoints_with_pages_have_pages() {
    assert!(call("listTaskGroup").param("taskGroupId", TASK_ID).into_paged().is_ok());
    let error = call("status").param("taskId", TASK_ID).into_paged().unwrap_err();
    assert_eq!(error.message(), "status is not paged; use `send`");
}

#[tokio::test]
async fn nothing_is_sent_with_a_mistake() {
    let deployment = taskcluster::testing::Deployment::start().await.unwrap();
    let client = deployment.anonymous().unwrap();
    let error = client.call(&Queue::REFERENCE, "status").unwrap().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Input, 0));
    assert!(deployment.calls().is_empty());
    let pong = client.call(&Queue::REFERENCE, "ping").unwrap().send().await.unwrap();
    assert_eq!(pong["alive"], true);
}
