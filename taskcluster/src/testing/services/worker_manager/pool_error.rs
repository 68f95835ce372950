//! An error of a worker pool, and its form in answers.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::testing::http::answer::timestamp;

pub(super) struct PoolError {
    pub(super) id: String,
    pub(super) pool: String,
    pub(super) reported: DateTime<Utc>,
    pub(super) kind: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) extra: Value,
    pub(super) launch_config: Option<String>,
}

impl PoolError {
    pub(super) fn to_json(&self) -> Value {
        let mut json = json!({
            "errorId": self.id, "workerPoolId": self.pool, "reported": timestamp(self.reported),
            "kind": self.kind, "title": self.title, "description": self.description,
            "extra": self.extra,
        });
        if let Some(launch_config) = &self.launch_config {
            json["launchConfigId"] = json!(launch_config);
        }
        json
    }
}
