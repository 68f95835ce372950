//! What waits in a task queue, and what workers have claimed of it.

use serde_json::{Value, json};

use super::super::answer::{Refusal, strings, timestamp};
use super::super::paging::page;
use super::super::recorded::RecordedCall;
use super::super::state::State;
use super::lifecycle::Queue;
use super::task::{Run, RunState, Task};

/// Answers what is about a task queue; `None` for other endpoints.
pub(super) fn answer(
    state: &State,
    call: &RecordedCall,
    endpoint: &str,
) -> Option<Result<Value, Refusal>> {
    Some(match endpoint {
        "pendingTasks" => state.with_queue(|queue, _| {
            let mut counts = counts(queue, &task_queue(call));
            counts.as_object_mut().map(|counts| counts.remove("claimedTasks"));
            Ok(counts)
        }),
        "taskQueueCounts" => state.with_queue(|queue, _| Ok(counts(queue, &task_queue(call)))),
        "taskQueueCountsBatch" => strings(call.payload(), "taskQueueIds").map(|ids| {
            state.with_queue(|queue, _| {
                let all: Vec<_> = ids.iter().map(|id| counts(queue, id)).collect();
                json!({"taskQueueCounts": all})
            })
        }),
        "listPendingTasks" => list(state, call, RunState::Pending),
        "listClaimedTasks" => list(state, call, RunState::Running),
        _ => return None,
    })
}

/// The last runs that are in this state, with their tasks, those that a worker gets first before the others.
pub(super) fn in_state<'a>(
    queue: &'a Queue,
    task_queue: &str,
    state: RunState,
) -> Vec<(&'a Task, &'a Run)> {
    let mut found: Vec<_> = queue
        .tasks
        .values()
        .filter(|task| task.is_of_queue(task_queue))
        .filter_map(|task| Some((task, task.runs.last()?)))
        .filter(|(_, run)| run.state == state)
        .collect();
    found.sort_by_key(|(task, run)| (task.definition.rank(), run.place));
    found
}

/// The task queue that a call names; one of 2017 gives its two halves.
pub(super) fn task_queue(call: &RecordedCall) -> String {
    match call.args.get("taskQueueId") {
        Some(queue) => queue.clone(),
        None => format!("{}/{}", call.arg("provisionerId"), call.arg("workerType")),
    }
}

fn counts(queue: &Queue, task_queue: &str) -> Value {
    let (provisioner, worker_type) = task_queue.split_once('/').unwrap_or((task_queue, ""));
    let count = |state| in_state(queue, task_queue, state).len();
    json!({
        "provisionerId": provisioner, "workerType": worker_type, "taskQueueId": task_queue,
        "pendingTasks": count(RunState::Pending), "claimedTasks": count(RunState::Running),
    })
}

fn list(state: &State, call: &RecordedCall, of: RunState) -> Result<Value, Refusal> {
    state.with_queue(|queue, _| {
        let found = in_state(queue, &task_queue(call), of);
        let items = found.into_iter().map(|(task, run)| {
            let mut item = json!({
                "taskId": task.id, "runId": task.runs.len() - 1, "task": task.definition.json,
            });
            match &run.worker {
                Some(worker) => {
                    item["workerGroup"] = json!(worker.group);
                    item["workerId"] = json!(worker.id);
                    item["claimed"] = json!(timestamp(run.started.unwrap_or(run.scheduled)));
                }
                None => item["inserted"] = json!(timestamp(run.scheduled)),
            }
            (format!("{:02} {:020}", task.definition.rank(), run.place), item)
        });
        page(&state.token_key, call, "tasks", items)
    })
}
