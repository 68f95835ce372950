//! The queue service: tasks, their runs, groups and artifacts.

mod artifacts;
mod definition;
mod groups;
mod lifecycle;
mod lists;
mod task;
mod work;
mod workers;

use std::collections::BTreeSet;
use std::sync::PoisonError;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use self::definition::Definition;
pub(super) use self::lifecycle::{Effect, Queue};
use self::task::RunState;
use super::answer::{Refusal, Reply, strings};
use super::authorization;
use super::paging::page;
use super::recorded::RecordedCall;
use super::state::State;
use crate::QueueEvents;
use crate::scopes::Expression;

impl State {
    /// Does something with the queue as it is by now, and all that follows from it.
    pub(super) fn with_queue<T>(&self, act: impl FnOnce(&mut Queue, DateTime<Utc>) -> T) -> T {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        queue.settle(now);
        let result = act(&mut queue, now);
        let effects = queue.take_effects();
        if !effects.is_empty() {
            self.changed.notify_waiters();
        }
        // Published before anybody else can change the queue, so that messages come in order.
        for effect in effects {
            match effect {
                Effect::Publish(message) => self.publish(message),
                Effect::Index { path, entry } => self.index.insert(&path, entry, now),
            }
        }
        result
    }

    /// Lets everything happen that is due by now.
    pub(super) fn settle(&self) {
        self.with_queue(|_, _| ());
        self.fire_scheduled_hooks();
        self.fire_bound_hooks();
    }

    /// Creates a task; the same one may be created again.
    pub(super) fn create_task_for(&self, id: &str, task: &Value) -> Result<Value, Refusal> {
        let definition = Definition::new(id, task, &self.clock)?;
        self.with_queue(|queue, now| {
            queue.create(id, definition, false, now)?;
            queue.status(id)
        })
    }

    /// The state of a task, if it is there.
    pub(super) fn state_of_task(&self, id: &str) -> Option<&'static str> {
        self.with_queue(|queue, _| {
            let task = queue.task(id).ok()?;
            Some(task.state().map_or("unscheduled", RunState::name))
        })
    }
}

/// Adds what the required scopes depend on and only the queue knows: the task that the call is about.
pub(super) fn add_parameters(state: &State, call: &RecordedCall, known: &mut Map<String, Value>) {
    // A new task speaks for itself.
    let is_new = matches!(call.endpoint.name, "createTask" | "defineTask");
    state.with_queue(|queue, _| {
        if let Ok(task) = queue.task(call.arg("taskId")) {
            let of_task = [
                "schedulerId",
                "taskGroupId",
                "projectId",
                "taskQueueId",
                "provisionerId",
                "workerType",
            ];
            for name in of_task {
                if !is_new && !call.args.contains_key(name) {
                    known.insert(name.to_owned(), task.definition.json[name].clone());
                }
            }
        } else if let Some(group) = call.args.get("taskGroupId")
            && let Some(about) = queue.group(group)
        {
            known.insert("schedulerId".to_owned(), about["schedulerId"].clone());
        }
        if known.contains_key("names")
            && let Some(target) = artifacts::link_target(queue, call)
        {
            known.insert("names".to_owned(), json!([call.arg("name"), target]));
        }
    });
}

/// Answers what is built in; `None` for other endpoints.
pub(super) async fn answer(state: &State, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
    let answer = match call.endpoint.name {
        "claimWork" => work::claim_work(state, call).await,
        "createTask" => check_as_of_2017(state, call)
            .and_then(|()| state.create_task_for(call.arg("taskId"), call.payload())),
        "defineTask" => check_as_of_2017(state, call).and_then(|()| define_task(state, call)),
        "task" => state.with_queue(|queue, _| {
            queue.task(call.arg("taskId")).map(|task| task.definition.json.clone())
        }),
        "status" => state.with_queue(|queue, _| queue.status(call.arg("taskId"))),
        "tasks" => several(state, call, "tasks", "task"),
        "statuses" => several(state, call, "statuses", "status"),
        "listDependentTasks" => list_dependent_tasks(state, call),
        "scheduleTask" => change(state, call, |queue, id, now| {
            if queue.task(id)?.runs.is_empty() {
                queue.add_run(id, "scheduled", now);
            }
            Ok(())
        }),
        "rerunTask" => change(state, call, |queue, id, now| {
            if queue.task(id)?.is_resolved() { queue.rerun(id, now) } else { Ok(()) }
        }),
        "cancelTask" => change(state, call, |queue, id, now| {
            if !queue.task(id)?.is_resolved() {
                queue.resolve(id, RunState::Exception, "canceled", now);
            }
            Ok(())
        }),
        "changeTaskPriority" => change_priority(state, call),
        "claimTask" => work::claim_task(state, call),
        "reclaimTask" => work::reclaim_task(state, call),
        "reportCompleted" => work::report(state, call, RunState::Completed),
        "reportFailed" => work::report(state, call, RunState::Failed),
        "reportException" => work::report_exception(state, call),
        name => {
            let answer = groups::answer(state, call, name)
                .or_else(|| lists::answer(state, call, name))
                .or_else(|| workers::answer(state, call, name));
            match answer {
                Some(answer) => answer,
                None => return artifacts::answer(state, call, name),
            }
        }
    };
    Some(answer.map(Reply::from))
}

/// Checks that the caller has what a new task's scopes and routes need. The references of 2017 do not say so, but the queue
/// did it.
fn check_as_of_2017(state: &State, call: &RecordedCall) -> Result<(), Refusal> {
    if !call.is_of_2017() {
        return Ok(());
    }
    let routes = strings(call.payload(), "routes")?;
    let routes = routes.into_iter().map(|route| format!("queue:route:{route}"));
    let needed = strings(call.payload(), "scopes")?.into_iter().chain(routes);
    let needed = Expression::AllOf(needed.map(Expression::Scope).collect());
    let client_id = call.client_id.as_deref().unwrap_or(authorization::ANONYMOUS);
    authorization::check(state, client_id, &call.scopes, &needed)
}

/// Creates a task that waits until somebody schedules it, as one could in 2017.
fn define_task(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    let definition = Definition::new(id, call.payload(), &state.clock)?;
    state.with_queue(|queue, now| {
        queue.create(id, definition, true, now)?;
        queue.status(id)
    })
}

/// Changes a task whose deadline is still to come, and returns its status.
fn change(
    state: &State,
    call: &RecordedCall,
    act: impl FnOnce(&mut Queue, &str, DateTime<Utc>) -> Result<(), Refusal>,
) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    state.with_queue(|queue, now| {
        if queue.task(id)?.definition.deadline <= now {
            return Err(Refusal::conflict(format!("the deadline of task {id} is past")));
        }
        act(queue, id, now)?;
        queue.status(id)
    })
}

/// Definitions or statuses of many tasks.
fn several(
    state: &State,
    call: &RecordedCall,
    list: &str,
    what: &'static str,
) -> Result<Value, Refusal> {
    let ids = strings(call.payload(), "taskIds")?;
    state.with_queue(|queue, _| {
        let known: BTreeSet<_> = ids.iter().collect();
        let items = known.into_iter().filter_map(|id| {
            let mut both = queue.task(id).ok()?.with_status();
            Some((id.clone(), json!({"taskId": id, what: both[what].take()})))
        });
        page(&state.token_key, call, list, items)
    })
}

fn list_dependent_tasks(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    state.with_queue(|queue, _| {
        queue.task(id)?;
        let depends =
            |names: &Value| names.as_array().is_some_and(|names| names.contains(&json!(id)));
        let dependents = queue
            .tasks
            .values()
            .filter(|task| depends(&task.definition.json["dependencies"]))
            .map(|task| (task.id.clone(), task.with_status()));
        let mut answer = page(&state.token_key, call, "tasks", dependents)?;
        answer["taskId"] = json!(id);
        Ok(answer)
    })
}

fn change_priority(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let priority = new_priority(call)?;
    let id = call.arg("taskId");
    state.with_queue(|queue, _| {
        let task = queue.task_mut(id)?;
        let old = std::mem::replace(&mut task.definition.json["priority"], json!(priority));
        let run = task.runs.len().checked_sub(1);
        if old != priority {
            let payload = json!({"oldPriority": old, "newPriority": priority});
            let exchange = QueueEvents::task_priority_changed().exchange();
            queue.announce_with(exchange, id, run, &[], payload);
        }
        queue.status(id)
    })
}

/// The priority that a call asks for.
fn new_priority(call: &RecordedCall) -> Result<String, Refusal> {
    let priority = &call.payload()["newPriority"];
    definition::check_priority(priority)?;
    Ok(priority.as_str().unwrap_or_default().to_owned())
}
