//! Workers' calls: claims and reports.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::lifecycle::Tasks;
use super::lists::{in_state, task_queue};
use super::store::Queue;
use super::task::{RunState, Task, Worker};
use crate::testing::http::answer::{Refusal, text, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::services::context::Context;

/// How much longer a claim's credentials are valid than the claim itself, and from how much earlier.
const LEEWAY: TimeDelta = TimeDelta::minutes(15);

/// Waits for tasks and gives them to a worker.
pub(super) async fn claim_work(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let worker = worker(call)?;
    let most = call.payload()["tasks"].as_u64().unwrap_or(1).clamp(1, 32);
    let wait = queue.claim_wait();
    // Whichever clock gets there first: this machine's does so even if the deployment's is set back.
    let (begun, end) = (context.now(), Instant::now() + wait);
    loop {
        let changed = context.changed.notified();
        let claims = claim_pending(queue, context, &task_queue(call), &worker, most)?;
        let passed = (context.now() - begun).to_std().unwrap_or_default();
        let enough = !claims.is_empty() || passed >= wait;
        if enough || timeout_at(end, changed).await.is_err() {
            return Ok(json!({"tasks": claims}));
        }
    }
}

fn claim_pending(
    queue: &Queue,
    context: &Context,
    task_queue: &str,
    worker: &Worker,
    most: u64,
) -> Result<Vec<Value>, Refusal> {
    queue.with(context, |tasks, now| {
        if !tasks.workers.seen(task_queue, worker, now) {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = in_state(tasks, task_queue, RunState::Pending)
            .into_iter()
            .take(usize::try_from(most).unwrap_or(usize::MAX))
            .map(|(task, _)| task.id.clone())
            .collect();
        ids.iter()
            .map(|id| {
                tasks.take(id, worker, now);
                if let Some(run) = tasks.task_mut(id)?.runs.last_mut() {
                    run.was_handed_out = true;
                }
                claim(context, tasks.task(id)?, true, now)
            })
            .collect()
    })
}

pub(super) fn claim_task(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let worker = worker(call)?;
    let id = call.arg("taskId");
    queue.with(context, |tasks, now| {
        let number = run_of(tasks, call)?;
        let task = tasks.task(id)?;
        let run = &task.runs[number];
        let again = run.state == RunState::Running
            && run.worker.as_ref() == Some(&worker)
            && !run.was_handed_out;
        if run.state == RunState::Pending {
            tasks.take(id, &worker, now);
        } else if !again {
            return Err(Refusal::conflict(format!(
                "run {number} of task {id} is {} and cannot be claimed",
                run.state.name()
            )));
        }
        claim(context, tasks.task(id)?, true, now)
    })
}

pub(super) fn reclaim_task(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    queue.with(context, |tasks, now| {
        if tasks.task(id)?.runs[run_of(tasks, call)?].worker.is_none() {
            return Err(Refusal::internal("the run has no worker who could claim it again"));
        }
        let number = running(tasks, call)?;
        let taken_until = now + tasks.claim_length;
        let task = tasks.task_mut(id)?;
        task.runs[number].taken_until = Some(taken_until);
        claim(context, task, false, now)
    })
}

pub(super) fn report(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
    outcome: RunState,
) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    queue.with(context, |tasks, now| {
        let number = run_of(tasks, call)?;
        let runs = &tasks.task(id)?.runs;
        // A repeated report changes nothing, but is announced again.
        if runs[number].state == outcome && runs.len() == number + 1 {
            tasks.announce_end(id, number);
        } else {
            running(tasks, call)?;
            tasks.resolve(id, outcome, outcome.name(), now);
        }
        tasks.status(id)
    })
}

pub(super) fn report_exception(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    let reason = match call.payload()["reason"].as_str() {
        Some(
            reason @ ("worker-shutdown"
            | "malformed-payload"
            | "resource-unavailable"
            | "internal-error"
            | "intermittent-task"),
        ) => reason,
        _ => return Err(Refusal::input("`reason` is not a reason for an exception")),
    };
    let retry = match reason {
        "worker-shutdown" => Some("retry"),
        "intermittent-task" => Some("task-retry"),
        _ => None,
    };
    queue.with(context, |tasks, now| {
        let number = run_of(tasks, call)?;
        let runs = &tasks.task(id)?.runs;
        let is_same = runs[number].state == RunState::Exception
            && runs[number].reason_resolved.as_deref() == Some(reason);
        if is_same && runs.len() <= number + 2 {
            tasks.announce_end(id, number);
            if tasks.task(id)?.is_retried_after(number) {
                tasks.announce_pending(id, Some(number + 1));
            }
        } else {
            running(tasks, call)?;
            tasks.resolve_or_retry(id, reason, retry, now);
        }
        tasks.status(id)
    })
}

/// Returns the existing run that a call names.
pub(super) fn run_of(tasks: &Tasks, call: &RecordedCall) -> Result<usize, Refusal> {
    let (id, run) = (call.arg("taskId"), call.arg("runId"));
    let runs = tasks.task(id)?.runs.len();
    let number = run.parse().ok().filter(|number| *number < runs);
    number.ok_or_else(|| Refusal::not_found(format!("task {id} has no run {run}")))
}

/// Returns the run that a call names, if it is running.
fn running(tasks: &Tasks, call: &RecordedCall) -> Result<usize, Refusal> {
    let number = run_of(tasks, call)?;
    match tasks.task(call.arg("taskId"))?.runs[number].state {
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

/// Returns the claim of the task's last run, for the worker that has claimed it.
fn claim(
    context: &Context,
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
        context.temporary_credentials(&name, scopes, now - LEEWAY, taken_until + LEEWAY)?;
    let mut claim = json!({
        "status": task.status(), "runId": run, "workerGroup": group, "workerId": id,
        "takenUntil": timestamp(taken_until), "credentials": credentials,
    });
    if with_task {
        claim["task"] = task.definition.json.clone();
    }
    Ok(claim)
}
