//! Endpoints about worker pools and their launch configurations.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::launch_configs::Changes;
use super::pool::Pool;
use super::providers::Provider;
use super::store::{Act, Store};
use super::worker::{counts, routed};
use crate::WorkerManagerEvents;
use crate::testing::http::answer::{Refusal, text};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::Context;
use crate::testing::services::context::message::Message;

/// How many providers a page has unless the caller wants fewer.
const PROVIDERS: usize = 100;

/// How calls about worker pools are answered. Returns `None` for other endpoints.
pub(super) fn act(endpoint: &str) -> Option<Act> {
    Some(match endpoint {
        "listProviders" => list_providers,
        "createWorkerPool" => create,
        "updateWorkerPool" => update,
        "deleteWorkerPool" => delete,
        "workerPool" => |_, call, store, _| {
            let id = call.arg("workerPoolId");
            let counts = counts(store.workers_of(id));
            store.pool(id).map(|pool| pool.to_json(counts))
        },
        // Without counts, which the service gives for single pools only.
        "listWorkerPools" => |context, call, store, _| {
            let pools = store.pools.iter();
            let items = pools.map(|(id, pool)| (id.clone(), pool.to_json(counts([].into_iter()))));
            page(&context.token_key, call, "workerPools", items)
        },
        "listWorkerPoolsStats" => list_stats,
        "workerPoolStats" => stats,
        "listWorkerPoolLaunchConfigs" => list_launch_configs,
        _ => return None,
    })
}

fn list_providers(
    _: &Context,
    call: &RecordedCall,
    store: &mut Store,
    _: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let number = |name: &str| match call.query_value(name) {
        None => Ok(None),
        Some(text) => text
            .parse::<usize>()
            .map(Some)
            .map_err(|_| Refusal::arguments(format!("`{name}` is not a number: {text:?}"))),
    };
    let (start, limit) = (number("continuationToken")?, number("limit")?);
    let (start, limit) = (start.unwrap_or_default(), limit.unwrap_or(PROVIDERS));
    let all = store.providers();
    let items = all.iter().skip(start).take(limit);
    let items: Vec<_> =
        items.map(|(id, kind)| json!({"providerId": id, "providerType": kind.name()})).collect();
    let mut answer = json!({"providers": items});
    let end = start.saturating_add(limit);
    if end < all.len() {
        answer["continuationToken"] = json!(end.to_string());
    }
    Ok(answer)
}

/// Refuses a definition whose provider does not exist, or does not understand the configuration.
fn check(store: &Store, payload: &Value) -> Result<(), Refusal> {
    let id = text(payload, "providerId")?;
    let provider: Provider = store
        .provider(&id)
        .ok_or_else(|| Refusal::input(format!("provider {id:?} does not exist")))?;
    provider.check(&payload["config"])
}

fn create(
    _: &Context,
    call: &RecordedCall,
    store: &mut Store,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let (id, payload) = (call.arg("workerPoolId"), call.payload());
    check(store, payload)?;
    let changes = match store.pools.get(id) {
        Some(pool) if pool.is_defined_by(payload) => Changes::default(),
        Some(_) => {
            return Err(Refusal::conflict(format!("a different worker pool {id} already exists")));
        }
        None => {
            let (pool, changes) = Pool::new(id, payload, now)?;
            store.pools.insert(id.to_owned(), pool);
            changes
        }
    };
    let (pool, counts) = (store.pool(id)?, counts(store.workers_of(id)));
    let answer = pool.to_json(counts);
    let about = json!({"workerPoolId": id, "providerId": pool.provider});
    store.announce(unrouted(WorkerManagerEvents::worker_pool_created().exchange(), about));
    announce(store, &answer, &changes);
    Ok(answer)
}

fn update(
    _: &Context,
    call: &RecordedCall,
    store: &mut Store,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let payload = call.payload();
    check(store, payload)?;
    if payload["workerPoolId"].as_str().is_some_and(|id| id != call.arg("workerPoolId")) {
        return Err(Refusal::input("`workerPoolId` is not that of the URL"));
    }
    change(call, store, |pool| pool.update(payload, now))
}

fn delete(
    _: &Context,
    call: &RecordedCall,
    store: &mut Store,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    change(call, store, |pool| pool.delete(now))
}

/// Changes a pool. As from the service, the answer has no counts.
fn change(
    call: &RecordedCall,
    store: &mut Store,
    act: impl FnOnce(&mut Pool) -> Result<Changes, Refusal>,
) -> Result<Value, Refusal> {
    let id = call.arg("workerPoolId");
    store.pool(id)?;
    let Some(pool) = store.pools.get_mut(id) else { return Ok(Value::Null) };
    let former = pool.provider.clone();
    let changes = act(pool)?;
    let answer = pool.to_json(counts([].into_iter()));
    let about = json!({
        "workerPoolId": id, "providerId": pool.provider, "previousProviderId": former,
    });
    store.announce(unrouted(WorkerManagerEvents::worker_pool_updated().exchange(), about));
    announce(store, &answer, &changes);
    Ok(answer)
}

/// A message about a pool, whose routing key says nothing about it.
fn unrouted(exchange: &'static crate::Exchange, payload: Value) -> Message {
    Message::new(exchange, &[], &[], payload)
}

/// Announces what has changed about the launch configurations of a pool.
fn announce(store: &mut Store, pool: &Value, changes: &Changes) {
    for (exchange, ids) in [
        (WorkerManagerEvents::launch_config_updated().exchange(), &changes.updated),
        (WorkerManagerEvents::launch_config_created().exchange(), &changes.created),
        (WorkerManagerEvents::launch_config_archived().exchange(), &changes.archived),
    ] {
        for id in ids {
            let payload = json!({
                "workerPoolId": pool["workerPoolId"], "providerId": pool["providerId"],
                "launchConfigId": id,
            });
            store.announce(routed(exchange, payload));
        }
    }
}

fn list_stats(
    context: &Context,
    call: &RecordedCall,
    store: &mut Store,
    _: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let items = store.pools.keys().map(|id| {
        let mut counts = counts(store.workers_of(id));
        counts.insert("workerPoolId".to_owned(), json!(id));
        (id.clone(), Value::Object(counts))
    });
    page(&context.token_key, call, "workerPoolsStats", items)
}

/// Counts the workers of a pool by launch configuration. A pool without workers has one line of zeros.
fn stats(
    _: &Context,
    call: &RecordedCall,
    store: &mut Store,
    _: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let id = call.arg("workerPoolId");
    store.pool(id)?;
    let mut configs: Vec<_> = store.workers_of(id).map(|worker| &worker.launch_config).collect();
    configs.sort();
    configs.dedup();
    if configs.is_empty() {
        configs.push(&None);
    }
    let stats = configs.into_iter().map(|config| {
        let mut line =
            counts(store.workers_of(id).filter(|worker| worker.launch_config == *config));
        line.insert("workerPoolId".to_owned(), json!(id));
        line.insert("launchConfigId".to_owned(), json!(config.as_deref().unwrap_or("unknown")));
        Value::Object(line)
    });
    Ok(json!({"launchConfigStats": stats.collect::<Value>()}))
}

fn list_launch_configs(
    context: &Context,
    call: &RecordedCall,
    store: &mut Store,
    _: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let id = call.arg("workerPoolId");
    let all = call.query_value("includeArchived") == Some("true");
    let configs = store.pool(id)?.launch_configs.all();
    let configs = configs.filter(|config| all || !config.is_archived());
    let mut items: Vec<_> = configs.map(|config| (config.id.clone(), config.to_json(id))).collect();
    items.sort_by(|(one, _), (other, _)| one.cmp(other));
    page(&context.token_key, call, "workerPoolLaunchConfigs", items.into_iter())
}
