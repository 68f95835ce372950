//! The hooks service: templates that become tasks when they are triggered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::{Refusal, Reply, timestamp};
use super::authorization::authorize_as;
use super::messages::Message;
use super::paging::page;
use super::recorded::RecordedCall;
use super::schemas::{Problem, Schemas};
use super::state::State;
use crate::reference::Exchange;
use crate::required_scopes::parameters;
use crate::{HooksEvents, Queue, slugid};

/// All hooks by group and id.
#[derive(Default)]
pub(super) struct Hooks(Mutex<BTreeMap<(String, String), Hook>>);

struct Hook {
    /// As the service answers it.
    definition: Value,
    token: String,
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
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Hook>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        "hook" => of_hook(state, call, |hook| hook.definition.clone()),
        "getHookStatus" => of_hook(state, call, status),
        "createHook" => create(state, call),
        "updateHook" => update(state, call),
        "removeHook" => {
            if state.hooks.lock().remove(&key(call)).is_some() {
                publish(state, HooksEvents::hook_deleted().exchange(), call);
            }
            return Some(Ok(Reply::new(StatusCode::OK)));
        }
        "triggerHook" => fire(state, call, "triggerHook"),
        "triggerHookWithToken" => match check_token(state, call) {
            Ok(()) => fire(state, call, "triggerHookWithToken"),
            Err(refusal) => Err(refusal),
        },
        "getTriggerToken" => of_hook(state, call, |hook| json!({"token": hook.token})),
        "resetTriggerToken" => of_hook(state, call, |hook| {
            hook.token = slugid::v4();
            json!({"token": hook.token})
        }),
        "listLastFires" => list_fires(state, call),
        _ => return None,
    };
    Some(answer.map(Reply::from))
}

fn key(call: &RecordedCall) -> (String, String) {
    (call.arg("hookGroupId").to_owned(), call.arg("hookId").to_owned())
}

fn of_hook<T>(
    state: &State,
    call: &RecordedCall,
    act: impl FnOnce(&mut Hook) -> T,
) -> Result<T, Refusal> {
    let (group, id) = key(call);
    let no_hook = || Refusal::not_found(format!("there is no hook {group}/{id}"));
    state.hooks.lock().get_mut(&(group.clone(), id.clone())).map(act).ok_or_else(no_hook)
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
    for pattern in hook["schedule"].as_array().into_iter().flatten() {
        let words = pattern.as_str().unwrap_or_default().split_whitespace().count();
        if !matches!(words, 5 | 6) {
            return Err(Refusal::input(format!(
                "`schedule` has {pattern}, which is no cron pattern"
            )));
        }
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
        let hook = Hook { definition: definition.clone(), token: slugid::v4(), fires: Vec::new() };
        hooks.insert(key(call), hook);
    }
    publish(state, HooksEvents::hook_created().exchange(), call);
    Ok(definition)
}

fn update(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let definition = define(call)?;
    of_hook(state, call, |hook| hook.definition.clone_from(&definition))?;
    publish(state, HooksEvents::hook_updated().exchange(), call);
    Ok(definition)
}

fn check_token(state: &State, call: &RecordedCall) -> Result<(), Refusal> {
    match of_hook(state, call, |hook| hook.token == call.arg("token"))? {
        true => Ok(()),
        false => Err(Refusal::authentication("the trigger token is not that of the hook")),
    }
}

/// Makes a task of a hook.
fn fire(state: &State, call: &RecordedCall, by: &'static str) -> Result<Value, Refusal> {
    let hook = of_hook(state, call, |hook| hook.definition.clone())?;
    let (payload, now, task_id) = (call.payload(), state.now(), slugid::nice());
    Schemas::check_by(&hook["triggerSchema"], payload).map_err(|problem| {
        let (Problem::Misfit(why) | Problem::NoSchema(why)) = problem;
        Refusal::input(format!("the payload does not fit the hook's `triggerSchema`:\n\n{why}"))
    })?;
    let mut context = json!({"firedBy": by, "taskId": task_id, "payload": payload});
    if by == "triggerHook" {
        context["clientId"] = json!(call.client_id);
    }
    let made = render(&hook["task"], &context, &task_id, now)
        .and_then(|task| task.map(|task| create_task(state, call, &task_id, &task)).transpose());
    let error = made.as_ref().err().map(|refusal| refusal.message().to_owned());
    let nothing = matches!(made, Ok(None));
    if !nothing {
        let fire = Fire { by, task_id: task_id.clone(), time: now, error };
        of_hook(state, call, |hook| hook.fires.push(fire))?;
    }
    match made {
        Ok(None) => Ok(json!({})),
        Ok(Some(())) => Ok(json!({"taskId": task_id, "status": {"taskId": task_id}})),
        Err(refusal) => {
            Err(Refusal::input(format!("the hook could not make a task: {}", refusal.message())))
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
    let day = now + TimeDelta::days(1);
    for (name, default) in [
        ("created", timestamp(now)),
        ("deadline", timestamp(day)),
        ("taskGroupId", task_id.to_owned()),
    ] {
        task.entry(name).or_insert(json!(default));
    }
    Ok(Some(task))
}

/// Creates the task with the scopes of the role that the hook is.
fn create_task(
    state: &State,
    call: &RecordedCall,
    task_id: &str,
    task: &Map<String, Value>,
) -> Result<(), Refusal> {
    let (group, id) = key(call);
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
    json!({"lastFire": last})
}

fn list_fires(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let fires = of_hook(state, call, |hook| hook.fires.clone())?;
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
