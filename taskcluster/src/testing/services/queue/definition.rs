//! Turns a request into a task's definition: defaults, checks, dates.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::call::required_scopes::{PRIORITIES, add_defaults_of_tasks};
use crate::testing::http::answer::{Refusal, date, strings, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::services::context::clock::Clock;

/// How far a task's `created` may be from the current time.
const DRIFT: TimeDelta = TimeDelta::minutes(15);

/// How far ahead a deadline may be, in addition to the drift.
const LONGEST: TimeDelta = TimeDelta::days(5);

/// A task's definition with all defaults filled in and all dates normalized, so that two definitions can be compared.
pub(super) struct Definition {
    pub(super) json: Value,
    pub(super) deadline: DateTime<Utc>,
    pub(super) expires: DateTime<Utc>,
}

impl Definition {
    pub(super) fn new(id: &str, request: &Value, clock: &Clock) -> Result<Self, Refusal> {
        let Value::Object(fields) = request else {
            return Err(Refusal::input("a task must be a JSON object"));
        };
        let mut task = fields.clone();
        task.entry("taskGroupId").or_insert_with(|| json!(id));
        add_defaults_of_tasks(&mut task);
        let mut task = Value::Object(task);
        for name in ["payload", "metadata"] {
            if !task[name].is_object() {
                return Err(Refusal::input(format!("the task needs `{name}`, an object")));
            }
        }
        check_priority(&task["priority"])?;
        check_queue(request)?;
        let (created, deadline) = (date(request, "created")?, date(request, "deadline")?);
        check_dates(created, deadline, clock)?;
        let expires = match &task["expires"] {
            Value::Null => deadline + TimeDelta::days(365),
            _ => date(request, "expires")?,
        };
        if expires < deadline {
            return Err(Refusal::input("`expires` is before `deadline`"));
        }
        for (name, date) in [("created", created), ("deadline", deadline), ("expires", expires)] {
            task[name] = json!(timestamp(date));
        }
        if let Some(scope) = strings(&task, "scopes")?.iter().find(|scope| scope.ends_with("**")) {
            return Err(Refusal::input(format!("the scope {scope} ends with `**`")));
        }
        if task.to_string().contains("\\u0000") {
            return Err(Refusal::internal("the database does not store texts with U+0000"));
        }
        Ok(Self { json: task, deadline, expires })
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_default()
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let items = self.json[name].as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Where its priority stands; the most urgent is 0.
    pub(super) fn rank(&self) -> usize {
        let priority = self.text("priority");
        PRIORITIES.iter().position(|known| *known == priority).unwrap_or(PRIORITIES.len())
    }
}

/// Returns the priority in a call's payload.
pub(super) fn new_priority(call: &RecordedCall) -> Result<String, Refusal> {
    let priority = &call.payload()["newPriority"];
    check_priority(priority)?;
    Ok(priority.as_str().unwrap_or_default().to_owned())
}

fn check_priority(priority: &Value) -> Result<(), Refusal> {
    if PRIORITIES.iter().any(|known| priority == known) {
        return Ok(());
    }
    Err(Refusal::input(format!("`priority` is {priority}, not one of {PRIORITIES:?}")))
}

/// Clients make dates by their own clocks, so any time between theirs and the deployment's counts as the present.
fn check_dates(
    created: DateTime<Utc>,
    deadline: DateTime<Utc>,
    clock: &Clock,
) -> Result<(), Refusal> {
    let now = clock.now();
    let wrong = if deadline < created {
        "`deadline` is before `created`"
    } else if created < clock.signing().min(now) - DRIFT {
        "`created` is more than 15 minutes ago"
    } else if created > now + DRIFT {
        "`created` is more than 15 minutes ahead"
    } else if deadline <= now {
        "`deadline` is past"
    } else if deadline > now + LONGEST + DRIFT {
        "`deadline` is more than 5 days ahead"
    } else {
        return Ok(());
    };
    Err(Refusal::input(wrong))
}

/// Checks that a request names the task's queue, and that the two ways of naming it agree.
pub(super) fn check_queue(request: &Value) -> Result<(), Refusal> {
    let text = |name: &str| request[name].as_str().filter(|text| !text.is_empty());
    let wrong = match (text("provisionerId").zip(text("workerType")), text("taskQueueId")) {
        (Some((provisioner, worker_type)), Some(task_queue))
            if task_queue != format!("{provisioner}/{worker_type}") =>
        {
            "`taskQueueId` does not match `provisionerId` and `workerType`"
        }
        (None, None) => {
            "a task needs `taskQueueId` (<provisionerId>/<workerType>), or `provisionerId` and `workerType`"
        }
        _ => return Ok(()),
    };
    Err(Refusal::input(wrong))
}
