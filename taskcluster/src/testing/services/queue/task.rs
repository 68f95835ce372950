//! A task and its runs, and their form in answers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::artifact::Artifact;
use super::definition::Definition;
use crate::testing::http::answer::timestamp;

/// The state of a run, which is also its task's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunState {
    Pending,
    Running,
    Completed,
    Failed,
    Exception,
}

impl RunState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Exception => "exception",
        }
    }

    pub(super) fn is_resolved(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Exception)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Worker {
    pub(super) group: String,
    pub(super) id: String,
}

pub(super) struct Run {
    pub(super) state: RunState,
    pub(super) reason_created: &'static str,
    pub(super) reason_resolved: Option<String>,
    pub(super) worker: Option<Worker>,
    pub(super) taken_until: Option<DateTime<Utc>>,
    /// Whether its worker asked for any task, not for this one.
    pub(super) was_handed_out: bool,
    pub(super) scheduled: DateTime<Utc>,
    pub(super) started: Option<DateTime<Utc>>,
    pub(super) resolved: Option<DateTime<Utc>>,
    /// Its position among all runs, in the order in which they became pending.
    pub(super) place: u64,
    pub(super) artifacts: BTreeMap<String, Artifact>,
}

impl Run {
    pub(super) fn new(reason_created: &'static str, place: u64, now: DateTime<Utc>) -> Self {
        Self {
            state: RunState::Pending,
            reason_created,
            reason_resolved: None,
            worker: None,
            taken_until: None,
            was_handed_out: false,
            scheduled: now,
            started: None,
            resolved: None,
            place,
            artifacts: BTreeMap::new(),
        }
    }

    pub(super) fn resolve(&mut self, state: RunState, reason: &str, now: DateTime<Utc>) {
        self.state = state;
        self.reason_resolved = Some(reason.to_owned());
        self.resolved = Some(now);
    }

    fn to_json(&self, id: usize) -> Value {
        let mut json = json!({
            "runId": id, "state": self.state.name(), "reasonCreated": self.reason_created,
            "scheduled": timestamp(self.scheduled),
        });
        if let Some(reason) = &self.reason_resolved {
            json["reasonResolved"] = json!(reason);
        }
        if let Some(Worker { group, id }) = &self.worker {
            json["workerGroup"] = json!(group);
            json["workerId"] = json!(id);
        }
        let times = [
            ("takenUntil", self.taken_until),
            ("started", self.started),
            ("resolved", self.resolved),
        ];
        for (name, time) in times {
            if let Some(time) = time {
                json[name] = json!(timestamp(time));
            }
        }
        json
    }
}

pub(super) struct Task {
    pub(super) id: String,
    pub(super) definition: Definition,
    pub(super) retries_left: u64,
    pub(super) runs: Vec<Run>,
    /// The dependencies that it still waits for.
    pub(super) unmet: BTreeSet<String>,
}

impl Task {
    pub(super) fn new(id: &str, definition: Definition) -> Self {
        let retries_left = definition.json["retries"].as_u64().unwrap_or_default();
        Self {
            id: id.to_owned(),
            definition,
            retries_left,
            runs: Vec::new(),
            unmet: BTreeSet::new(),
        }
    }

    /// `None` for a task that is not scheduled.
    pub(super) fn state(&self) -> Option<RunState> {
        self.runs.last().map(|run| run.state)
    }

    pub(super) fn is_resolved(&self) -> bool {
        self.state().is_some_and(RunState::is_resolved)
    }

    /// Whether the run after this one is still pending, and was added by the queue.
    pub(super) fn is_retried_after(&self, number: usize) -> bool {
        self.runs.get(number + 1).is_some_and(|next| {
            next.state == RunState::Pending && matches!(next.reason_created, "retry" | "task-retry")
        })
    }

    pub(super) fn is_of_group(&self, group: &str) -> bool {
        self.definition.text("taskGroupId") == group
    }

    pub(super) fn is_of_queue(&self, queue: &str) -> bool {
        self.definition.text("taskQueueId") == queue
    }

    pub(super) fn status(&self) -> Value {
        let mut status = json!({
            "taskId": self.id,
            "retriesLeft": self.retries_left,
            "state": self.state().map_or("unscheduled", RunState::name),
            "runs": self.runs.iter().enumerate().map(|(id, run)| run.to_json(id)).collect::<Value>(),
        });
        let copied = [
            "provisionerId",
            "workerType",
            "taskQueueId",
            "schedulerId",
            "projectId",
            "taskGroupId",
            "priority",
            "deadline",
            "expires",
        ];
        for name in copied {
            status[name] = self.definition.json[name].clone();
        }
        status
    }

    pub(super) fn with_status(&self) -> Value {
        json!({"status": self.status(), "task": self.definition.json})
    }
}
