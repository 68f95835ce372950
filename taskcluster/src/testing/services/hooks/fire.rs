//! How a hook makes a task.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::expressions;
use super::store::{Fire, Hooks, Key};
use crate::testing::http::answer::{Refusal, timestamp};
use crate::testing::services::context::Context;
use crate::{Queue, slugid};

/// Makes a task of a hook.
pub(super) fn fire(
    hooks: &Hooks,
    context: &Context,
    key: &Key,
    by: &'static str,
    mut values: Value,
) -> Result<Value, Refusal> {
    let template = hooks.with(key, |hook| hook.definition["task"].clone())?;
    let (now, task_id) = (context.now(), slugid::nice());
    values["taskId"] = json!(task_id);
    let made = render(&template, &values, &task_id, now).and_then(|task| match task {
        Some(task) => create_task(context, key, &task_id, task).map(|()| true),
        None => Ok(false),
    });
    if let Ok(false) = made {
        return Ok(json!({}));
    }
    let error = made.as_ref().err().map(|refusal| refusal.message().to_owned());
    let fire = Fire { by, task_id: task_id.clone(), time: now, error };
    hooks.with(key, |hook| hook.fires.push(fire))?;
    match made {
        Ok(_) => Ok(json!({"taskId": task_id, "status": {"taskId": task_id}})),
        Err(refusal) => {
            let why = refusal.message();
            Err(Refusal::input(format!("the hook could not create a task: {why}")))
        }
    }
}

/// Renders a template by the deployment's clock; `None` if there is nothing left of it.
fn render(
    template: &Value,
    values: &Value,
    task_id: &str,
    now: DateTime<Utc>,
) -> Result<Option<Map<String, Value>>, Refusal> {
    let refuse =
        |why: String| Refusal::input(format!("the task template cannot be rendered: {why}"));
    expressions::check(template).map_err(|why| refuse(why.to_owned()))?;
    let template = json!({"$let": {"now": timestamp(now)}, "in": template});
    let mut task = match json_e::render(&template, values) {
        Ok(Value::Object(task)) => task,
        Ok(Value::Null) => return Ok(None),
        Ok(other) => {
            return Err(Refusal::input(format!(
                "the task template renders to {other}, which is not a task"
            )));
        }
        Err(error) => return Err(refuse(format!("{error:#}"))),
    };
    let day = timestamp(now + TimeDelta::days(1));
    let defaults =
        [("created", timestamp(now)), ("deadline", day), ("taskGroupId", task_id.to_owned())];
    for (name, default) in defaults {
        task.entry(name).or_insert(json!(default));
    }
    Ok(Some(task))
}

/// Creates the task with the scopes of the role that the hook is.
fn create_task(
    context: &Context,
    (group, id): &Key,
    task_id: &str,
    task: Map<String, Value>,
) -> Result<(), Refusal> {
    let client_id = format!("hook-id:{group}/{id}");
    let scopes = vec![format!("assume:{client_id}")];
    let args = [("taskId", task_id)];
    let payload = Some(Value::Object(task));
    context.call(&Queue::REFERENCE, "createTask", (&client_id, scopes), &args, payload).map(|_| ())
}
