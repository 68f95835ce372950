//! Task groups.

use serde_json::{Value, json};

use super::definition::new_priority;
use super::lifecycle::Tasks;
use super::store::Queue;
use super::task::{RunState, Task};
use crate::QueueEvents;
use crate::testing::http::answer::Refusal;
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::Context;

/// Answers calls about a task group. Returns `None` for other endpoints.
pub(super) fn answer(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
    endpoint: &str,
) -> Option<Result<Value, Refusal>> {
    Some(match endpoint {
        "listTaskGroup" => list(queue, context, call),
        "getTaskGroup" => queue.with(context, |tasks, _| about(tasks, call)),
        "sealTaskGroup" => seal(queue, context, call),
        "cancelTaskGroup" => cancel(queue, context, call),
        "changeTaskGroupPriority" => change_priority(queue, context, call),
        _ => return None,
    })
}

pub(super) fn about(tasks: &Tasks, call: &RecordedCall) -> Result<Value, Refusal> {
    let group = call.arg("taskGroupId");
    tasks
        .group(group)
        .ok_or_else(|| Refusal::not_found(format!("task group {group} does not exist")))
}

/// Refuses to cancel a group that is not sealed.
pub(super) fn check_sealed(tasks: &Tasks, call: &RecordedCall) -> Result<(), Refusal> {
    let group = call.arg("taskGroupId");
    about(tasks, call)?;
    match tasks.sealed.contains_key(group) {
        true => Ok(()),
        false => Err(Refusal::conflict(format!(
            "task group {group} is not sealed; seal it before cancelling it"
        ))),
    }
}

fn list(queue: &Queue, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    queue.with(context, |tasks, _| {
        let mut answer = about(tasks, call)?;
        let members = tasks.members(call.arg("taskGroupId"));
        let tasks = members.map(|task| (task.id.clone(), task.with_status()));
        let page = page(&context.token_key, call, "tasks", tasks)?;
        for (name, value) in page.as_object().into_iter().flatten() {
            answer[name] = value.clone();
        }
        Ok(answer)
    })
}

fn seal(queue: &Queue, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let group = call.arg("taskGroupId");
    queue.with(context, |tasks, now| {
        about(tasks, call)?;
        tasks.sealed.entry(group.to_owned()).or_insert(now);
        tasks.announce_group(QueueEvents::task_group_sealed().exchange(), group, None);
        about(tasks, call)
    })
}

fn cancel(queue: &Queue, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let group = call.arg("taskGroupId");
    queue.with(context, |tasks, now| {
        check_sealed(tasks, call)?;
        let open = |task: &&Task| !task.is_resolved();
        let ids: Vec<_> = tasks.members(group).filter(open).map(|task| task.id.clone()).collect();
        for id in &ids {
            tasks.resolve(id, RunState::Exception, "canceled", now);
        }
        Ok(json!({
            "taskGroupId": group, "taskGroupSize": tasks.members(group).count(),
            "cancelledCount": ids.len(), "taskIds": ids,
        }))
    })
}

fn change_priority(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let group = call.arg("taskGroupId");
    let priority = new_priority(call)?;
    queue.with(context, |tasks, _| {
        let about = about(tasks, call)?;
        let open =
            |task: &&Task| !task.is_resolved() && task.definition.text("priority") != priority;
        let ids: Vec<_> = tasks.members(group).filter(open).map(|task| task.id.clone()).collect();
        for id in &ids {
            tasks.task_mut(id)?.definition.json["priority"] = json!(priority);
        }
        let mut answer = json!({
            "taskGroupId": group, "schedulerId": about["schedulerId"], "newPriority": priority,
            "tasksAffected": ids.len(),
        });
        let exchange = QueueEvents::task_group_priority_changed().exchange();
        tasks.announce_group(exchange, group, Some(answer.clone()));
        answer["taskIds"] = json!(ids);
        Ok(answer)
    })
}
