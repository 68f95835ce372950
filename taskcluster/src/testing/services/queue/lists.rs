//! Lists the pending and claimed tasks of a task queue.

use serde_json::{Value, json};

use super::lifecycle::Tasks;
use super::store::Queue;
use super::task::{Run, RunState, Task};
use crate::testing::http::answer::{Refusal, strings, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::Context;

/// Answers calls about a task queue. Returns `None` for other endpoints.
pub(super) fn answer(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
    endpoint: &str,
) -> Option<Result<Value, Refusal>> {
    Some(match endpoint {
        "pendingTasks" => queue.with(context, |tasks, _| {
            let mut counts = counts(tasks, &task_queue(call));
            counts.as_object_mut().map(|counts| counts.remove("claimedTasks"));
            Ok(counts)
        }),
        "taskQueueCounts" => queue.with(context, |tasks, _| Ok(counts(tasks, &task_queue(call)))),
        "taskQueueCountsBatch" => strings(call.payload(), "taskQueueIds").map(|ids| {
            queue.with(context, |tasks, _| {
                let all: Vec<_> = ids.iter().map(|id| counts(tasks, id)).collect();
                json!({"taskQueueCounts": all})
            })
        }),
        "listPendingTasks" => list(queue, context, call, RunState::Pending),
        "listClaimedTasks" => list(queue, context, call, RunState::Running),
        _ => return None,
    })
}

/// Returns the latest runs in this state, with their tasks, in the order in which workers get them.
pub(super) fn in_state<'a>(
    tasks: &'a Tasks,
    task_queue: &str,
    state: RunState,
) -> Vec<(&'a Task, &'a Run)> {
    let mut found: Vec<_> = tasks
        .all
        .values()
        .filter(|task| task.is_of_queue(task_queue))
        .filter_map(|task| Some((task, task.runs.last()?)))
        .filter(|(_, run)| run.state == state)
        .collect();
    found.sort_by_key(|(task, run)| (task.definition.rank(), run.place));
    found
}

/// Returns the task queue in a call's arguments, which a call of 2017 gives in two halves.
pub(super) fn task_queue(call: &RecordedCall) -> String {
    match call.args.get("taskQueueId") {
        Some(tasks) => tasks.clone(),
        None => format!("{}/{}", call.arg("provisionerId"), call.arg("workerType")),
    }
}

fn counts(tasks: &Tasks, task_queue: &str) -> Value {
    let (provisioner, worker_type) = task_queue.split_once('/').unwrap_or((task_queue, ""));
    let count = |state| in_state(tasks, task_queue, state).len();
    json!({
        "provisionerId": provisioner, "workerType": worker_type, "taskQueueId": task_queue,
        "pendingTasks": count(RunState::Pending), "claimedTasks": count(RunState::Running),
    })
}

fn list(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
    of: RunState,
) -> Result<Value, Refusal> {
    queue.with(context, |tasks, _| {
        let mut found = in_state(tasks, &task_queue(call), of);
        // The oldest first, whatever their priorities.
        found.sort_by_key(|(_, run)| (run.started, run.place));
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
            let since = run.started.map_or(0, |started| started.timestamp_millis());
            (format!("{since:020} {:020}", run.place), item)
        });
        page(&context.token_key, call, "tasks", items)
    })
}
