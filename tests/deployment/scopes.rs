//! The scopes that a call needs, and which of them are missing.

use serde_json::{Value, json};
use taskcluster::testing::Deployment;
use taskcluster::{Queue, StatusCode};

use crate::deployment::{TASK_ID, deployment, task_definition};
use crate::support::{assert_api_error, typed};

#[tokio::test]
async fn missing_scopes_are_listed() {
    let fake = Deployment::start().await.unwrap();
    fake.client(
        "tester",
        "no-secret",
        ["queue:create-task:project:none", "queue:route:a.b", "queue:route:c"],
    );
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let mut task = task_definition();
    task["priority"] = json!("very-high");
    task["routes"] = json!(["a.b", "c.d"]);
    let error = queue.create_task(TASK_ID, &typed(&task)).await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::FORBIDDEN,
        "InsufficientScopes",
        "Client ID tester does not have",
    );
    let missing = error.message().split("```").nth(1).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(missing).unwrap(),
        json!({"AllOf": [
            "queue:route:c.d", "queue:scheduler-id:-",
            {"AnyOf": ["queue:create-task:highest:prov/work", "queue:create-task:very-high:prov/work"]},
        ]})
    );
    let needed = error.message().split("```").nth(3).unwrap();
    for scope in ["queue:route:a.b", "queue:route:c.d", "queue:create-task:project:none"] {
        assert!(needed.contains(scope), "{needed}");
    }
}

#[tokio::test]
async fn a_higher_priority_covers_a_lower_one_and_not_the_other_way() {
    let fake = Deployment::start().await.unwrap();
    let common = [
        "queue:create-task:project:none",
        "queue:scheduler-id:-",
        "queue:create-task:medium:prov/work",
    ];
    fake.client("tester", "no-secret", common);
    let queue = Queue::new(&fake.connect("tester").unwrap());
    for (priority, status) in
        [("low", None), ("medium", None), ("high", Some(StatusCode::FORBIDDEN))]
    {
        let mut task = task_definition();
        task["priority"] = json!(priority);
        let outcome = queue.create_task(taskcluster::slugid::nice(), &typed(&task)).await;
        assert_eq!(outcome.err().and_then(|error| error.status()), status, "{priority}");
    }
}

#[tokio::test]
async fn anonymous_callers_have_no_scopes() {
    let fake = deployment().await;
    let tc = fake.anonymous().unwrap();
    Queue::new(&tc).ping().await.unwrap();
    let error = Queue::new(&tc).status(TASK_ID).await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::FORBIDDEN,
        "InsufficientScopes",
        "Client ID static/anonymous",
    );
    assert!(error.message().contains(&format!("queue:status:{TASK_ID}")));
}

#[tokio::test]
async fn what_is_unknown_is_not_found_before_scopes_are_checked_if_they_depend_on_it() {
    let fake = deployment().await;
    let nobody = Queue::new(&fake.connect_as("nobody", ["x"]).unwrap());
    let error = nobody.cancel_task(TASK_ID).await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", TASK_ID);
    // The path says which scope this needs.
    let error = nobody.status(TASK_ID).await.unwrap_err();
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", "queue:status:");

    let queue = Queue::new(&fake.connect("tester").unwrap());
    queue.create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    let error = nobody.cancel_task(TASK_ID).await.unwrap_err();
    let message = format!("queue:cancel-task:-/{TASK_ID}/{TASK_ID}");
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", &message);
    let error = nobody.seal_task_group(TASK_ID).await.unwrap_err();
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", "seal-task-group");
    // Whether the group is sealed matters even more.
    let error = nobody.cancel_task_group(TASK_ID).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "not sealed");
}

#[tokio::test]
async fn private_artifacts_need_a_scope_and_public_ones_do_not() {
    let fake = deployment().await;
    let endpoint = Queue::REFERENCE.endpoint("getLatestArtifact");
    fake.on(endpoint).reply(json!({"storageType": "s3", "url": "https://example.com/log"}));
    let (anonymous, tester) = (fake.anonymous().unwrap(), fake.connect("tester").unwrap());
    Queue::new(&anonymous).get_latest_artifact(TASK_ID, "public/log").await.unwrap();
    Queue::new(&tester).get_latest_artifact(TASK_ID, "private/log").await.unwrap();
    let error =
        Queue::new(&anonymous).get_latest_artifact(TASK_ID, "private/log").await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::FORBIDDEN,
        "InsufficientScopes",
        "queue:get-artifact:private/log",
    );
}
