//! Code shared by the examples: deployments, tasks.

#![allow(dead_code, unreachable_pub)]

use chrono::{TimeDelta, Utc};
use taskcluster::queue::{CreateTaskRequest, TaskMetadata};
use taskcluster::testing::Deployment;
use taskcluster::{Client, Result, json};

/// The client id of the examples in the embedded deployment.
pub const CLIENT_ID: &str = "quick/start";
/// Its access token.
pub const ACCESS_TOKEN: &str = "no-secret";
/// Where the examples' tasks wait.
pub const TASK_QUEUE_ID: &str = "quick/start";

/// A client for the deployment in the environment variables, if they name one.
pub fn real_deployment() -> Result<Option<Client>> {
    match std::env::var_os("TASKCLUSTER_ROOT_URL") {
        Some(_) => Client::from_env().map(Some),
        None => Ok(None),
    }
}

/// Starts a deployment in this process, with a client that has all scopes the examples need.
pub fn embedded_deployment() -> Result<(Deployment, Client)> {
    let deployment = Deployment::start_blocking()?;
    deployment.client(CLIENT_ID, ACCESS_TOKEN, ["auth:*", "queue:*"]);
    let client = deployment.connect(CLIENT_ID)?;
    Ok((deployment, client))
}

/// A small task of a group.
pub fn task(group: &str, n: usize) -> CreateTaskRequest {
    let now = Utc::now();
    let metadata = TaskMetadata::new(
        format!("task {n}"),
        "One of the examples' tasks",
        "examples@example.com",
        "https://example.com/examples",
    );
    CreateTaskRequest::new(now, now + TimeDelta::hours(2), json!({}), metadata)
        .task_queue_id(TASK_QUEUE_ID)
        .task_group_id(group)
}
