//! The queue service: tasks, their runs, groups and artifacts.

mod artifact;
mod artifacts;
mod definition;
mod groups;
mod lifecycle;
mod lists;
mod store;
mod task;
mod work;
mod worker_lists;
mod workers;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use self::definition::{Definition, check_queue, new_priority};
use self::lifecycle::Tasks;
pub(crate) use self::store::Queue;
use self::task::RunState;
use crate::QueueEvents;
use crate::call::required_scopes::add_defaults_of_tasks;
use crate::scopes::Expression;
use crate::testing::http::answer::{Refusal, Reply, strings};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::{Context, LaterAnswer, Service};

impl Service for Queue {
    fn answer(&self, context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
        let answer = match call.endpoint.name {
            "createTask" => create_task(self, context, call, false),
            "defineTask" => create_task(self, context, call, true),
            "task" => self.with(context, |tasks, _| {
                tasks.task(call.arg("taskId")).map(|task| task.definition.json.clone())
            }),
            "status" => self.with(context, |tasks, _| tasks.status(call.arg("taskId"))),
            "tasks" => several(self, context, call, "tasks", "task"),
            "statuses" => several(self, context, call, "statuses", "status"),
            "listDependentTasks" => list_dependent_tasks(self, context, call),
            "scheduleTask" => change(self, context, call, |tasks, id, now| {
                if tasks.task(id)?.runs.is_empty() {
                    tasks.add_run(id, "scheduled", now);
                }
                Ok(())
            }),
            "rerunTask" => change(self, context, call, |tasks, id, now| {
                let task = tasks.task(id)?;
                let last = task.runs.len().checked_sub(1);
                match task.state() {
                    Some(RunState::Pending) => tasks.announce_pending(id, last),
                    Some(RunState::Running) => {}
                    _ => tasks.rerun(id, now)?,
                }
                Ok(())
            }),
            "cancelTask" => change(self, context, call, |tasks, id, now| {
                let task = tasks.task(id)?;
                match task.runs.last() {
                    Some(run) if run.reason_resolved.as_deref() == Some("canceled") => {
                        tasks.announce_end(id, task.runs.len() - 1);
                    }
                    Some(run) if run.state.is_resolved() => {}
                    _ => tasks.resolve(id, RunState::Exception, "canceled", now),
                }
                Ok(())
            }),
            "changeTaskPriority" => change_priority(self, context, call),
            "claimTask" => work::claim_task(self, context, call),
            "reclaimTask" => work::reclaim_task(self, context, call),
            "reportCompleted" => work::report(self, context, call, RunState::Completed),
            "reportFailed" => work::report(self, context, call, RunState::Failed),
            "reportException" => work::report_exception(self, context, call),
            name => {
                let answer = groups::answer(self, context, call, name)
                    .or_else(|| lists::answer(self, context, call, name))
                    .or_else(|| worker_lists::answer(self, context, call, name));
                match answer {
                    Some(answer) => answer,
                    None => return artifacts::answer(self, context, call, name),
                }
            }
        };
        Some(answer.map(Reply::from))
    }

    fn answer_later<'a>(
        &'a self,
        context: &'a Context,
        call: &'a RecordedCall,
    ) -> Option<LaterAnswer<'a>> {
        let claims = call.endpoint.name == "claimWork";
        claims.then(|| -> LaterAnswer<'a> {
            Box::pin(async { work::claim_work(self, context, call).await.map(Reply::from) })
        })
    }

    fn check_before_scopes(
        &self,
        context: &Context,
        call: &mut RecordedCall,
    ) -> Result<(), Refusal> {
        if call.is("queue", "createTask") {
            check_queue(&call.body)?;
            if let Value::Object(task) = &mut call.body {
                add_defaults_of_tasks(task);
            }
        }
        let id = call.arg("taskId");
        self.with(context, |tasks, _| match call.endpoint.name {
            "scheduleTask" | "rerunTask" | "cancelTask" | "changeTaskPriority" | "claimTask" => {
                tasks.task(id).map(|_| ())
            }
            "latestArtifact" => artifacts::chosen_run(tasks, call).map(|_| ()),
            "sealTaskGroup" | "changeTaskGroupPriority" => groups::about(tasks, call).map(|_| ()),
            "cancelTaskGroup" => groups::check_sealed(tasks, call),
            _ => Ok(()),
        })
    }

    fn add_parameters(
        &self,
        context: &Context,
        call: &RecordedCall,
        known: &mut Map<String, Value>,
    ) {
        // The values for a new task come from the call.
        let is_new = matches!(call.endpoint.name, "createTask" | "defineTask");
        self.with(context, |tasks, _| {
            if let Ok(task) = tasks.task(call.arg("taskId")) {
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
                && let Some(about) = tasks.group(group)
            {
                known.insert("schedulerId".to_owned(), about["schedulerId"].clone());
            }
            if known.contains_key("names")
                && let Some(target) = artifacts::link_target(tasks, call)
            {
                known.insert("names".to_owned(), json!([call.arg("name"), target]));
            }
        });
    }

    fn settle(&self, context: &Context) {
        self.with(context, |_, _| ());
    }
}

/// Checks that the caller has the scopes that a new task's scopes and routes require. The references of 2017 do not state
/// this, but the queue of that time checked it.
fn check_as_of_2017(context: &Context, call: &RecordedCall) -> Result<(), Refusal> {
    if !call.is_of_2017() {
        return Ok(());
    }
    let routes = strings(call.payload(), "routes")?;
    let routes = routes.into_iter().map(|route| format!("queue:route:{route}"));
    let needed = strings(call.payload(), "scopes")?.into_iter().chain(routes);
    let needed = Expression::AllOf(needed.map(Expression::Scope).collect());
    context.check_scopes(call, &needed)
}

/// Creates a task. Creating the same task again is not an error. An `on_demand` task, as in 2017, waits until it is scheduled
/// by a call.
fn create_task(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
    on_demand: bool,
) -> Result<Value, Refusal> {
    check_as_of_2017(context, call)?;
    let id = call.arg("taskId");
    let definition = Definition::new(id, call.payload(), &context.clock)?;
    let completed = definition.json.clone();
    queue.with(context, |tasks, now| {
        let created = tasks.create(id, definition, on_demand, now);
        created.map_err(|refusal| refusal.repeating(completed))?;
        tasks.status(id)
    })
}

/// Changes a task before its deadline, and returns its status.
fn change(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
    act: impl FnOnce(&mut Tasks, &str, DateTime<Utc>) -> Result<(), Refusal>,
) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    queue.with(context, |tasks, now| {
        if tasks.task(id)?.definition.deadline <= now {
            return Err(Refusal::conflict(format!("the deadline of task {id} is past")));
        }
        act(tasks, id, now)?;
        tasks.status(id)
    })
}

/// Returns definitions or statuses of many tasks.
fn several(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
    list: &str,
    what: &'static str,
) -> Result<Value, Refusal> {
    let ids = strings(call.payload(), "taskIds")?;
    queue.with(context, |tasks, _| {
        let known: BTreeSet<_> = ids.iter().collect();
        let items = known.into_iter().filter_map(|id| {
            let mut both = tasks.task(id).ok()?.with_status();
            Some((id.clone(), json!({"taskId": id, what: both[what].take()})))
        });
        page(&context.token_key, call, list, items)
    })
}

fn list_dependent_tasks(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    queue.with(context, |tasks, _| {
        tasks.task(id)?;
        let depends =
            |names: &Value| names.as_array().is_some_and(|names| names.contains(&json!(id)));
        let dependents = tasks
            .all
            .values()
            .filter(|task| depends(&task.definition.json["dependencies"]))
            .map(|task| (task.id.clone(), task.with_status()));
        let mut answer = page(&context.token_key, call, "tasks", dependents)?;
        answer["taskId"] = json!(id);
        Ok(answer)
    })
}

fn change_priority(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let priority = new_priority(call)?;
    let id = call.arg("taskId");
    queue.with(context, |tasks, _| {
        let task = tasks.task_mut(id)?;
        let old = task.definition.json["priority"].clone();
        if task.is_resolved() || old == priority {
            return Err(Refusal::conflict(format!(
                "task {id} is resolved or has this priority already"
            )));
        }
        task.definition.json["priority"] = json!(priority);
        let payload = json!({"oldPriority": old, "newPriority": priority});
        let exchange = QueueEvents::task_priority_changed().exchange();
        tasks.announce_with(exchange, id, None, &[], payload);
        tasks.status(id)
    })
}
