//! Answers that nobody expects.

use std::time::Duration;

use serde_json::{Value, json};
use taskcluster::reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use taskcluster::testing::Fault;
use taskcluster::{Auth, ErrorKind, Queue, Retry, StatusCode};

use crate::deployment::faults::{current_scopes, once, under_fault};
use crate::deployment::{counts, deployment, scopes, tester};
use crate::support::{assert_api_error, plain};

#[tokio::test]
async fn a_status_can_be_asked_for() {
    let error = under_fault(Fault::Status(StatusCode::SERVICE_UNAVAILABLE)).await;
    assert_api_error(
        &error,
        StatusCode::SERVICE_UNAVAILABLE,
        "InternalServerError",
        "a fault injected by the test",
    );
}

#[tokio::test]
async fn retry_after_can_be_asked_for() {
    let fake = deployment().await;
    let fault = Fault::RetryAfter(StatusCode::TOO_MANY_REQUESTS, Duration::from_millis(1500));
    fake.on(Auth::REFERENCE.endpoint("ping")).times(2).fault(fault);
    let response =
        plain().get(format!("{}/api/auth/v1/ping", fake.root_url())).send().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()[RETRY_AFTER]),
        (StatusCode::TOO_MANY_REQUESTS, &HeaderValue::from(2))
    );
    // The client's longest delay bounds what it is asked for.
    Auth::new(&fake.anonymous().unwrap()).ping().await.unwrap();
    assert_eq!(fake.calls().len(), 3);
}

#[tokio::test]
async fn a_page_of_html_can_be_asked_for() {
    let error = under_fault(Fault::Html(StatusCode::BAD_GATEWAY)).await;
    assert_eq!((error.status(), error.code()), (Some(StatusCode::BAD_GATEWAY), None));
    assert!(error.body().starts_with(b"<!DOCTYPE html>"));
    let error = under_fault(Fault::Html(StatusCode::OK)).await;
    assert_eq!(error.kind(), taskcluster::ErrorKind::Answer);
}

#[tokio::test]
async fn an_empty_answer_can_be_asked_for() {
    let error = under_fault(Fault::Empty).await;
    assert_eq!(
        (error.kind(), error.status()),
        (taskcluster::ErrorKind::Answer, Some(StatusCode::OK))
    );
    assert!(error.body().is_empty());
}

#[tokio::test]
async fn a_broken_answer_is_that_of_the_next_stub() {
    let fake = deployment().await;
    let endpoint = Queue::REFERENCE.endpoint("taskQueueCounts");
    fake.on(endpoint).times(1).fault(Fault::Truncate);
    fake.on(endpoint).times(1).reply(counts("p/w", 1));
    fake.on(endpoint).reply(counts("p/w", 2));
    let answer: Value = Queue::new(&fake.connect("tester").unwrap())
        .task_queue_counts("p/w")
        .send_as()
        .await
        .unwrap();
    assert_eq!(answer["pendingTasks"], 2);
    assert_eq!(fake.calls().len(), 2);

    // One that lasts applies to a lasting answer that was there before.
    fake.on(endpoint).fault(Fault::Truncate);
    let once = fake.builder().unwrap().credentials(tester()).retry(Retry::never()).build().unwrap();
    let error = Queue::new(&once).task_queue_counts("p/w").await.unwrap_err();
    assert!(error.is_transport(), "{error}");
}

#[tokio::test]
async fn a_delayed_answer_is_that_of_the_next_stub() {
    let fake = deployment().await;
    let endpoint = Auth::REFERENCE.endpoint("currentScopes");
    let auth = Auth::new(&fake.connect("tester").unwrap());
    fake.on(endpoint).times(1).fault(Fault::Delay(Duration::from_millis(1)));
    fake.on(endpoint).times(1).reply(scopes("stubbed"));
    let answer: Value = auth.current_scopes().send_as().await.unwrap();
    assert_eq!(answer, scopes("stubbed"));
    fake.on(endpoint).reply(scopes("lasting"));
    fake.on(endpoint).fault(Fault::Delay(Duration::from_millis(1)));
    let answer: Value = auth.current_scopes().send_as().await.unwrap();
    assert_eq!(answer, scopes("lasting"));
}

#[tokio::test]
async fn an_answer_can_be_too_late() {
    let fake = deployment().await;
    fake.on(Auth::REFERENCE.endpoint("currentScopes"))
        .fault(Fault::Delay(Duration::from_secs(86_400)));
    let tc = fake.builder().unwrap().credentials(tester()).retry(Retry::never());
    let tc = tc.timeout(Duration::from_millis(100)).build().unwrap();
    let error = Auth::new(&tc).current_scopes().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

#[tokio::test]
async fn an_answer_can_be_larger_than_anybody_expects() {
    let (fake, client) = once().await;
    fake.on(current_scopes()).fault(Fault::Oversize(3 << 20));
    let response = Auth::new(&client).current_scopes().send_raw().await.unwrap();
    let body = response.bytes().await.unwrap();
    assert_eq!(body.len(), 3 << 20);
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!({"scopes": ["*"]}));
    // One that is large enough already stays as it is.
    fake.clear_stubs();
    fake.on(current_scopes()).fault(Fault::Oversize(1));
    Auth::new(&client).current_scopes().await.unwrap();
}

#[tokio::test]
async fn an_answer_can_be_of_another_content_type() {
    let (fake, client) = once().await;
    let csv = HeaderValue::from_static("text/csv");
    fake.on(current_scopes()).fault(Fault::ContentType(csv.clone()));
    let response = Auth::new(&client).current_scopes().send_raw().await.unwrap();
    assert_eq!((response.status(), &response.headers()[CONTENT_TYPE]), (StatusCode::OK, &csv));
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(body, json!({"scopes": ["*"]}));
}

#[tokio::test]
async fn faults_of_the_answer_add_up() {
    let (fake, client) = once().await;
    let endpoint = current_scopes();
    fake.on(endpoint).times(1).fault(Fault::Oversize(100));
    fake.on(endpoint).times(1).fault(Fault::ContentType(HeaderValue::from_static("text/csv")));
    fake.on(endpoint).times(1).reply(json!({"scopes": []}));
    let response = Auth::new(&client).current_scopes().send_raw().await.unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], "text/csv");
    assert_eq!(response.bytes().await.unwrap().len(), 100);

    fake.on(endpoint).fault(Fault::Truncate);
    let error = Auth::new(&client).current_scopes().await.unwrap_err();
    assert!(error.is_transport(), "{error}");
    fake.on(endpoint).fault(Fault::Html(StatusCode::OK));
    let error = Auth::new(&client).current_scopes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Answer, "a newer stub decides before the older one");
}
