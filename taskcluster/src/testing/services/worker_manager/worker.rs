//! A worker, and its form in answers and messages.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::Exchange;
use crate::testing::http::answer::timestamp;
use crate::testing::services::context::message::Message;

/// How long the credentials of a worker are good for unless its pool says otherwise, and at most.
const REREGISTRATION: TimeDelta = TimeDelta::hours(96);
const LONGEST_REREGISTRATION: i64 = 30 * 86_400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Requested,
    Running,
    Stopping,
    Stopped,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

/// What identifies a worker: its pool, group and id.
pub(super) type Name = (String, String, String);

#[derive(Clone)]
pub(super) struct Worker {
    pub(super) name: Name,
    pub(super) provider: String,
    pub(super) capacity: u64,
    pub(super) state: State,
    pub(super) created: DateTime<Utc>,
    pub(super) expires: DateTime<Utc>,
    pub(super) modified: DateTime<Utc>,
    pub(super) checked: DateTime<Utc>,
    pub(super) launch_config: Option<String>,
    /// What it proves its identity with when it registers.
    pub(super) proof: Value,
    /// What it must send to register again; `None` before it has registered.
    pub(super) secret: Option<String>,
    /// Its configuration, and how long its credentials are good for, if that is not up to the pool.
    pub(super) of_cloud: Option<OfCloud>,
    /// Whether it should terminate, and why, if that has been decided.
    pub(super) decision: Option<(bool, String)>,
    /// Its position among all workers, in the order of their creation.
    pub(super) place: u64,
}

/// What a cloud knows of a worker.
#[derive(Clone)]
pub(super) struct OfCloud {
    pub(super) config: Value,
    pub(super) reregistration: TimeDelta,
    /// When it is removed, if it does not register before that.
    pub(super) terminate_after: DateTime<Utc>,
    /// When it is gone, once it is stopping.
    pub(super) gone: Option<DateTime<Utc>>,
}

impl Worker {
    pub(super) fn pool(&self) -> &str {
        &self.name.0
    }

    pub(super) fn to_json(&self) -> Value {
        let (pool, group, id) = &self.name;
        let mut json = json!({
            "workerPoolId": pool, "workerGroup": group, "workerId": id,
            "providerId": self.provider, "capacity": self.capacity, "state": self.state.name(),
            "created": timestamp(self.created), "expires": timestamp(self.expires),
            "lastModified": timestamp(self.modified), "lastChecked": timestamp(self.checked),
        });
        if let Some(launch_config) = &self.launch_config {
            json["launchConfigId"] = json!(launch_config);
        }
        json
    }

    /// A message about it, with a reason if there is one.
    pub(super) fn message(
        &self,
        exchange: &'static Exchange,
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> Message {
        let (pool, group, id) = &self.name;
        let mut payload = json!({
            "workerPoolId": pool, "providerId": self.provider, "workerGroup": group,
            "workerId": id, "capacity": self.capacity, "timestamp": timestamp(now),
        });
        if let Some(launch_config) = &self.launch_config {
            payload["launchConfigId"] = json!(launch_config);
        }
        if let Some(reason) = reason {
            payload["reason"] = json!(reason);
        }
        routed(exchange, payload)
    }
}

/// A message whose routing key has what its payload has.
pub(super) fn routed(exchange: &'static Exchange, payload: Value) -> Message {
    let text = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
    let pool = text("workerPoolId");
    let (provisioner, worker_type) = pool.split_once('/').unwrap_or_default();
    let [provider, group, id, launch_config] =
        ["providerId", "workerGroup", "workerId", "launchConfigId"].map(text);
    let parts = [
        ("providerId", provider.as_str()),
        ("provisionerId", provisioner),
        ("workerType", worker_type),
        ("workerGroup", group.as_str()),
        ("workerId", id.as_str()),
        ("launchConfigId", launch_config.as_str()),
    ];
    Message::new(exchange, &parts, &[], payload)
}

/// How long the credentials of a worker are good for by a configuration.
pub(super) fn reregistration(config: &Value) -> TimeDelta {
    match config["lifecycle"]["reregistrationTimeout"].as_i64() {
        None | Some(0) => REREGISTRATION,
        Some(seconds) => TimeDelta::seconds(seconds.clamp(0, LONGEST_REREGISTRATION)),
    }
}

/// How many of these workers are in each state, and how many tasks they can do at a time.
pub(super) fn counts<'w>(workers: impl Iterator<Item = &'w Worker>) -> Map<String, Value> {
    let states = [State::Requested, State::Running, State::Stopping, State::Stopped];
    let mut sums = [(0_u64, 0_u64); 4];
    for worker in workers {
        for (state, (count, capacity)) in states.iter().zip(&mut sums) {
            if worker.state == *state {
                *count += 1;
                *capacity = capacity.saturating_add(worker.capacity);
            }
        }
    }
    let current = sums[..3].iter().fold(0_u64, |sum, (_, capacity)| sum.saturating_add(*capacity));
    let mut counts = Map::from_iter([("currentCapacity".to_owned(), json!(current))]);
    for (state, (count, capacity)) in states.iter().zip(sums) {
        counts.insert(format!("{}Count", state.name()), json!(count));
        counts.insert(format!("{}Capacity", state.name()), json!(capacity));
    }
    counts
}
