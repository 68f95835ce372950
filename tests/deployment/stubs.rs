//! Answers that a test writes itself.

use serde_json::{Value, json};
use taskcluster::reqwest::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use taskcluster::testing::Reply;
use taskcluster::{Auth, Queue, StatusCode, taskcluster_api};

use crate::deployment::{TASK_ID, counts, deployment, scopes, task_definition};
use crate::support::{assert_api_error, typed};

taskcluster_api! {
    /// A service described by a reference of its own, which shares an endpoint with [`Queue`].
    struct TaskReader = "../references/current/queue/v1/api.json" { status }
}

#[tokio::test]
async fn an_endpoint_without_stub_says_so() {
    let fake = deployment().await;
    let error = Auth::new(&fake.connect("tester").unwrap()).list_github_apps().await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::BAD_REQUEST,
        "NotStubbed",
        "on(reference.endpoint(\"listGithubApps\"))",
    );
}

#[tokio::test]
async fn stubs_are_used_up_in_order_and_then_the_lasting_one() {
    let fake = deployment().await;
    let auth = Auth::new(&fake.connect("tester").unwrap());
    let endpoint = Auth::REFERENCE.endpoint("currentScopes");
    fake.on(endpoint).reply(scopes("replaced"));
    fake.on(endpoint).times(2).reply(scopes("first"));
    fake.on(endpoint).times(0).reply(scopes("never"));
    fake.on(endpoint).reply(scopes("lasting"));
    fake.on(endpoint).times(1).reply(scopes("second"));
    for expected in ["first", "first", "second", "lasting", "lasting"] {
        let answer: Value = auth.current_scopes().send_as().await.unwrap();
        assert_eq!(answer, scopes(expected));
    }
    fake.clear_stubs();
    let answer: Value = auth.current_scopes().send_as().await.unwrap();
    assert_eq!(answer, json!({"scopes": ["*"]}));
}

#[tokio::test]
async fn used_up_stubs_leave_the_built_in_answer() {
    let fake = deployment().await;
    let auth = Auth::new(&fake.connect("tester").unwrap());
    fake.on(Auth::REFERENCE.endpoint("currentScopes")).times(1).reply(json!({"scopes": []}));
    for expected in [json!([]), json!(["*"])] {
        let answer: Value = auth.current_scopes().send_as().await.unwrap();
        assert_eq!(answer["scopes"], expected);
    }
}

#[tokio::test]
async fn a_stub_is_for_one_endpoint_of_one_service() {
    let fake = deployment().await;
    fake.on(Queue::REFERENCE.endpoint("ping")).reply(json!("stubbed"));
    let tc = fake.anonymous().unwrap();
    let (queue, auth): (Value, Value) =
        (Queue::new(&tc).ping().await.unwrap(), Auth::new(&tc).ping().await.unwrap());
    assert_eq!(queue, "stubbed");
    assert_eq!(auth["alive"], true);
}

#[tokio::test]
async fn only_a_call_that_passes_all_checks_uses_a_stub_up() {
    let fake = deployment().await;
    fake.on(Auth::REFERENCE.endpoint("currentScopes")).times(1).reply(scopes("stubbed"));
    let error = Auth::new(&fake.anonymous().unwrap()).current_scopes().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    let answer: Value =
        Auth::new(&fake.connect("tester").unwrap()).current_scopes().send_as().await.unwrap();
    assert_eq!(answer, scopes("stubbed"));
}

#[tokio::test]
async fn a_stub_may_answer_by_the_call() {
    let fake = deployment().await;
    fake.on(Queue::REFERENCE.endpoint("taskQueueCounts")).reply_with(|call| {
        assert_eq!(call.client_id.as_deref(), Some("tester"));
        counts(&call.args["taskQueueId"], 4)
    });
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let answer: Value = queue.task_queue_counts("a/b").send_as().await.unwrap();
    assert_eq!(answer, counts("a/b", 4));
}

#[tokio::test]
async fn a_stub_may_answer_with_any_status_header_and_body() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let endpoint = Queue::REFERENCE.endpoint("getLatestArtifact");

    fake.on(endpoint)
        .times(1)
        .reply_status(StatusCode::NOT_FOUND, json!({"code": "X", "message": "y"}));
    let error = queue.get_latest_artifact(TASK_ID, "a").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "X", "y");

    fake.on(endpoint).times(1).reply(Reply::error(
        StatusCode::GONE,
        "ResourceExpired",
        "The artifact is over",
    ));
    let error = queue.get_latest_artifact(TASK_ID, "a").await.unwrap_err();
    assert_api_error(&error, StatusCode::GONE, "ResourceExpired", "The artifact is over");
    assert_eq!(error.request_info().unwrap()["params"]["name"], "a");

    let location = HeaderValue::from_static("https://example.com/a");
    fake.on(endpoint)
        .times(1)
        .reply(Reply::new(StatusCode::SEE_OTHER).header(LOCATION, location.clone()));
    let response = queue.get_latest_artifact(TASK_ID, "a").send_raw().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()[LOCATION]),
        (StatusCode::SEE_OTHER, &location)
    );

    let svg = HeaderValue::from_static("image/svg+xml");
    let badge = Reply::new(StatusCode::OK).body(svg.clone(), "<svg/>");
    fake.on(endpoint).times(1).unchecked().reply(badge);
    let response = queue.get_latest_artifact(TASK_ID, "a").send_raw().await.unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], svg);
    assert_eq!(response.text().await.unwrap(), "<svg/>");
}

#[tokio::test]
#[should_panic(expected = "call `serve` first")]
async fn a_stub_for_a_reference_that_is_not_served_is_a_mistake() {
    let fake = deployment().await;
    fake.on(TaskReader::REFERENCE.endpoint("status")).reply(json!({}));
}

#[tokio::test]
async fn references_may_be_added_and_share_endpoints() {
    let fake = deployment().await;
    fake.serve(&TaskReader::REFERENCE);
    let tc = fake.connect("tester").unwrap();
    // Endpoints that the added one lacks are still there.
    Queue::new(&tc).create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    let answer: Value = TaskReader::new(&tc).status(TASK_ID).send_as().await.unwrap();
    assert_eq!(answer["status"]["state"], "pending");
    assert!(std::ptr::eq(fake.calls()[1].endpoint, TaskReader::REFERENCE.endpoint("status")));

    // A stub is good for the endpoint, whichever reference it was taken from.
    let status = |answer: &str| Reply::error(StatusCode::GONE, "Stub", answer);
    fake.on(TaskReader::REFERENCE.endpoint("status")).times(1).reply(status("a"));
    fake.on(Queue::REFERENCE.endpoint("status")).times(1).reply(status("b"));
    let a = Queue::new(&tc).status(TASK_ID).await.unwrap_err();
    assert_api_error(&a, StatusCode::GONE, "Stub", "a");
    let b = TaskReader::new(&tc).status(TASK_ID).await.unwrap_err();
    assert_api_error(&b, StatusCode::GONE, "Stub", "b");
}
