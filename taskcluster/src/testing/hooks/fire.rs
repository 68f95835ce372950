//! How a hook makes a task.

use std::sync::PoisonError;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::super::answer::{Refusal, timestamp};
use super::super::authorization::authorize_as;
use super::super::messages::Message;
use super::super::schemas::Problem;
use super::super::state::State;
use super::{Fire, Key, of_hook};
use crate::call::required_scopes::parameters;
use crate::{Queue, slugid};

impl State {
    /// Notes the hooks that a message fires. They make their tasks later: the message may come from the middle of a change
    /// to the queue.
    pub(in super::super) fn note_bound_hooks(&self, message: &Message) {
        let hooks = self.hooks.lock();
        let is_bound = |definition: &Value| {
            let mut bindings = definition["bindings"].as_array().into_iter().flatten();
            bindings.any(|binding| {
                let text = |name: &str| binding[name].as_str().unwrap_or_default();
                message.is_for(text("exchange"), text("routingKeyPattern"))
            })
        };
        let bound = hooks.iter().filter(|(_, hook)| is_bound(&hook.definition));
        let bound = bound.map(|(key, _)| (key.clone(), message.payload.clone()));
        self.hooks.fired.lock().unwrap_or_else(PoisonError::into_inner).extend(bound);
    }

    /// Lets the hooks that messages have fired make their tasks. What these fire waits for the next time, so that a hook
    /// that fires itself does not do so for ever.
    pub(in super::super) fn fire_bound_hooks(&self) {
        let fired =
            std::mem::take(&mut *self.hooks.fired.lock().unwrap_or_else(PoisonError::into_inner));
        for (key, payload) in fired {
            let by = "pulseMessage";
            // Whatever goes wrong stands in the list of last fires.
            let _ = self.fire_hook(&key, by, json!({"firedBy": by, "payload": payload}));
        }
    }

    /// Makes a task of a hook.
    pub(super) fn fire_hook(
        &self,
        key: &Key,
        by: &'static str,
        mut context: Value,
    ) -> Result<Value, Refusal> {
        let template = of_hook(self, key, |hook| hook.definition["task"].clone())?;
        let (now, task_id) = (self.now(), slugid::nice());
        context["taskId"] = json!(task_id);
        let made = render(&template, &context, &task_id, now).and_then(|task| match task {
            Some(task) => create_task(self, key, &task_id, &task).map(|()| true),
            None => Ok(false),
        });
        if let Ok(false) = made {
            return Ok(json!({}));
        }
        let error = made.as_ref().err().map(|refusal| refusal.message().to_owned());
        let fire = Fire { by, task_id: task_id.clone(), time: now, error };
        of_hook(self, key, |hook| hook.fires.push(fire))?;
        match made {
            Ok(_) => Ok(json!({"taskId": task_id, "status": {"taskId": task_id}})),
            Err(refusal) => {
                let why = refusal.message();
                Err(Refusal::input(format!("the hook could not make a task: {why}")))
            }
        }
    }
}

/// Renders a template by the deployment's clock; `None` if there is nothing left of it.
fn render(
    template: &Value,
    context: &Value,
    task_id: &str,
    now: DateTime<Utc>,
) -> Result<Option<Map<String, Value>>, Refusal> {
    let template = json!({"$let": {"now": timestamp(now)}, "in": template});
    let mut task = match json_e::render(&template, context) {
        Ok(Value::Object(task)) => task,
        Ok(Value::Null) => return Ok(None),
        Ok(other) => {
            return Err(Refusal::input(format!(
                "the template renders to {other}, which is no task"
            )));
        }
        Err(error) => {
            return Err(Refusal::input(format!("the template cannot be rendered: {error:#}")));
        }
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
    state: &State,
    (group, id): &Key,
    task_id: &str,
    task: &Map<String, Value>,
) -> Result<(), Refusal> {
    let scopes = state.roles.expand(vec![format!("assume:hook-id:{group}/{id}")]);
    let endpoint = Queue::REFERENCE.endpoint("createTask");
    let value = Value::Object(task.clone());
    let schema = endpoint.input.unwrap_or_default();
    state.schemas.check("queue", schema, &value).map_err(|problem| {
        let (Problem::Misfit(why) | Problem::NoSchema(why)) = problem;
        Refusal::input(format!("the task does not fit the schema {schema}:\n\n{why}"))
    })?;
    let args = [("taskId".to_owned(), task_id.to_owned())];
    let known = parameters("queue", endpoint.name, task.clone(), Vec::new(), args);
    authorize_as(state, &format!("hook-id:{group}/{id}"), &scopes, endpoint, &known)?;
    state.create_task_for(task_id, &value).map(|_| ())
}
