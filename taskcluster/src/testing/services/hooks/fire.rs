//! Creates the tasks of hooks.

use chrono::{DateTime, Months, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::store::{Fire, Hooks, Key};
use crate::testing::http::answer::{Refusal, timestamp};
use crate::testing::services::context::{Context, template};
use crate::{Queue, slugid};

/// The client that creates the tasks.
const CLIENT: &str = "static/taskcluster/hooks";

/// Fires a hook: creates its task, with this id if there is one.
pub(super) fn fire(
    hooks: &Hooks,
    context: &Context,
    key: &Key,
    by: &'static str,
    mut values: Value,
    task_id: Option<&str>,
) -> Result<Value, Refusal> {
    let template = hooks.with(key, |hook| hook.definition["task"].clone())?;
    let (now, task_id) = (context.now(), task_id.map_or_else(slugid::nice, str::to_owned));
    values["taskId"] = json!(task_id);
    let made = match render(&template, &values, &task_id, now) {
        Ok(None) => return Ok(json!({})),
        Ok(Some(task)) => create_task(context, key, &task_id, task),
        Err(why) => Err((why.message().to_owned(), why)),
    };
    let error = made.as_ref().err().map(|(error, _)| error.clone());
    let fire = Fire { by, task_id: task_id.clone(), time: now, error };
    hooks.with(key, |hook| hook.fires.push(fire))?;
    match made {
        Ok(()) => Ok(json!({"taskId": task_id, "status": {"taskId": task_id}})),
        Err((_, why)) if why.code() == "InsufficientScopes" => {
            let (group, id) = key;
            Err(Refusal::insufficient_scopes(format!(
                "the role `hook-id:{group}/{id}` does not have the scopes to create the task:\n\n{}",
                why.message()
            )))
        }
        Err((_, why)) => {
            let why = why.message();
            Err(Refusal::input(format!("the hook could not create a task: {why}")))
        }
    }
}

/// Renders a template by the deployment's clock. Returns `None` if the result is empty.
fn render(
    template: &Value,
    values: &Value,
    task_id: &str,
    now: DateTime<Utc>,
) -> Result<Option<Map<String, Value>>, Refusal> {
    let mut task = match template::render(template, values, now) {
        Ok(Value::Object(task)) => task,
        Ok(Value::Null) => return Ok(None),
        Ok(other) => {
            return Err(Refusal::input(format!(
                "the task template renders to {other}, which is not a task"
            )));
        }
        Err(why) => {
            let why = format!("the task template cannot be rendered: {why}");
            return Err(Refusal::input(why));
        }
    };
    let day = timestamp(now + TimeDelta::days(1));
    let month = now.checked_add_months(Months::new(1)).unwrap_or(now);
    let defaults = [
        ("created", timestamp(now)),
        ("deadline", day),
        ("expires", timestamp(month)),
        ("taskGroupId", task_id.to_owned()),
    ];
    for (name, default) in defaults {
        task.entry(name).or_insert(json!(default));
    }
    Ok(Some(task))
}

/// Creates the task with the scopes of the hook's role. An error comes with what the list of last fires says about it.
fn create_task(
    context: &Context,
    (group, id): &Key,
    task_id: &str,
    task: Map<String, Value>,
) -> Result<(), (String, Refusal)> {
    let scopes = vec![format!("assume:hook-id:{group}/{id}")];
    let (args, payload) = ([("taskId", task_id)], Some(Value::Object(task)));
    let made =
        context.call_for_body(&Queue::REFERENCE, "createTask", (CLIENT, scopes), &args, payload);
    made.map(|_| ()).map_err(|(refusal, body)| {
        let error = json!({
            "name": "Error", "message": body["message"], "code": body["code"],
            "statusCode": refusal.status().as_u16(), "body": body,
        });
        (format!("{error:#}"), refusal)
    })
}
