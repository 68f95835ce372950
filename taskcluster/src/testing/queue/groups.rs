//! Task groups.

use serde_json::{Value, json};

use super::super::answer::Refusal;
use super::super::paging::page;
use super::super::recorded::RecordedCall;
use super::super::state::State;
use super::lifecycle::Queue;
use super::new_priority;
use super::task::{RunState, Task};
use crate::QueueEvents;

/// Answers what is about a task group; `None` for other endpoints.
pub(super) fn answer(
    state: &State,
    call: &RecordedCall,
    endpoint: &str,
) -> Option<Result<Value, Refusal>> {
    Some(match endpoint {
        "listTaskGroup" => list(state, call),
        "getTaskGroup" => state.with_queue(|queue, _| about(queue, call)),
        "sealTaskGroup" => seal(state, call),
        "cancelTaskGroup" => cancel(state, call),
        "changeTaskGroupPriority" => change_priority(state, call),
        _ => return None,
    })
}

fn about(queue: &Queue, call: &RecordedCall) -> Result<Value, Refusal> {
    let group = call.arg("taskGroupId");
    queue.group(group).ok_or_else(|| Refusal::not_found(format!("there is no task group {group}")))
}

fn list(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    state.with_queue(|queue, _| {
        let mut answer = about(queue, call)?;
        let members = queue.members(call.arg("taskGroupId"));
        let tasks = members.map(|task| (task.id.clone(), task.with_status()));
        let page = page(&state.token_key, call, "tasks", tasks)?;
        for (name, value) in page.as_object().into_iter().flatten() {
            answer[name] = value.clone();
        }
        Ok(answer)
    })
}

fn seal(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let group = call.arg("taskGroupId");
    state.with_queue(|queue, now| {
        about(queue, call)?;
        if !queue.sealed.contains_key(group) {
            queue.sealed.insert(group.to_owned(), now);
            queue.announce_group(QueueEvents::task_group_sealed().exchange(), group, None);
        }
        about(queue, call)
    })
}

fn cancel(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let group = call.arg("taskGroupId");
    state.with_queue(|queue, now| {
        about(queue, call)?;
        if !queue.sealed.contains_key(group) {
            return Err(Refusal::conflict(format!(
                "the task group {group} is not sealed; only a sealed one can be cancelled"
            )));
        }
        let open = |task: &&Task| !task.is_resolved();
        let ids: Vec<_> = queue.members(group).filter(open).map(|task| task.id.clone()).collect();
        for id in &ids {
            queue.resolve(id, RunState::Exception, "canceled", now);
        }
        Ok(json!({
            "taskGroupId": group, "taskGroupSize": queue.members(group).count(),
            "cancelledCount": ids.len(), "taskIds": ids,
        }))
    })
}

fn change_priority(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let group = call.arg("taskGroupId");
    let priority = new_priority(call)?;
    state.with_queue(|queue, _| {
        let about = about(queue, call)?;
        let open = |task: &&Task| !task.is_resolved();
        let ids: Vec<_> = queue.members(group).filter(open).map(|task| task.id.clone()).collect();
        for id in &ids {
            queue.task_mut(id)?.definition.json["priority"] = json!(priority);
        }
        let mut answer = json!({
            "taskGroupId": group, "schedulerId": about["schedulerId"], "newPriority": priority,
            "tasksAffected": ids.len(),
        });
        let exchange = QueueEvents::task_group_priority_changed().exchange();
        queue.announce_group(exchange, group, Some(answer.clone()));
        answer["taskIds"] = json!(ids);
        Ok(answer)
    })
}
