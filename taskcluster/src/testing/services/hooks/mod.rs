//! The hooks service: creates tasks from templates when triggered by a call, a schedule or a message.

mod fire;
mod schedule;
mod store;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use self::fire::fire;
pub(crate) use self::store::Hooks;
use self::store::{Fire, Hook, Key};
use crate::testing::http::answer::{Refusal, Reply, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::{collation, page};
use crate::testing::http::schemas::{Problem, Schemas};
use crate::testing::services::context::message::Message;
use crate::testing::services::context::{Context, Service};
use crate::{Exchange, HooksEvents, Queue, slugid};

impl Service for Hooks {
    fn answer(&self, context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
        // Hooks of 2017 were different.
        if call.is_of_2017() {
            return None;
        }
        let answer = match call.endpoint.name {
            "listHookGroups" => {
                let hooks = self.lock();
                let groups: BTreeSet<_> = hooks.keys().map(|(group, _)| group).collect();
                Ok(json!({"groups": groups}))
            }
            "listHooks" => list(self, call),
            "hook" => self.with(&key(call), |hook| hook.definition.clone()),
            "getHookStatus" => self.with(&key(call), status),
            "createHook" => create(self, context, call),
            "updateHook" => update(self, context, call),
            "removeHook" => {
                self.lock().remove(&key(call));
                publish(context, HooksEvents::hook_deleted().exchange(), call);
                Ok(json!({}))
            }
            "triggerHook" => trigger(self, context, call, "triggerHook"),
            "triggerHookWithToken" => check_token(self, call)
                .and_then(|()| trigger(self, context, call, "triggerHookWithToken")),
            "getTriggerToken" => self.with(&key(call), |hook| json!({"token": hook.token})),
            "resetTriggerToken" => self.with(&key(call), |hook| {
                hook.token = slugid::v4();
                json!({"token": hook.token})
            }),
            "listLastFires" => list_fires(self, context, call),
            _ => return None,
        };
        Some(answer.map(Reply::from))
    }

    /// Puts the hook's ids into its definition.
    fn check_before_scopes(&self, _: &Context, call: &mut RecordedCall) -> Result<(), Refusal> {
        if !matches!(call.endpoint.name, "createHook" | "updateHook") {
            return Ok(());
        }
        for name in ["hookGroupId", "hookId"] {
            let given = &call.body[name];
            if !given.is_null() && given != call.arg(name) {
                return Err(Refusal::input(format!("`{name}` differs from the one in the URL")));
            }
        }
        for name in ["hookGroupId", "hookId"] {
            call.body[name] = json!(call.arg(name));
        }
        Ok(())
    }

    /// Fires the hooks that are due, each once.
    fn settle(&self, context: &Context) {
        let now = context.now();
        let mut due = Vec::new();
        for (key, hook) in &mut *self.lock() {
            if hook.next.is_some_and(|next| next <= now) {
                // It was parsed before.
                hook.next = schedule::next(&hook.definition["schedule"], now).unwrap_or_default();
                due.push(key.clone());
            }
        }
        for key in due {
            let by = "schedule";
            // Whatever goes wrong stands in the list of last fires.
            let _ = fire(self, context, &key, by, json!({"firedBy": by}), None);
        }
    }

    fn next_due(&self) -> Option<DateTime<Utc>> {
        self.lock().values().filter_map(|hook| hook.next).min()
    }

    fn hear(&self, message: &Message) {
        self.note(message);
    }

    /// Creates the tasks of the hooks that messages have fired.
    fn work_on_messages(&self, context: &Context) {
        for (key, payload) in self.take_fired() {
            let by = "pulseMessage";
            // Whatever goes wrong stands in the list of last fires.
            let _ = fire(self, context, &key, by, json!({"firedBy": by, "payload": payload}), None);
        }
    }
}

fn key(call: &RecordedCall) -> Key {
    (call.arg("hookGroupId").to_owned(), call.arg("hookId").to_owned())
}

fn publish(context: &Context, exchange: &'static Exchange, call: &RecordedCall) {
    let (group, id) = key(call);
    let payload = json!({"hookGroupId": group, "hookId": id});
    context.publish(&Message::new(exchange, &[], &[], payload));
}

fn list(hooks: &Hooks, call: &RecordedCall) -> Result<Value, Refusal> {
    let group = call.arg("hookGroupId");
    let all = hooks.lock();
    let mut of_group: Vec<_> = all.iter().filter(|((known, _), _)| known == group).collect();
    of_group.sort_by_cached_key(|((_, id), _)| collation(id));
    let found: Vec<_> = of_group.into_iter().map(|(_, hook)| &hook.definition).collect();
    if found.is_empty() {
        return Err(Refusal::not_found(format!("hook group {group} does not exist")));
    }
    Ok(json!({"hooks": found}))
}

/// Returns the definition of a hook in a call.
fn define(context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let hook = call.payload().clone();
    context.schemas.check_schema(&hook["triggerSchema"]).map_err(|problem| {
        let (Problem::Misfit(why) | Problem::NoSchema(why)) = problem;
        Refusal::input(format!("`triggerSchema` is not a JSON schema: {why}"))
    })?;
    Ok(hook)
}

/// Creates a hook. Creating it again is not an error if the definition is the same and complete, that is, has bindings.
fn create(hooks: &Hooks, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let given = define(context, call)?;
    let next = schedule::next(&given["schedule"], context.now())?;
    let mut definition = given.clone();
    if definition["bindings"].is_null() {
        definition["bindings"] = json!([]);
    }
    {
        let mut all = hooks.lock();
        match all.get(&key(call)) {
            Some(hook) if hook.definition == given => {}
            Some(_) => {
                let (group, id) = key(call);
                return Err(Refusal::conflict(format!("the hook {group}/{id} already exists")));
            }
            None => {
                let (token, fires) = (slugid::v4(), Vec::new());
                all.insert(key(call), Hook { definition, token, next, fires });
            }
        }
    }
    publish(context, HooksEvents::hook_created().exchange(), call);
    Ok(given)
}

fn update(hooks: &Hooks, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let key = key(call);
    hooks.with(&key, |_| ())?;
    let mut definition = define(context, call)?;
    let next = schedule::next(&definition["schedule"], context.now())?;
    hooks.with(&key, |hook| {
        if definition["bindings"].is_null() {
            definition["bindings"] = hook.definition["bindings"].take();
        }
        hook.definition.clone_from(&definition);
        hook.next = next;
    })?;
    publish(context, HooksEvents::hook_updated().exchange(), call);
    Ok(definition)
}

fn check_token(hooks: &Hooks, call: &RecordedCall) -> Result<(), Refusal> {
    match hooks.with(&key(call), |hook| hook.token == call.arg("token"))? {
        true => Ok(()),
        false => Err(Refusal::authentication("the trigger token is not the hook's")),
    }
}

/// Fires a hook if the payload fits its `triggerSchema`.
fn trigger(
    hooks: &Hooks,
    context: &Context,
    call: &RecordedCall,
    by: &'static str,
) -> Result<Value, Refusal> {
    let key = key(call);
    let schema = hooks.with(&key, |hook| hook.definition["triggerSchema"].clone())?;
    Schemas::check_by(&schema, call.payload()).map_err(|problem| {
        let (Problem::Misfit(why) | Problem::NoSchema(why)) = problem;
        Refusal::input(format!("the payload does not fit the hook's `triggerSchema`:\n\n{why}"))
    })?;
    let mut values = json!({"firedBy": by, "payload": call.payload()});
    if by == "triggerHook" {
        values["clientId"] = json!(call.client_id);
    }
    let task_id = call.payload()["taskId"].as_str();
    if let Some(id) = task_id.filter(|id| !slugid::is_valid(id)) {
        return Err(Refusal::input(format!("`taskId` is {id:?}, which is no slug id")));
    }
    fire(hooks, context, &key, by, values, task_id)
}

fn status(hook: &mut Hook) -> Value {
    let last = match hook.fires.last() {
        None => json!({"result": "no-fire"}),
        Some(Fire { error: Some(error), time, .. }) => json!({
            "result": "error", "time": timestamp(*time),
            "error": serde_json::from_str(error).unwrap_or_else(|_| json!({"message": error})),
        }),
        Some(Fire { task_id, time, .. }) => json!({
            "result": "success", "time": timestamp(*time), "taskId": task_id,
        }),
    };
    let mut status = json!({"lastFire": last});
    if let Some(next) = hook.next {
        status["nextScheduledDate"] = json!(timestamp(next));
    }
    status
}

fn list_fires(hooks: &Hooks, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let fires = hooks.with(&key(call), |hook| hook.fires.clone())?;
    if fires.is_empty() {
        return Err(Refusal::not_found("the hook has never fired"));
    }
    let (group, id) = key(call);
    let count = fires.len();
    let items = fires.into_iter().enumerate().rev().map(|(number, fire)| {
        let result = if fire.error.is_some() { "error" } else { "success" };
        let item = json!({
            "hookGroupId": group, "hookId": id, "firedBy": fire.by, "taskId": fire.task_id,
            "taskCreateTime": timestamp(fire.time), "result": result,
            "error": fire.error.unwrap_or_default(),
            "taskState": state_of_task(context, &fire.task_id),
        });
        (format!("{:020}", count - number), item)
    });
    page(&context.token_key, call, "lastFires", items)
}

/// Gets the state of a task from the queue.
fn state_of_task(context: &Context, task_id: &str) -> Value {
    let caller = ("static/taskcluster/hooks", vec![format!("queue:status:{task_id}")]);
    context
        .call(&Queue::REFERENCE, "status", caller, &[("taskId", task_id)], None)
        .map_or_else(|_| json!("unknown"), |answer| answer["status"]["state"].clone())
}
