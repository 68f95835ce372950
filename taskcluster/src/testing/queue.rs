//! The queue service: tasks and their groups.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::answer::{Refusal, date, timestamp};
use super::paging::page;
use super::recorded::RecordedCall;
use super::state::State;
use crate::required_scopes::PRIORITIES;

/// All tasks by id.
#[derive(Default)]
pub(super) struct Tasks(Mutex<BTreeMap<String, Task>>);

struct Task {
    /// With all defaults filled in and all dates written alike, so that two definitions can be compared.
    definition: Value,
    state: &'static str,
    runs: Vec<Value>,
}

impl Tasks {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Task>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    fn new(definition: Value, now: DateTime<Utc>) -> Self {
        let mut task = Self { definition, state: "unscheduled", runs: Vec::new() };
        // Nothing resolves a task here, so that one with dependencies keeps waiting.
        if task.definition["dependencies"] == json!([]) {
            task.state = "pending";
            task.runs.push(json!({
                "runId": 0, "state": "pending", "reasonCreated": "scheduled", "scheduled": timestamp(now),
            }));
        }
        task
    }

    fn status(&self, id: &str) -> Value {
        let copied = [
            "provisionerId",
            "workerType",
            "taskQueueId",
            "schedulerId",
            "projectId",
            "taskGroupId",
            "priority",
            "deadline",
            "expires",
        ];
        let mut status: Map<_, _> =
            copied.iter().map(|name| ((*name).to_owned(), self.definition[name].clone())).collect();
        status.insert("taskId".to_owned(), json!(id));
        status.insert("retriesLeft".to_owned(), self.definition["retries"].clone());
        status.insert("state".to_owned(), json!(self.state));
        status.insert("runs".to_owned(), json!(self.runs));
        Value::Object(status)
    }

    fn is_of_group(&self, group: &str) -> bool {
        self.definition["taskGroupId"] == group
    }

    fn cancel(&mut self, now: DateTime<Utc>) -> Result<(), Refusal> {
        let now = timestamp(now);
        match self.state {
            "unscheduled" => self.runs.push(json!({
                "runId": 0, "state": "exception", "reasonCreated": "exception", "reasonResolved": "canceled",
                "scheduled": now, "resolved": now,
            })),
            "pending" | "running" => {
                if let Some(run) = self.runs.last_mut() {
                    run["state"] = json!("exception");
                    run["reasonResolved"] = json!("canceled");
                    run["resolved"] = json!(now);
                }
            }
            // Cancelled before: that is what the caller wants.
            "exception" if self.runs.last().is_some_and(|run| run["reasonResolved"] == "canceled") => {}
            state => return Err(Refusal::conflict(format!("the task is resolved already: {state}"))),
        }
        self.state = "exception";
        Ok(())
    }
}

/// Adds what the required scopes depend on and the queue knows: the task that the call is about.
///
/// A new task whose definition is wrong is refused here: without it nobody can say what scopes it needs.
pub(super) fn add_parameters(
    state: &State,
    call: &RecordedCall,
    known: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    let tasks = state.tasks.lock();
    let created;
    let task_id = call.arg("taskId");
    let definition = if call.endpoint.name == "createTask" {
        created = define(task_id, call.payload.as_ref().unwrap_or(&Value::Null))?;
        // Who may create a task of a higher priority may create this one.
        let priority = PRIORITIES.iter().position(|known| created["priority"] == *known);
        known.insert("priorities".to_owned(), json!(PRIORITIES[..=priority.unwrap_or_default()]));
        Some(&created)
    } else {
        tasks.get(task_id).map(|task| &task.definition)
    };
    if let Some(definition) = definition {
        let of_task = [
            "schedulerId",
            "taskGroupId",
            "projectId",
            "taskQueueId",
            "provisionerId",
            "workerType",
        ];
        for name in of_task {
            if definition[name].is_string() && !call.args.contains_key(name) {
                known.insert(name.to_owned(), definition[name].clone());
            }
        }
    } else if let Some(group) = call.args.get("taskGroupId")
        && let Some(task) = tasks.values().find(|task| task.is_of_group(group))
    {
        known.insert("schedulerId".to_owned(), task.definition["schedulerId"].clone());
    }
    // In all deployments anybody may read public artifacts.
    if let Some(name) = call.args.get("name") {
        let names: &[&str] = if name.starts_with("public/") { &[] } else { &[name] };
        known.insert("names".to_owned(), json!(names));
    }
    Ok(())
}

/// Answers what is built in; `None` for other endpoints.
pub(super) fn answer(state: &State, call: &RecordedCall) -> Option<Result<Value, Refusal>> {
    Some(match call.endpoint.name {
        "createTask" => create_task(state, call),
        "task" => task(state, call),
        "status" => status(state, call),
        "listTaskGroup" => list_task_group(state, call),
        "cancelTask" => cancel_task(state, call),
        _ => return None,
    })
}

/// Creates a task; the same one may be created again.
fn create_task(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    let definition = define(id, call.payload.as_ref().unwrap_or(&Value::Null))?;
    let mut tasks = state.tasks.lock();
    let group = definition["taskGroupId"].as_str().unwrap_or_default();
    if let Some(other) = tasks.values().find(|task| task.is_of_group(group))
        && other.definition["schedulerId"] != definition["schedulerId"]
    {
        return Err(Refusal::conflict(format!(
            "the task group {group} has another scheduler: {}, not {}",
            other.definition["schedulerId"], definition["schedulerId"]
        )));
    }
    let task =
        tasks.entry(id.to_owned()).or_insert_with(|| Task::new(definition.clone(), state.now()));
    if task.definition != definition {
        return Err(Refusal::conflict(format!(
            "there is a task {id} already, and it is another one"
        )));
    }
    Ok(json!({"status": task.status(id)}))
}

fn task(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    state.tasks.lock().get(id).map(|task| task.definition.clone()).ok_or_else(|| no_task(id))
}

fn status(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    let tasks = state.tasks.lock();
    tasks.get(id).map(|task| json!({"status": task.status(id)})).ok_or_else(|| no_task(id))
}

fn cancel_task(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("taskId");
    let mut tasks = state.tasks.lock();
    let task = tasks.get_mut(id).ok_or_else(|| no_task(id))?;
    task.cancel(state.now())?;
    Ok(json!({"status": task.status(id)}))
}

fn list_task_group(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let group = call.arg("taskGroupId");
    let tasks = state.tasks.lock();
    let members = || tasks.iter().filter(|(_, task)| task.is_of_group(group));
    let Some((_, first)) = members().next() else {
        return Err(Refusal::not_found(format!("there is no task group {group}")));
    };
    let items = members().map(|(id, task)| {
        (id.clone(), json!({"status": task.status(id), "task": task.definition}))
    });
    let mut answer = page(&state.token_key, call, "tasks", items)?;
    answer["taskGroupId"] = json!(group);
    answer["schedulerId"] = first.definition["schedulerId"].clone();
    // All are written alike, so that the latest text is the latest date.
    let expires = members().filter_map(|(_, task)| task.definition["expires"].as_str()).max();
    answer["expires"] = json!(expires);
    Ok(answer)
}

fn no_task(id: &str) -> Refusal {
    Refusal::not_found(format!("there is no task {id}"))
}

/// Fills the defaults into a task's definition.
fn define(id: &str, request: &Value) -> Result<Value, Refusal> {
    let Value::Object(fields) = request else {
        return Err(Refusal::input("a task is a JSON object"));
    };
    let mut task = json!({
        "dependencies": [], "requires": "all-completed", "routes": [], "scopes": [], "priority": "lowest",
        "retries": 5, "schedulerId": "-", "projectId": "none", "tags": {}, "extra": {}, "taskGroupId": id,
    });
    for (name, value) in fields {
        task[name] = value.clone();
    }
    for name in ["payload", "metadata"] {
        if !task[name].is_object() {
            return Err(Refusal::input(format!("the task lacks `{name}`, or it is not an object")));
        }
    }
    if !PRIORITIES.iter().any(|known| task["priority"] == *known) {
        return Err(Refusal::input(format!(
            "`priority` is {}, which is none of {PRIORITIES:?}",
            task["priority"]
        )));
    }
    name_queue(&mut task)?;
    let (created, deadline) = (date(request, "created")?, date(request, "deadline")?);
    if deadline < created {
        return Err(Refusal::input("`deadline` is before `created`"));
    }
    let expires = match &task["expires"] {
        Value::Null => deadline + TimeDelta::days(365),
        _ => date(request, "expires")?,
    };
    for (name, date) in [("created", created), ("deadline", deadline), ("expires", expires)] {
        task[name] = json!(timestamp(date));
    }
    Ok(task)
}

/// Names the task's queue in both ways, of which the request needs only one.
fn name_queue(task: &mut Value) -> Result<(), Refusal> {
    let text = |name: &str| task[name].as_str();
    let (provisioner, worker) =
        match (text("provisionerId"), text("workerType"), text("taskQueueId")) {
            (Some(provisioner), Some(worker), None) => (provisioner, worker),
            (None, None, Some(queue)) => queue.split_once('/').ok_or_else(|| {
                Refusal::input("`taskQueueId` is not of the form <provisionerId>/<workerType>")
            })?,
            (Some(provisioner), Some(worker), Some(queue))
                if queue == format!("{provisioner}/{worker}") =>
            {
                (provisioner, worker)
            }
            (Some(_), Some(_), Some(_)) => {
                return Err(Refusal::input(
                    "`taskQueueId` is another queue than `provisionerId` and `workerType`",
                ));
            }
            _ => {
                return Err(Refusal::input(
                    "a task needs `taskQueueId`, or both `provisionerId` and `workerType`",
                ));
            }
        };
    let (provisioner, worker) = (provisioner.to_owned(), worker.to_owned());
    task["taskQueueId"] = json!(format!("{provisioner}/{worker}"));
    task["provisionerId"] = json!(provisioner);
    task["workerType"] = json!(worker);
    Ok(())
}
