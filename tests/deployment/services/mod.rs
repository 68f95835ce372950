//! What the embedded deployment's services do, each in whole stories.

mod auth;
mod every_service;
mod github;
mod hooks;
mod index;
mod not_stubbed;
mod notify;
mod object;
mod of_2017;
mod purge_cache;
mod queue;
mod secrets;
mod storage;
mod taskcluster_yml;
mod web_server;
mod worker_manager;

use std::time::Duration;

use chrono::TimeDelta;
use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::testing::Deployment;
use taskcluster::{Client, NamedCall, Queue, Reference, slugid};

use crate::deployment::{task_of, with};

/// A deployment, and a client that may do anything.
pub(crate) async fn connected() -> (Deployment, Client) {
    let fake = Deployment::start().await.unwrap();
    fake.client("tester", "no-secret", ["*"]);
    fake.set_claim_wait(Duration::ZERO);
    let tc = fake.connect("tester").unwrap();
    (fake, tc)
}

fn call(tc: &Client, reference: &'static Reference, name: &str) -> NamedCall {
    tc.call(reference, name).unwrap()
}

async fn all(call: NamedCall) -> Vec<Value> {
    call.query("limit", 1).into_paged().unwrap().items().try_collect().await.unwrap()
}

/// Creates a task with these fields, and completes it.
pub(crate) async fn complete(fake: &Deployment, tc: &Client, fields: Value) -> String {
    let (id, now) = (slugid::nice(), fake.now());
    let hour = to_json(now + TimeDelta::hours(1));
    let task = with(task_of(now), json!({"taskQueueId": "p/w", "deadline": hour}));
    let task = with(task, fields);
    let queue = |name| call(tc, &Queue::REFERENCE, name);
    queue("createTask").param("taskId", &id).payload(task).await.unwrap();
    let worker = json!({"workerGroup": "g", "workerId": "w"});
    queue("claimTask").param("taskId", &id).param("runId", 0).payload(worker).await.unwrap();
    let artifact = json!({
        "storageType": "reference", "contentType": "a/b", "url": "https://example.com/log",
        "expires": hour,
    });
    for name in ["public/log", "private/log"] {
        let create = queue("createArtifact").param("taskId", &id).param("runId", 0);
        create.param("name", name).payload(&artifact).await.unwrap();
    }
    queue("reportCompleted").param("taskId", &id).param("runId", 0).await.unwrap();
    id
}
