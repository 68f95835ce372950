//! The queue: workers, dependencies, deadlines, retries, artifacts.

mod artifacts;
mod groups;
mod messages;
mod resolution;
mod tasks;
mod work;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::testing::{Deployment, Messages};
use taskcluster::{Client, Credentials, NamedCall, Queue, QueueEvents, slugid};

use crate::deployment::{task_of, with};

const MINUTE: Duration = Duration::from_secs(60);

const QUEUE: &str = "prov/work";

/// A task of now, to be done within two hours.
fn task(fake: &Deployment) -> Value {
    let now = fake.now();
    with(task_of(now), json!({"deadline": to_json(now + TimeDelta::hours(2))}))
}

fn call(tc: &Client, name: &str) -> NamedCall {
    tc.call(&Queue::REFERENCE, name).unwrap()
}

async fn create(tc: &Client, task: &Value) -> String {
    let id = slugid::nice();
    call(tc, "createTask").param("taskId", &id).payload(task).await.unwrap();
    id
}

async fn status(tc: &Client, id: &str) -> Value {
    call(tc, "status").param("taskId", id).await.unwrap()["status"].clone()
}

async fn state(tc: &Client, id: &str) -> String {
    status(tc, id).await["state"].as_str().unwrap().to_owned()
}

/// Claims up to so many tasks.
async fn claim(tc: &Client, tasks: u64) -> Vec<Value> {
    let payload = json!({"workerGroup": "g", "workerId": "w", "tasks": tasks});
    let answer = call(tc, "claimWork").param("taskQueueId", QUEUE).payload(payload).await.unwrap();
    answer["tasks"].as_array().unwrap().clone()
}

async fn claim_one(tc: &Client) -> Value {
    let mut claims = claim(tc, 1).await;
    assert_eq!(claims.len(), 1);
    claims.remove(0)
}

async fn claim_work_is_empty(tc: &Client) -> bool {
    claim(tc, 32).await.is_empty()
}

/// A client with the credentials of a claim.
fn worker(fake: &Deployment, claim: &Value) -> Client {
    let credentials = Credentials::from_json(&claim["credentials"].to_string()).unwrap();
    fake.builder().unwrap().credentials(credentials).build().unwrap()
}

fn run<'c>(tc: &Client, name: &str, claim: &'c Value) -> (NamedCall, &'c str) {
    let id = claim["status"]["taskId"].as_str().unwrap();
    (call(tc, name).param("taskId", id).param("runId", claim["runId"].as_u64().unwrap()), id)
}

async fn complete(tc: &Client, claim: &Value) {
    run(tc, "reportCompleted", claim).0.await.unwrap();
}

async fn except(tc: &Client, claim: &Value, reason: &str) -> Value {
    let report = run(tc, "reportException", claim).0.payload(json!({"reason": reason}));
    report.await.unwrap()["status"].clone()
}

/// The exchanges' names, and what else counts, of all messages so far.
fn heard(messages: &mut Messages) -> Vec<(String, Value)> {
    let messages = messages.take().into_iter();
    messages
        .map(|message| {
            let name = message.exchange.rsplit_once('/').unwrap().1.to_owned();
            (name, message.payload)
        })
        .collect()
}

fn names(messages: &mut Messages) -> Vec<String> {
    heard(messages).into_iter().map(|(name, _)| name).collect()
}

fn listen(fake: &Deployment) -> Messages {
    fake.listen(QueueEvents::task_defined())
        .and_then(|all| all.bind(QueueEvents::task_pending()))
        .and_then(|all| all.bind(QueueEvents::task_running()))
        .and_then(|all| all.bind(QueueEvents::task_completed()))
        .and_then(|all| all.bind(QueueEvents::task_failed()))
        .and_then(|all| all.bind(QueueEvents::task_exception()))
        .and_then(|all| all.bind(QueueEvents::task_group_resolved()))
        .and_then(|all| all.bind(QueueEvents::task_group_sealed()))
        .and_then(|all| all.bind(QueueEvents::task_priority_changed()))
        .and_then(|all| all.bind(QueueEvents::task_group_priority_changed()))
        .and_then(|all| all.bind(QueueEvents::artifact_created()))
        .unwrap()
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

fn artifact_of(tc: &Client, name: &str, claim: &Value, artifact: &str) -> NamedCall {
    run(tc, name, claim).0.param("name", artifact)
}

/// A task with artifacts of all kinds, claimed by a worker.
async fn with_artifacts(fake: &Deployment, tc: &Client) -> (Value, Client) {
    let created = create(tc, &with(task(fake), json!({"projectId": "proj"}))).await;
    let claim = claim_one(tc).await;
    assert_eq!(claim["status"]["taskId"], created);
    let its = worker(fake, &claim);
    let expires = to_json(fake.now() + TimeDelta::days(1));
    for (name, artifact) in [
        (
            "public/url",
            json!({"storageType": "reference", "contentType": "text/plain", "url": "https://example.com/x"}),
        ),
        (
            "private/url",
            json!({"storageType": "reference", "contentType": "text/plain", "url": "https://example.com/y"}),
        ),
        (
            "public/link",
            json!({"storageType": "link", "contentType": "text/plain", "artifact": "private/url"}),
        ),
        (
            "public/error",
            json!({"storageType": "error", "reason": "file-missing-on-worker", "message": "gone"}),
        ),
    ] {
        let artifact = with(artifact, json!({"expires": expires}));
        let answer =
            artifact_of(&its, "createArtifact", &claim, name).payload(&artifact).await.unwrap();
        assert_eq!(answer, json!({"storageType": artifact["storageType"]}));
        // Harmless when repeated.
        artifact_of(&its, "createArtifact", &claim, name).payload(&artifact).await.unwrap();
    }
    (claim, its)
}
