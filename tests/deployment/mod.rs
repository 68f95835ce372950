//! The embedded deployment: what it refuses, what it implements, and how a test makes it answer.

mod assertions;
mod broker;
mod faults;
mod life;
mod load;
mod paging;
mod real;
mod record;
mod requests;
mod schemas;
mod scopes;
mod services;
mod signatures;
mod strangers;
mod strictness;
mod stubs;

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::hawk::{Signer, Target};
use taskcluster::reqwest::header::AUTHORIZATION;
use taskcluster::reqwest::{self, Method};
use taskcluster::scopes::union;
use taskcluster::testing::Deployment;
use taskcluster::{Credentials, StatusCode};
use taskcluster_tests::TASK_ID;

use crate::support::plain;

const LIST_CLIENTS: &str = "/api/auth/v1/clients/";
const HOUR: Duration = Duration::from_secs(3600);

/// When the tests began.
static BEGUN: LazyLock<DateTime<Utc>> = LazyLock::new(Utc::now);

/// A deployment with a client that may do anything.
async fn deployment() -> Deployment {
    let fake = Deployment::start().await.unwrap();
    fake.client("tester", "no-secret", ["*"]);
    fake
}

fn tester() -> Credentials {
    Credentials::new("tester", "no-secret")
}

fn target<'a>(fake: &Deployment, method: &'a str, resource: &'a str) -> Target<'a> {
    let port = fake.root_url().rsplit_once(':').unwrap().1.parse().unwrap();
    Target { method, resource, host: "127.0.0.1", port }
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// A header for a request without a body.
fn header(fake: &Deployment, method: &str, resource: &str, time: i64) -> String {
    Signer::new(&tester(), None).unwrap().header(
        &target(fake, method, resource),
        None,
        time,
        "nonce",
    )
}

/// These scopes, and those that everybody has.
pub(crate) fn with_anybodys(scopes: &[&str]) -> Vec<String> {
    union(scopes, &["assume:anonymous", "queue:get-artifact:public/*"])
}

/// Sends a request by hand and returns the answer's status and JSON.
async fn send(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

/// Sends a request with this `Authorization` header.
async fn send_with(
    fake: &Deployment,
    method: Method,
    resource: &str,
    header: &str,
) -> (StatusCode, Value) {
    let url = format!("{}{resource}", fake.root_url());
    send(plain().request(method, url).header(AUTHORIZATION, header)).await
}

#[track_caller]
fn assert_refused(answer: &(StatusCode, Value), status: StatusCode, code: &str, message: &str) {
    assert_eq!((answer.0, answer.1["code"].as_str()), (status, Some(code)), "{}", answer.1);
    assert!(answer.1["message"].as_str().unwrap().contains(message), "{}", answer.1);
}

#[track_caller]
fn assert_unauthenticated(answer: &(StatusCode, Value), message: &str) {
    assert_refused(answer, StatusCode::UNAUTHORIZED, "AuthenticationFailed", message);
}

/// A task for the queue `prov/work`, made at this time and to be done within a day.
pub(crate) fn task_of(time: DateTime<Utc>) -> Value {
    json!({
        "taskQueueId": "prov/work",
        "created": to_json(time),
        "deadline": to_json(time + TimeDelta::days(1)),
        "payload": {"command": ["true"]},
        "metadata": metadata(),
    })
}

/// The same task at each call, of the time at which the tests began: a task must be of now.
fn task_definition() -> Value {
    task_of(*BEGUN)
}

fn metadata() -> Value {
    json!({"name": "n", "description": "d", "owner": "o@example.com", "source": "https://example.com"})
}

/// An object with these fields added or changed.
pub(crate) fn with(mut object: Value, fields: Value) -> Value {
    object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    object
}

fn counts(task_queue_id: &str, pending: u32) -> Value {
    let (provisioner_id, worker_type) = task_queue_id.split_once('/').unwrap();
    json!({
        "taskQueueId": task_queue_id, "provisionerId": provisioner_id, "workerType": worker_type,
        "pendingTasks": pending, "claimedTasks": 0,
    })
}

fn scopes(scope: &str) -> Value {
    json!({"scopes": [scope]})
}

fn secret() -> Value {
    json!({"secret": {"password": "x"}, "expires": "2100-01-01T00:00:00.000Z"})
}
