//! The endpoints that every service has, to ask whether it is up and what it is.

use serde_json::{Value, json};

use crate::{Endpoint, Queue};

/// Answers an endpoint of this kind. Returns `None` for any other.
pub(crate) fn answer(endpoint: &Endpoint) -> Option<Value> {
    Some(match (endpoint.name, endpoint.route) {
        ("ping", "/ping") => json!({"alive": true, "uptime": 1}),
        ("heartbeat", "/__heartbeat__") | ("lbheartbeat", "/__lbheartbeat__") => json!({}),
        // In the form of Mozilla's Dockerflow.
        ("version", "/__version__") => json!({
            "version": Queue::REFERENCE.version_of_taskcluster().map(|version| format!("v{version}")),
            "commit": "0000000000000000000000000000000000000000",
            "source": "https://github.com/taskcluster/taskcluster",
            "build": "embedded",
        }),
        _ => return None,
    })
}
