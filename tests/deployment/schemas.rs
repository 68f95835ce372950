//! Payloads and answers are held against their schemas, those of references of one's own too.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use taskcluster::testing::Deployment;
use taskcluster::{Auth, Client, Error, Queue, Reference, StatusCode, legacy, taskcluster_api};

use crate::deployment::{TASK_ID, task_definition};
use crate::support::assert_api_error_saying;

taskcluster_api! {
    struct Builds = "compile/api/builds.json" { new_, list_builds }
}

async fn create(
    client: &Client,
    reference: &'static Reference,
    task: &Value,
) -> Result<Value, Error> {
    let call = client.call(reference, "createTask").unwrap();
    call.param("taskId", TASK_ID).payload(task).send().await
}

#[tokio::test]
async fn all_places_of_a_wrong_payload_are_named() {
    let fake = Deployment::start().await.unwrap();
    let client = fake.connect_as("tester", ["*"]).unwrap();
    let mut wrong = task_definition();
    wrong["deadline"] = json!("tomorrow");
    wrong["dependencies"] = json!([TASK_ID, "x"]);
    wrong["metadata"]["source"] = json!("here");
    wrong["retries"] = json!(50);
    wrong["prioritty"] = json!("low");
    wrong.as_object_mut().unwrap().remove("payload");
    let error = create(&client, &Queue::REFERENCE, &wrong).await.unwrap_err();
    let places = [
        "- at '/deadline': '…' is not valid date-time",
        "- at '/dependencies/1': '…' does not match pattern",
        "- at '/metadata/source': '…' does not match pattern",
        "- at '/retries': must be <=49, but got 50",
        // Its default is no object.
        "- at '/payload': want object, but got array",
        "'prioritty' not allowed",
    ];
    assert_api_error_saying(&error, StatusCode::BAD_REQUEST, "InputValidationError", &places);
    // What is wrong may be a secret.
    assert!(!error.message().contains("tomorrow"), "{error}");
    assert_eq!(fake.calls()[0].status, Some(StatusCode::BAD_REQUEST));
    create(&client, &Queue::REFERENCE, &task_definition()).await.unwrap();
}

#[tokio::test]
async fn each_generation_has_its_own_schemas() {
    let fake = Deployment::start().await.unwrap();
    fake.serve(&legacy::Queue::REFERENCE);
    let client = fake.connect_as("tester", ["*"]).unwrap();
    let error = create(&client, &legacy::Queue::REFERENCE, &task_definition()).await.unwrap_err();
    let places = ["missing properties 'provisionerId', 'workerType'", "'taskQueueId' not allowed"];
    assert_api_error_saying(&error, StatusCode::BAD_REQUEST, "InputValidationError", &places);
}

#[tokio::test]
async fn a_stub_that_makes_a_wrong_answer_is_told_by_the_call() {
    let fake = Deployment::start().await.unwrap();
    let endpoint = Auth::REFERENCE.endpoint("currentScopes");
    fake.on(endpoint).reply_with(|_| json!({"scopes": ["a", 1]}));
    let client = fake.connect_as("tester", ["*"]).unwrap();
    let error = Auth::new(&client).current_scopes().await.unwrap_err();
    let message = "this answer of auth.currentScopes does not fit the schema v1/scopeset.json#:";
    let place = "- at '/scopes/1': want string, but got number";
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    assert_api_error_saying(&error, status, "InternalServerError", &[message, place]);
    assert!(fake.calls()[0].error.as_ref().unwrap().contains(place));
}

#[tokio::test]
async fn an_unchecked_stub_answers_as_it_likes() {
    let fake = Deployment::start().await.unwrap();
    let endpoint = Auth::REFERENCE.endpoint("currentScopes");
    let auth = Auth::new(&fake.connect_as("tester", ["*"]).unwrap());
    fake.on(endpoint).times(1).unchecked().reply(json!({"scopes": 1}));
    assert_eq!(auth.current_scopes().send_as::<Value>().await.unwrap(), json!({"scopes": 1}));
    fake.on(endpoint).unchecked().reply_with(|_| json!({"scopes": 2}));
    assert_eq!(auth.current_scopes().send_as::<Value>().await.unwrap(), json!({"scopes": 2}));
}

#[tokio::test]
async fn errors_and_redirects_of_a_stub_have_no_schema() {
    let fake = Deployment::start().await.unwrap();
    let endpoint = Auth::REFERENCE.endpoint("currentScopes");
    fake.on(endpoint).reply_status(StatusCode::IM_A_TEAPOT, json!("tea"));
    let auth = Auth::new(&fake.connect_as("tester", ["*"]).unwrap());
    let error = auth.current_scopes().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::IM_A_TEAPOT));
}

#[tokio::test]
#[should_panic(expected = "expected value at line 1 column 1")]
async fn an_answer_that_is_no_json_is_told_where_it_is_written() {
    let fake = Deployment::start().await.unwrap();
    let page = taskcluster::testing::Reply::new(StatusCode::OK)
        .body(taskcluster::reqwest::header::HeaderValue::from_static("text/html"), "<html>");
    fake.on(Auth::REFERENCE.endpoint("currentScopes")).reply(page);
}

async fn builds(schemas: Option<&str>) -> (Deployment, Client) {
    let fake = Deployment::start().await.unwrap();
    fake.serve(&Builds::REFERENCE);
    if let Some(folder) = schemas {
        fake.schemas(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    }
    let client = fake.connect_as("tester", ["*"]).unwrap();
    (fake, client)
}

async fn build(client: &Client, payload: Value) -> Result<Value, Error> {
    let call = client.call(&Builds::REFERENCE, "new").unwrap();
    call.params([("self", "me"), ("payload", "it")]).payload(payload).send().await
}

#[tokio::test]
async fn schemas_of_ones_own_are_checked_too() {
    let (fake, client) = builds(Some("compile/api/schemas")).await;
    fake.on(Builds::REFERENCE.endpoint("new")).reply(json!({}));
    build(&client, json!({"revision": "abc"})).await.unwrap();
    let error = build(&client, json!({"revision": 1})).await.unwrap_err();
    let place = "- at '/revision': want string, but got number";
    assert_api_error_saying(&error, StatusCode::BAD_REQUEST, "InputValidationError", &[place]);

    let list = Builds::REFERENCE.endpoint("listBuilds");
    fake.on(list).reply(json!({"builds": [{"revision": "abc"}]}));
    let wrong = AssertUnwindSafe(|| fake.on(list).reply(json!({"builds": [{}]})));
    let panic = catch_unwind(wrong).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("- at '/builds/0': missing properties 'revision'"), "{message}");
}

#[tokio::test]
async fn a_schema_that_is_not_known_is_asked_for() {
    let (_fake, client) = builds(None).await;
    let error = build(&client, json!({"revision": "abc"})).await.unwrap_err();
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let messages = ["v1/build.json#", "`deployment.schemas(folder)`"];
    assert_api_error_saying(&error, status, "InternalServerError", &messages);
}

#[tokio::test]
async fn a_folder_of_schemas_that_cannot_be_read_is_an_error() {
    let (fake, _) = builds(None).await;
    let error = fake.schemas("no/such/folder").unwrap_err();
    assert!(error.message().contains("no/such/folder"), "{error}");
    let error = fake.schemas(format!("{}/compile/api", env!("CARGO_MANIFEST_DIR"))).unwrap_err();
    assert!(error.message().contains("broken.json"), "{error}");
}
