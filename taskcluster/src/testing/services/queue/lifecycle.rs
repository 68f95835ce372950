//! The life of tasks, from definition to resolution, with the messages about it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::definition::Definition;
use super::task::{Run, RunState, Task, Worker};
use super::workers::Workers;
use crate::Exchange;
use crate::QueueEvents;
use crate::testing::http::answer::{Refusal, timestamp};
use crate::testing::services::context::message::Message;

/// The lifetime of a claim, unless a test sets another one.
const CLAIM: TimeDelta = TimeDelta::minutes(20);

/// What a message about the end of a run has beside the status.
const ENDED: &[&str] = &["runId", "workerGroup", "workerId", "task"];

/// How many runs a task can have.
const MOST_RUNS: u64 = 50;

/// All tasks.
pub(super) struct Tasks {
    pub(super) all: BTreeMap<String, Task>,
    /// The lifetime of new claims.
    pub(super) claim_length: TimeDelta,
    /// The times at which task groups were sealed.
    pub(super) sealed: BTreeMap<String, DateTime<Utc>>,
    /// How many runs became pending so far.
    places: u64,
    /// The messages to publish.
    messages: Vec<Message>,
    pub(super) workers: Workers,
    /// The time before which nothing is due, if known.
    quiet_until: Option<DateTime<Utc>>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self {
            all: BTreeMap::new(),
            claim_length: CLAIM,
            sealed: BTreeMap::new(),
            places: 0,
            messages: Vec::new(),
            workers: Workers::default(),
            quiet_until: None,
        }
    }
}

/// What expires, in the order of handling what expires at the same time.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Deadline,
    Claim,
    Task,
}

impl Tasks {
    pub(super) fn task(&self, id: &str) -> Result<&Task, Refusal> {
        self.all.get(id).ok_or_else(|| Refusal::not_found(format!("task {id} does not exist")))
    }

    pub(super) fn task_mut(&mut self, id: &str) -> Result<&mut Task, Refusal> {
        self.all.get_mut(id).ok_or_else(|| Refusal::not_found(format!("task {id} does not exist")))
    }

    pub(super) fn status(&self, id: &str) -> Result<Value, Refusal> {
        Ok(json!({"status": self.task(id)?.status()}))
    }

    pub(super) fn members<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Task> {
        self.all.values().filter(move |task| task.is_of_group(group))
    }

    /// Does everything that is due, each thing as of its own time.
    pub(super) fn settle(&mut self, now: DateTime<Utc>) {
        if self.quiet_until.is_some_and(|until| now < until) {
            return;
        }
        while let Some((time, due, id)) = self.next_due() {
            if now < time {
                self.quiet_until = Some(time);
                return;
            }
            match due {
                Due::Deadline => self.resolve(&id, RunState::Exception, "deadline-exceeded", time),
                Due::Claim => self.resolve_or_retry(&id, "claim-expired", Some("retry"), time),
                Due::Task => {
                    self.all.remove(&id);
                }
            }
        }
    }

    /// Takes the messages about all changes since the last call. Changes may make something due sooner.
    pub(super) fn take_messages(&mut self) -> Vec<Message> {
        let messages = std::mem::take(&mut self.messages);
        if !messages.is_empty() {
            self.quiet_until = None;
        }
        messages
    }

    fn next_due(&self) -> Option<(DateTime<Utc>, Due, String)> {
        let of_task = |task: &Task| {
            let claim = task.runs.last().filter(|run| run.state == RunState::Running);
            let due = [
                (!task.is_resolved()).then_some((task.definition.deadline, Due::Deadline)),
                claim.and_then(|run| run.taken_until).map(|time| (time, Due::Claim)),
                Some((task.definition.expires, Due::Task)),
            ];
            due.into_iter().flatten().min()
        };
        let all = self.all.values().filter_map(|task| of_task(task).map(|due| (due, &task.id)));
        all.min().map(|((time, due), id)| (time, due, id.clone()))
    }

    /// Adds a task and schedules it, unless it must wait for others or for a call to schedule it.
    pub(super) fn create(
        &mut self,
        id: &str,
        definition: Definition,
        on_demand: bool,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        self.check_group(&definition)?;
        if let Some(task) = self.all.get(id) {
            if task.definition.json != definition.json {
                return Err(Refusal::conflict(format!("a different task {id} already exists")));
            }
            // The service announces it as if it were new.
            let state = task.runs.first().map(|run| run.state);
            let new = Task::new(id, definition);
            let exchange = QueueEvents::task_defined().exchange();
            self.messages.push(about(&new, exchange, None, &["task"], json!({})));
            if state == Some(RunState::Pending) {
                self.announce_pending(id, Some(0));
            }
            return Ok(());
        }
        let unmet = self.unmet(id, &definition)?;
        let mut task = Task::new(id, definition);
        task.unmet = unmet.into_iter().collect();
        if on_demand {
            task.unmet.insert(id.to_owned());
        }
        let ready = task.unmet.is_empty();
        self.all.insert(id.to_owned(), task);
        self.announce(QueueEvents::task_defined().exchange(), id, None, &["task"]);
        if ready {
            self.add_run(id, "scheduled", now);
        }
        Ok(())
    }

    fn check_group(&self, definition: &Definition) -> Result<(), Refusal> {
        let group = definition.text("taskGroupId");
        let scheduler = definition.text("schedulerId");
        if let Some(other) = self.members(group).next()
            && other.definition.text("schedulerId") != scheduler
        {
            return Err(Refusal::conflict(format!(
                "task group {group} belongs to scheduler {}, not {scheduler}",
                other.definition.text("schedulerId")
            )));
        }
        if self.sealed.contains_key(group) {
            return Err(Refusal::conflict(format!(
                "task group {group} is sealed and takes no more tasks"
            )));
        }
        Ok(())
    }

    /// Returns the dependencies that a new task must wait for. A task that depends on itself waits until a call schedules it.
    fn unmet(&self, id: &str, definition: &Definition) -> Result<Vec<String>, Refusal> {
        let mut unmet = definition.texts("dependencies");
        let missing: Vec<_> = unmet
            .iter()
            .filter(|other| *other != id && !self.all.contains_key(*other))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            return Err(Refusal::input(format!(
                "`dependencies` names tasks that do not exist: {}",
                missing.join(", ")
            )));
        }
        let ends = |other: &&String| {
            self.all.get(*other).is_some_and(|task| task.definition.expires < definition.deadline)
        };
        if let Some(other) = unmet.iter().find(ends) {
            return Err(Refusal::input(format!(
                "`dependencies` names a task that expires before the deadline: {other}"
            )));
        }
        let requires = definition.text("requires");
        unmet.retain(|other| {
            !self
                .all
                .get(other)
                .is_some_and(|task| task.state().is_some_and(|state| is_met_by(requires, state)))
        });
        Ok(unmet)
    }

    /// Adds a pending run.
    pub(super) fn add_run(&mut self, id: &str, reason: &'static str, now: DateTime<Utc>) {
        let run = self.push_run(id, reason, now);
        self.announce_pending(id, run);
    }

    /// Adds a pending run that nobody hears of yet; returns its number.
    fn push_run(&mut self, id: &str, reason: &'static str, now: DateTime<Utc>) -> Option<usize> {
        self.places += 1;
        let task = self.all.get_mut(id)?;
        task.runs.push(Run::new(reason, self.places, now));
        Some(task.runs.len() - 1)
    }

    pub(super) fn announce_pending(&mut self, id: &str, run: Option<usize>) {
        self.announce(QueueEvents::task_pending().exchange(), id, run, &["runId", "task"]);
    }

    /// Gives a pending run to a worker.
    pub(super) fn take(&mut self, id: &str, worker: &Worker, now: DateTime<Utc>) {
        let Some(task) = self.all.get_mut(id) else { return };
        let number = task.runs.len().saturating_sub(1);
        let Some(run) = task.runs.last_mut() else { return };
        run.state = RunState::Running;
        run.worker = Some(worker.clone());
        run.started = Some(now);
        run.taken_until = Some(now + self.claim_length);
        let task_queue = task.definition.text("taskQueueId");
        self.workers.took(task_queue, worker, json!({"taskId": id, "runId": number}), now);
        self.announce(
            QueueEvents::task_running().exchange(),
            id,
            Some(number),
            &["runId", "workerGroup", "workerId", "takenUntil", "task"],
        );
    }

    /// Resolves a run as an exception, and adds another run if the reason allows it and there are retries left.
    pub(super) fn resolve_or_retry(
        &mut self,
        id: &str,
        reason: &str,
        retry: Option<&'static str>,
        now: DateTime<Utc>,
    ) {
        let Some(task) = self.all.get_mut(id) else { return };
        match retry {
            Some(retry) if task.retries_left > 0 => {
                task.retries_left -= 1;
                let Some(ended) = task.runs.len().checked_sub(1) else { return };
                task.runs[ended].resolve(RunState::Exception, reason, now);
                let next = self.push_run(id, retry, now);
                // Announced with the next run in the status: the task is pending, not resolved.
                self.announce(QueueEvents::task_exception().exchange(), id, Some(ended), ENDED);
                self.announce_pending(id, next);
            }
            _ => self.resolve(id, RunState::Exception, reason, now),
        }
    }

    /// Resolves a task that is not resolved yet.
    pub(super) fn resolve(&mut self, id: &str, state: RunState, reason: &str, now: DateTime<Utc>) {
        let place = self.places;
        let Some(task) = self.all.get_mut(id) else { return };
        if task.runs.is_empty() {
            task.runs.push(Run::new("exception", place, now));
        }
        if let Some(run) = task.runs.last_mut() {
            run.resolve(state, reason, now);
        }
        let run = task.runs.len() - 1;
        self.announce_end(id, run);
        self.wake_dependents(id, state, now);
        self.look_at_group(id);
    }

    /// Announces the end of a run.
    pub(super) fn announce_end(&mut self, id: &str, number: usize) {
        let run = self.all.get(id).and_then(|task| task.runs.get(number));
        let exchange = match run.map(|run| run.state) {
            Some(RunState::Completed) => QueueEvents::task_completed().exchange(),
            Some(RunState::Failed) => QueueEvents::task_failed().exchange(),
            _ => QueueEvents::task_exception().exchange(),
        };
        // The worker has no part in the end that a deadline makes.
        let by_deadline =
            run.is_some_and(|run| run.reason_resolved.as_deref() == Some("deadline-exceeded"));
        let fields = if by_deadline { &["runId", "task"] } else { ENDED };
        self.announce(exchange, id, Some(number), fields);
    }

    /// Schedules the tasks whose last open dependency was this one.
    fn wake_dependents(&mut self, id: &str, state: RunState, now: DateTime<Utc>) {
        let mut ready = Vec::new();
        for task in self.all.values_mut() {
            if task.unmet.contains(id)
                && is_met_by(task.definition.text("requires"), state)
                && task.unmet.remove(id)
                && task.unmet.is_empty()
                && task.runs.is_empty()
            {
                ready.push(task.id.clone());
            }
        }
        for id in ready {
            self.add_run(&id, "scheduled", now);
        }
    }

    /// Announces a group whose last task has been resolved.
    fn look_at_group(&mut self, id: &str) {
        let Some(task) = self.all.get(id) else { return };
        let group = task.definition.text("taskGroupId").to_owned();
        // In this order, because many resolved tasks precede a group's last ones.
        if !self.all.values().any(|task| !task.is_resolved() && task.is_of_group(&group)) {
            self.announce_group(QueueEvents::task_group_resolved().exchange(), &group, None);
        }
    }

    /// Adds a run to a task that is neither pending nor running, and restores its retries.
    pub(super) fn rerun(&mut self, id: &str, now: DateTime<Utc>) -> Result<(), Refusal> {
        let task = self.task_mut(id)?;
        let retries = task.definition.json["retries"].as_u64().unwrap_or_default();
        let Some(room) = MOST_RUNS.checked_sub(task.runs.len() as u64 + 1) else {
            return Err(Refusal::conflict(format!(
                "task {id} already has {MOST_RUNS} runs, the most possible"
            )));
        };
        task.retries_left = retries.min(room);
        self.add_run(id, "rerun", now);
        Ok(())
    }

    /// Publishes a message about a task, with the status and those of these fields that have values.
    pub(super) fn announce(
        &mut self,
        exchange: &'static Exchange,
        id: &str,
        run: Option<usize>,
        fields: &[&str],
    ) {
        self.announce_with(exchange, id, run, fields, json!({}));
    }

    /// Same as [`announce`](Self::announce), with more properties in the payload.
    pub(super) fn announce_with(
        &mut self,
        exchange: &'static Exchange,
        id: &str,
        run: Option<usize>,
        fields: &[&str],
        payload: Value,
    ) {
        let Some(task) = self.all.get(id) else { return };
        let message = about(task, exchange, run, fields, payload);
        self.messages.push(message);
    }

    /// Publishes a message about a task group.
    pub(super) fn announce_group(
        &mut self,
        exchange: &'static Exchange,
        group: &str,
        payload: Option<Value>,
    ) {
        let Some(about) = self.group(group) else { return };
        let scheduler = about["schedulerId"].as_str().unwrap_or_default().to_owned();
        let mut payload = payload.unwrap_or(about);
        payload["version"] = json!(1);
        let parts = [("taskGroupId", group), ("schedulerId", scheduler.as_str())];
        self.messages.push(Message::new(exchange, &parts, &[], payload));
    }

    /// Returns the facts about a task group, or `None` if it does not exist.
    pub(super) fn group(&self, group: &str) -> Option<Value> {
        let first = self.members(group).next()?;
        let expires = self.members(group).map(|task| task.definition.expires).max()?;
        let mut about = json!({
            "taskGroupId": group, "schedulerId": first.definition.text("schedulerId"),
            "expires": timestamp(expires),
        });
        if let Some(sealed) = self.sealed.get(group) {
            about["sealed"] = json!(timestamp(*sealed));
        }
        Some(about)
    }
}

/// Creates a message about a task, with the status and those of these fields that have values.
fn about(
    task: &Task,
    exchange: &'static Exchange,
    run: Option<usize>,
    fields: &[&str],
    mut payload: Value,
) -> Message {
    let run = run.and_then(|number| task.runs.get(number).map(|run| (number, run)));
    let worker = run.and_then(|(_, run)| run.worker.as_ref());
    let definition = &task.definition;
    payload["version"] = json!(1);
    payload["status"] = task.status();
    for field in fields {
        let value = match *field {
            "task" => Some(json!({"tags": definition.json["tags"]})),
            "runId" => run.map(|(number, _)| json!(number)),
            "workerGroup" => worker.map(|worker| json!(worker.group)),
            "workerId" => worker.map(|worker| json!(worker.id)),
            "takenUntil" => {
                run.and_then(|(_, run)| run.taken_until).map(|time| json!(timestamp(time)))
            }
            _ => None,
        };
        if let Some(value) = value {
            payload[*field] = value;
        }
    }
    // What the payload does not say is not in the routing key, either.
    let number = payload["runId"].as_u64().map(|number| number.to_string()).unwrap_or_default();
    let text = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
    let (group, worker_id) = (text("workerGroup"), text("workerId"));
    let parts = [
        ("taskId", task.id.as_str()),
        ("runId", number.as_str()),
        ("workerGroup", group.as_str()),
        ("workerId", worker_id.as_str()),
        ("provisionerId", definition.text("provisionerId")),
        ("workerType", definition.text("workerType")),
        ("schedulerId", definition.text("schedulerId")),
        ("taskGroupId", definition.text("taskGroupId")),
    ];
    Message::new(exchange, &parts, &definition.texts("routes"), payload)
}

/// Whether a task with these requirements may start when a dependency has reached this state.
fn is_met_by(requires: &str, state: RunState) -> bool {
    match requires {
        "all-resolved" => state.is_resolved(),
        _ => state == RunState::Completed,
    }
}
