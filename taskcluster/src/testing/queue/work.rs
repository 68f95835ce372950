//! The work of workers: claims, and reports of what came of them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::super::answer::{Refusal, text, timestamp};
use super::super::recorded::RecordedCall;
use super::super::state::State;
use super::lifecycle::{CLAIM, Queue};
use super::lists::{in_state, task_queue};
use super::task::{RunState, Task, Worker};
use crate::testing::Deployment;

/// How long a claim of work waits for tasks, by the deployment's clock.
const LONG_POLL: TimeDelta = TimeDelta::seconds(20);

/// How much longer a claim's credentials are good than the claim itself, and by how much sooner.
const LEEWAY: TimeDelta = TimeDelta::minutes(15);

impl Deployment {
    /// Sets for how long, by this machine's clock, `claimWork` waits for a task to appear before it answers that there is
    /// none: 100 milliseconds if not told, where the real service waits for 20 seconds. An
    /// [`advance`](Self::advance) of 20 seconds ends the wait, too.
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{Queue, json};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.set_claim_wait(Duration::ZERO);
    /// let worker = fake.connect_as("worker", ["queue:claim-work:p/w", "queue:worker-id:g/w"])?;
    /// let claim = worker.call(&Queue::REFERENCE, "claimWork")?.param("taskQueueId", "p/w");
    /// let claimed = claim.payload(json!({"tasks": 1, "workerGroup": "g", "workerId": "w"})).send_blocking()?;
    /// assert_eq!(claimed["tasks"], json!([]));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn set_claim_wait(&self, wait: Duration) {
        self.state().set_claim_wait(wait);
    }
}

/// Waits for tasks and gives them to a worker.
pub(super) async fn claim_work(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let worker = worker(call)?;
    let most = call.payload()["tasks"].as_u64().unwrap_or(1).clamp(1, 32);
    let (begun, end) = (state.now(), Instant::now() + state.claim_wait());
    loop {
        let changed = state.changed.notified();
        let claims = claim_pending(state, &task_queue(call), &worker, most)?;
        let enough = !claims.is_empty() || state.now() - begun >= LONG_POLL;
        if enough || timeout_at(end, changed).await.is_err() {
            return Ok(json!({"tasks": claims}));
        }
    }
}

fn claim_pending(
    state: &State,
    task_queue: &str,
    worker: &Worker,
    most: u64,
) -> Result<Vec<Value>, Refusal> {
    state.with_queue(|queue, now| {
        if !queue.workers.seen(task_queue, worker, now) {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = in_state(queue, task_queue, RunState::Pending)
            .into_iter()
            .take(usize::try_from(most).unwrap_or(usize::MAX))
            .map(|(task, _)| task.id.clone())
            .collect();
        ids.iter()
            .map(|id| {
                queue.take(id, worker, now);
                claim(state, queue.task(id)?, true, now)
            })
            .collect()
    })
}

pub(super) fn claim_task(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let worker = worker(call)?;
    let id = call.arg("taskId");
    state.with_queue(|queue, now| {
        let number = run_of(queue, call)?;
        let task = queue.task(id)?;
        let run = &task.runs[number];
        let again = run.state == RunState::Running && run.worker.as_ref() == Some(&worker);
        if run.state == RunState::Pending {
            queue.take(id, &worker, now);
        } else if !again {
            return Err(Refusal::conflict(format!(
                "run {number} of task {id} is {}, so that it cannot be claimed",
                run.state.name()
            )));
        }
        claim(state, queue.task(id)?, true, now)
    })
}

pub(super) fn reclaim_task(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    state.with_queue(|queue, now| {
        let number = running(queue, call)?;
        let task = queue.task_mut(id)?;
        task.runs[number].taken_until = Some(now + CLAIM);
        claim(state, task, false, now)
    })
}

pub(super) fn report(
    state: &State,
    call: &RecordedCall,
    outcome: RunState,
) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    state.with_queue(|queue, now| {
        let number = run_of(queue, call)?;
        // Said twice is said.
        if queue.task(id)?.runs[number].state != outcome {
            running(queue, call)?;
            queue.resolve(id, outcome, outcome.name(), now);
        }
        queue.status(id)
    })
}

pub(super) fn report_exception(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    let reason = match call.payload()["reason"].as_str() {
        Some(
            reason @ ("worker-shutdown"
            | "malformed-payload"
            | "resource-unavailable"
            | "internal-error"
            | "intermittent-task"),
        ) => reason,
        _ => return Err(Refusal::input("`reason` is none of an exception")),
    };
    let retry = match reason {
        "worker-shutdown" => Some("retry"),
        "intermittent-task" => Some("task-retry"),
        _ => None,
    };
    state.with_queue(|queue, now| {
        let number = run_of(queue, call)?;
        if queue.task(id)?.runs[number].reason_resolved.as_deref() != Some(reason) {
            running(queue, call)?;
            queue.resolve_or_retry(id, reason, retry, now);
        }
        queue.status(id)
    })
}

/// The run that a call names, of those that there are.
pub(super) fn run_of(queue: &Queue, call: &RecordedCall) -> Result<usize, Refusal> {
    let (id, run) = (call.arg("taskId"), call.arg("runId"));
    let number = run
        .parse::<usize>()
        .map_err(|_| Refusal::input(format!("`runId` is not a number: {run:?}")))?;
    if number < queue.task(id)?.runs.len() {
        Ok(number)
    } else {
        Err(Refusal::not_found(format!("task {id} has no run {number}")))
    }
}

/// The run that a call names, if a worker is busy with it.
fn running(queue: &Queue, call: &RecordedCall) -> Result<usize, Refusal> {
    let number = run_of(queue, call)?;
    match queue.task(call.arg("taskId"))?.runs[number].state {
        RunState::Running => Ok(number),
        state => Err(Refusal::conflict(format!(
            "run {number} of task {} is {}, not running",
            call.arg("taskId"),
            state.name()
        ))),
    }
}

fn worker(call: &RecordedCall) -> Result<Worker, Refusal> {
    let payload = call.payload();
    Ok(Worker { group: text(payload, "workerGroup")?, id: text(payload, "workerId")? })
}

/// What a worker gets for the task's last run, which it has claimed.
fn claim(
    state: &State,
    task: &Task,
    with_task: bool,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let run = task.runs.len().saturating_sub(1);
    let held = task.runs.last().and_then(|run| Some((run.worker.as_ref()?, run.taken_until?)));
    let Some((worker, taken_until)) = held else {
        return Err(Refusal::conflict(format!("no worker has claimed task {}", task.id)));
    };
    let mut scopes = task.definition.texts("scopes");
    for right in ["reclaim-task", "resolve-task", "create-artifact"] {
        scopes.push(format!("queue:{right}:{}/{run}", task.id));
    }
    let Worker { group, id } = worker;
    let name =
        format!("task-client/{}/{run}/on/{group}/{id}/until/{}", task.id, taken_until.timestamp());
    let credentials =
        state.service_credentials(&name, scopes, now - LEEWAY, taken_until + LEEWAY)?;
    let mut claim = json!({
        "status": task.status(), "runId": run, "workerGroup": group, "workerId": id,
        "takenUntil": timestamp(taken_until), "credentials": credentials,
    });
    if with_task {
        claim["task"] = task.definition.json.clone();
    }
    Ok(claim)
}
