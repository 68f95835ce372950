//! The launch configurations of worker pools, which have ids and a life of their own.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::testing::http::answer::{Refusal, timestamp};

/// How long one is kept that is archived and has no workers.
const ARCHIVED: TimeDelta = TimeDelta::days(1);

#[derive(Clone)]
pub(super) struct LaunchConfig {
    pub(super) id: String,
    config: Value,
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
    /// When it was archived; `None` while workers are started by it.
    archived: Option<DateTime<Utc>>,
}

/// All launch configurations of a pool, in the order of their creation.
#[derive(Clone, Default)]
pub(super) struct LaunchConfigs(Vec<LaunchConfig>);

/// The ids of the launch configurations that a change of a pool updates, creates and archives.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) updated: Vec<String>,
    pub(super) created: Vec<String>,
    pub(super) archived: Vec<String>,
}

impl LaunchConfig {
    pub(super) fn is_archived(&self) -> bool {
        self.archived.is_some()
    }

    /// The configuration, with the id.
    pub(super) fn to_config(&self) -> Value {
        let mut config = self.config.clone();
        config["workerManager"]["launchConfigId"] = json!(self.id);
        config
    }

    pub(super) fn to_json(&self, pool: &str) -> Value {
        json!({
            "launchConfigId": self.id, "workerPoolId": pool, "isArchived": self.is_archived(),
            "configuration": self.config, "created": timestamp(self.created),
            "lastModified": timestamp(self.modified),
        })
    }
}

impl LaunchConfigs {
    pub(super) fn all(&self) -> impl Iterator<Item = &LaunchConfig> {
        self.0.iter()
    }

    /// Those by which workers are started.
    pub(super) fn active(&self) -> impl Iterator<Item = &LaunchConfig> {
        self.0.iter().filter(|config| !config.is_archived())
    }

    /// Forgets those that nobody needs any more.
    pub(super) fn forget(&mut self, now: DateTime<Utc>, is_used: impl Fn(&str) -> bool) {
        self.0.retain(|config| {
            config.archived.is_none_or(|archived| archived + ARCHIVED > now) || is_used(&config.id)
        });
    }

    /// Makes these the launch configurations of a pool, and archives the others. One with the id of a present one must be the
    /// same, except for what is addressed to the worker manager.
    pub(super) fn set(
        &mut self,
        pool: &str,
        configs: &[Value],
        now: DateTime<Utc>,
    ) -> Result<Changes, Refusal> {
        let mut all = self.0.clone();
        let mut changes = Changes::default();
        for config in configs {
            let id = id(pool, config);
            match all.iter_mut().find(|known| known.id == id) {
                Some(known) => {
                    if without_worker_manager(&known.config) != without_worker_manager(config) {
                        return Err(Refusal::conflict(format!(
                            "a different launch config with the id {id} already exists"
                        )));
                    }
                    known.config.clone_from(config);
                    known.modified = now;
                    known.archived = None;
                    changes.updated.push(id);
                }
                None => {
                    changes.created.push(id.clone());
                    let config = config.clone();
                    all.push(LaunchConfig {
                        id,
                        config,
                        created: now,
                        modified: now,
                        archived: None,
                    });
                }
            }
        }
        for known in &mut all {
            let is_given =
                changes.updated.contains(&known.id) || changes.created.contains(&known.id);
            if !is_given && known.archived.is_none() {
                known.archived = Some(now);
                changes.archived.push(known.id.clone());
            }
        }
        self.0 = all;
        Ok(changes)
    }
}

/// The id that a configuration names, or else one that is made of its content.
fn id(pool: &str, config: &Value) -> String {
    if let Some(id) = config["workerManager"]["launchConfigId"].as_str() {
        return id.to_owned();
    }
    let text = format!("{pool}{}", without_worker_manager(config));
    let hash = Sha256::digest(text.as_bytes());
    let hash: String = hash[..10].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("lc-{hash}")
}

fn without_worker_manager(config: &Value) -> Value {
    let mut config = config.clone();
    if let Some(properties) = config.as_object_mut() {
        properties.remove("workerManager");
    }
    config
}
