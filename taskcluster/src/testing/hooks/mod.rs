//! The hooks service: templates that become tasks when they are triggered, by a schedule, or when a message comes.

mod fire;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::answer::{Refusal, Reply, timestamp};
use super::messages::Message;
use super::paging::page;
use super::recorded::RecordedCall;
use super::schemas::{Problem, Schemas};
use super::state::State;
use crate::reference::Exchange;
use crate::{HooksEvents, slugid};

/// A hook's group and its id in there.
type Key = (String, String);

/// All hooks.
#[derive(Default)]
pub(super) struct Hooks {
    hooks: Mutex<BTreeMap<Key, Hook>>,
    /// Those that messages have fired, with these messages, but which have made no task yet.
    fired: Mutex<Vec<(Key, Value)>>,
}

struct Hook {
    /// As the service answers it.
    definition: Value,
    token: String,
    /// When it fires by its schedule.
    next: Option<DateTime<Utc>>,
    /// The latest last.
    fires: Vec<Fire>,
}

#[derive(Clone)]
struct Fire {
    by: &'static str,
    task_id: String,
    time: DateTime<Utc>,
    /// What went wrong, if anything.
    error: Option<String>,
}

impl Hooks {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Hook>> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers what is built in; `None` for other endpoints.
pub(super) fn answer(state: &State, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
    // Hooks of 2017 were other ones.
    if call.is_of_2017() {
        return None;
    }
    let answer = match call.endpoint.name {
        "listHookGroups" => {
            let hooks = state.hooks.lock();
            let groups: BTreeSet<_> = hooks.keys().map(|(group, _)| group).collect();
            Ok(json!({"groups": groups}))
        }
        "listHooks" => list(state, call),
        "hook" => of_hook(state, &key(call), |hook| hook.definition.clone()),
        "getHookStatus" => of_hook(state, &key(call), status),
        "createHook" => create(state, call),
        "updateHook" => update(state, call),
        "removeHook" => {
            if state.hooks.lock().remove(&key(call)).is_some() {
                publish(state, HooksEvents::hook_deleted().exchange(), call);
            }
            return Some(Ok(Reply::new(StatusCode::OK)));
        }
        "triggerHook" => trigger(state, call, "triggerHook"),
        "triggerHookWithToken" => {
            check_token(state, call).and_then(|()| trigger(state, call, "triggerHookWithToken"))
        }
        "getTriggerToken" => of_hook(state, &key(call), |hook| json!({"token": hook.token})),
        "resetTriggerToken" => of_hook(state, &key(call), |hook| {
            hook.token = slugid::v4();
            json!({"token": hook.token})
        }),
        "listLastFires" => list_fires(state, call),
        _ => return None,
    };
    Some(answer.map(Reply::from))
}

fn key(call: &RecordedCall) -> Key {
    (call.arg("hookGroupId").to_owned(), call.arg("hookId").to_owned())
}

fn of_hook<T>(state: &State, key: &Key, act: impl FnOnce(&mut Hook) -> T) -> Result<T, Refusal> {
    let (group, id) = key;
    let no_hook = || Refusal::not_found(format!("there is no hook {group}/{id}"));
    state.hooks.lock().get_mut(key).map(act).ok_or_else(no_hook)
}

fn publish(state: &State, exchange: &'static Exchange, call: &RecordedCall) {
    let (group, id) = key(call);
    let payload = json!({"hookGroupId": group, "hookId": id});
    state.publish(Message::new(exchange, &[], &[], payload));
}

fn list(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let group = call.arg("hookGroupId");
    let hooks = state.hooks.lock();
    let of_group = hooks.iter().filter(|((known, _), _)| known == group);
    let found: Vec<_> = of_group.map(|(_, hook)| &hook.definition).collect();
    if found.is_empty() {
        return Err(Refusal::not_found(format!("there is no hook group {group}")));
    }
    Ok(json!({"hooks": found}))
}

/// Fills the defaults into a hook's definition.
fn define(call: &RecordedCall) -> Result<Value, Refusal> {
    let mut hook = json!({
        "schedule": [], "bindings": [],
        "triggerSchema": {"type": "object", "additionalProperties": false},
    });
    for (name, value) in call.payload().as_object().into_iter().flatten() {
        hook[name] = value.clone();
    }
    for name in ["hookGroupId", "hookId"] {
        if !hook[name].is_null() && hook[name] != call.arg(name) {
            return Err(Refusal::input(format!("`{name}` is another one than that in the URL")));
        }
        hook[name] = json!(call.arg(name));
    }
    // Whatever fits or not, it must be a schema.
    if let Err(Problem::NoSchema(why)) = Schemas::check_by(&hook["triggerSchema"], &json!({})) {
        return Err(Refusal::input(format!("`triggerSchema` is no JSON schema: {why}")));
    }
    if hook["metadata"]["emailOnError"].is_null() {
        hook["metadata"]["emailOnError"] = json!(true);
    }
    Ok(hook)
}

/// Creates a hook; the same one may be created again.
fn create(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let definition = define(call)?;
    let next = schedule::next(&definition["schedule"], state.now())?;
    {
        let mut hooks = state.hooks.lock();
        if let Some(hook) = hooks.get(&key(call)) {
            return if hook.definition == definition {
                Ok(definition)
            } else {
                let (group, id) = key(call);
                Err(Refusal::conflict(format!(
                    "there is a hook {group}/{id} already, and it is another one"
                )))
            };
        }
        let (token, fires) = (slugid::v4(), Vec::new());
        let hook = Hook { definition: definition.clone(), token, next, fires };
        hooks.insert(key(call), hook);
    }
    publish(state, HooksEvents::hook_created().exchange(), call);
    Ok(definition)
}

fn update(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let definition = define(call)?;
    let next = schedule::next(&definition["schedule"], state.now())?;
    of_hook(state, &key(call), |hook| {
        hook.definition.clone_from(&definition);
        hook.next = next;
    })?;
    publish(state, HooksEvents::hook_updated().exchange(), call);
    Ok(definition)
}

fn check_token(state: &State, call: &RecordedCall) -> Result<(), Refusal> {
    match of_hook(state, &key(call), |hook| hook.token == call.arg("token"))? {
        true => Ok(()),
        false => Err(Refusal::authentication("the trigger token is not that of the hook")),
    }
}

/// Makes a task of a hook, if the payload is what the hook wants.
fn trigger(state: &State, call: &RecordedCall, by: &'static str) -> Result<Value, Refusal> {
    let key = key(call);
    let schema = of_hook(state, &key, |hook| hook.definition["triggerSchema"].clone())?;
    Schemas::check_by(&schema, call.payload()).map_err(|problem| {
        let (Problem::Misfit(why) | Problem::NoSchema(why)) = problem;
        Refusal::input(format!("the payload does not fit the hook's `triggerSchema`:\n\n{why}"))
    })?;
    let mut context = json!({"firedBy": by, "payload": call.payload()});
    if by == "triggerHook" {
        context["clientId"] = json!(call.client_id);
    }
    state.fire_hook(&key, by, context)
}

fn status(hook: &mut Hook) -> Value {
    let last = match hook.fires.last() {
        None => json!({"result": "no-fire"}),
        Some(Fire { error: Some(error), time, .. }) => json!({
            "result": "error", "time": timestamp(*time), "error": {"message": error},
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

fn list_fires(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let fires = of_hook(state, &key(call), |hook| hook.fires.clone())?;
    let (group, id) = key(call);
    let count = fires.len();
    let items = fires.into_iter().enumerate().rev().map(|(number, fire)| {
        let result = if fire.error.is_some() { "error" } else { "success" };
        let item = json!({
            "hookGroupId": group, "hookId": id, "firedBy": fire.by, "taskId": fire.task_id,
            "taskCreateTime": timestamp(fire.time), "result": result,
            "error": fire.error.unwrap_or_default(),
            "taskState": state.state_of_task(&fire.task_id).unwrap_or("unknown"),
        });
        (format!("{:020}", count - number), item)
    });
    page(&state.token_key, call, "lastFires", items)
}
