//! Endpoints about workers.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::providers::{Provider, ProviderType};
use super::store::{Act, Store};
use super::worker::{Name, State, Worker};
use crate::testing::http::answer::{Refusal, date};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::Context;

/// How calls about workers are answered. Returns `None` for other endpoints.
pub(super) fn act(endpoint: &str) -> Option<Act> {
    Some(match endpoint {
        "worker" => |_, call, store, _| Ok(store.worker_mut(&name(call))?.to_json()),
        "createWorker" => create,
        "updateWorker" => update,
        "removeWorker" => remove,
        "shouldWorkerTerminate" => |_, call, store, _| {
            let decision = store.worker_mut(&name(call))?.decision.clone();
            let (terminate, reason) = decision.unwrap_or_else(|| (false, "none".to_owned()));
            Ok(json!({"terminate": terminate, "reason": reason}))
        },
        "listWorkersForWorkerGroup" => |context, call, store, _| {
            list(context, call, store, |worker| worker.name.1 == call.arg("workerGroup"))
        },
        "listWorkersForWorkerPool" => |context, call, store, _| {
            store.pool(call.arg("workerPoolId"))?;
            let (state, config) = (call.query_value("state"), call.query_value("launchConfigId"));
            list(context, call, store, |worker| {
                state.is_none_or(|state| state == worker.state.name())
                    && config.is_none_or(|config| worker.launch_config.as_deref() == Some(config))
            })
        },
        _ => return None,
    })
}

fn name(call: &RecordedCall) -> Name {
    let [pool, group, id] =
        ["workerPoolId", "workerGroup", "workerId"].map(|name| call.arg(name).to_owned());
    (pool, group, id)
}

/// Lists workers of a pool, the latest first.
fn list(
    context: &Context,
    call: &RecordedCall,
    store: &Store,
    holds: impl Fn(&Worker) -> bool,
) -> Result<Value, Refusal> {
    let mut workers: Vec<_> =
        store.workers_of(call.arg("workerPoolId")).filter(|worker| holds(worker)).collect();
    workers.sort_by_key(|worker| std::cmp::Reverse(worker.place));
    let items = workers
        .into_iter()
        .map(|worker| (format!("{:020}", u64::MAX - worker.place), worker.to_json()));
    page(&context.token_key, call, "workers", items)
}

/// Returns the provider of the pool that a call names.
fn provider<'s>(store: &'s Store, call: &RecordedCall) -> Result<(&'s str, Provider), Refusal> {
    let id = &store.pool(call.arg("workerPoolId"))?.provider;
    let missing = || Refusal::not_found(format!("provider {id} does not exist"));
    Ok((id, store.provider(id).ok_or_else(missing)?))
}

/// Refuses to create or change a worker that is not run by somebody outside.
fn check_static(id: &str, provider: Provider) -> Result<(), Refusal> {
    match provider {
        Provider::Of(ProviderType::Static) => Ok(()),
        _ => Err(Refusal::input(format!("provider {id} creates its workers itself"))),
    }
}

fn capacity(payload: &Value) -> Result<u64, Refusal> {
    match &payload["capacity"] {
        Value::Null => Ok(1),
        capacity => capacity.as_u64().ok_or_else(|| Refusal::input("`capacity` is not an integer")),
    }
}

/// Reads the secret that a worker proves its identity with.
fn proof(payload: &Value) -> Result<Value, Refusal> {
    match &payload["providerInfo"] {
        info @ Value::Object(_) => Ok(info.clone()),
        _ => Err(Refusal::input("`providerInfo` has no `staticSecret`")),
    }
}

fn create(
    _: &Context,
    call: &RecordedCall,
    store: &mut Store,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let payload = call.payload();
    store.pool(call.arg("workerPoolId"))?;
    let expires = date(payload, "expires")?;
    if expires < now {
        return Err(Refusal::input("`expires` is in the past"));
    }
    let (id, provider) = provider(store, call)?;
    check_static(id, provider)?;
    let worker = Worker {
        name: name(call),
        provider: id.to_owned(),
        capacity: capacity(payload)?,
        state: State::Running,
        created: now,
        expires,
        modified: now,
        checked: now,
        launch_config: None,
        proof: proof(payload)?,
        secret: None,
        of_cloud: None,
        decision: None,
        place: store.place(),
    };
    let answer = worker.to_json();
    match store.workers.get(&worker.name) {
        None => {
            store.workers.insert(worker.name.clone(), worker);
        }
        // It stays as it is, although the service answers with what was sent.
        Some(known) => {
            let important =
                |worker: &Worker| (worker.provider.clone(), worker.state, worker.capacity);
            if important(known) != important(&worker) {
                let (pool, group, id) = &worker.name;
                return Err(Refusal::conflict(format!(
                    "a different worker {group}/{id} of {pool} already exists"
                )));
            }
        }
    }
    Ok(answer)
}

/// Changes a worker. An `expires` in the past is fine: it ends the worker.
fn update(
    _: &Context,
    call: &RecordedCall,
    store: &mut Store,
    _: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let payload = call.payload();
    let (id, provider) = provider(store, call)?;
    let (id, name) = (id.to_owned(), name(call));
    store.worker_mut(&name)?;
    check_static(&id, provider)?;
    let worker = store.worker_mut(&name)?;
    let (expires, capacity) = (date(payload, "expires")?, capacity(payload)?);
    worker.proof = proof(payload)?;
    worker.expires = expires;
    worker.capacity = capacity;
    Ok(worker.to_json())
}

fn remove(
    _: &Context,
    call: &RecordedCall,
    store: &mut Store,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let name = name(call);
    let worker = store.worker_mut(&name)?;
    if worker.of_cloud.is_none() {
        worker.state = State::Stopped;
    } else {
        store.remove(&name, "workerManager.removeWorker API call", now);
    }
    Ok(json!({}))
}
