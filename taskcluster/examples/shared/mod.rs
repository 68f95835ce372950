//! What the examples have in common: where to go, what to log, what to create.

#![allow(dead_code, unreachable_pub)]

use chrono::{TimeDelta, Utc};
use taskcluster::testing::Deployment;
use taskcluster::{Client, Result, Value, dates, json};

/// The examples' client in the embedded deployment.
pub const CLIENT_ID: &str = "quick/start";
/// Its access token.
pub const ACCESS_TOKEN: &str = "no-secret";

/// Shows what the client does, on standard error, if `DEBUG_TASKCLUSTER_CLIENT` is set.
pub fn start_logging() {
    if std::env::var_os("DEBUG_TASKCLUSTER_CLIENT").is_some_and(|value| !value.is_empty()) {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(std::io::stderr)
            .init();
    }
}

/// The deployment of the environment, if there is one.
pub fn real_deployment() -> Result<Option<Client>> {
    match std::env::var_os("TASKCLUSTER_ROOT_URL") {
        Some(_) => Client::from_env().map(Some),
        None => Ok(None),
    }
}

/// A deployment in this process, with a client that may do everything the examples do.
pub fn embedded_deployment() -> Result<(Deployment, Client)> {
    let deployment = Deployment::start_blocking()?;
    deployment.client(CLIENT_ID, ACCESS_TOKEN, ["auth:*", "queue:*"]);
    let client = deployment.connect(CLIENT_ID)?;
    Ok((deployment, client))
}

/// A small task of a group.
pub fn task(group: &str, n: usize) -> Value {
    let now = Utc::now();
    json!({
        "taskQueueId": "quick/start",
        "taskGroupId": group,
        "created": dates::to_json(now),
        "deadline": dates::to_json(now + TimeDelta::hours(2)),
        "metadata": {
            "name": format!("task {n}"),
            "description": "One of the examples' tasks",
            "owner": "examples@example.com",
            "source": "https://example.com/examples",
        },
        "payload": {},
    })
}
