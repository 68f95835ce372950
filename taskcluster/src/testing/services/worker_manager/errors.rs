//! The errors of worker pools.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::pool_error::PoolError;
use super::store::{CLIENT, Store, WorkerManager};
use super::worker::routed;
use crate::testing::http::answer::{Refusal, text, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::Context;
use crate::{Notify, WorkerManagerEvents, slugid};

/// Answers calls about errors. Returns `None` for other endpoints.
pub(super) fn answer(
    manager: &WorkerManager,
    context: &Context,
    call: &RecordedCall,
) -> Option<Result<Value, Refusal>> {
    match call.endpoint.name {
        "reportWorkerError" => Some(report(manager, context, call)),
        "listWorkerPoolErrors" => {
            Some(manager.with(context, |store, _| list(context, call, store)))
        }
        "workerPoolErrorStats" => Some(manager.with(context, |store, now| stats(call, store, now))),
        _ => None,
    }
}

/// Records and announces an error. If the owner of the pool wants a mail that cannot be sent, it does neither.
fn report(
    manager: &WorkerManager,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let (pool, payload) = (call.arg("workerPoolId"), call.payload());
    let (group, worker) = (text(payload, "workerGroup")?, text(payload, "workerId")?);
    let (title, description) = (text(payload, "title")?, text(payload, "description")?);
    let mut extra = payload["extra"].clone();
    extra["workerGroup"] = json!(group);
    extra["workerId"] = json!(worker);
    let (error, mail) = manager.with(context, |store, now| {
        let name = (pool.to_owned(), group.clone(), worker.clone());
        let about = store.pool(pool)?;
        let is_new = !store.errors.iter().any(|known| {
            (&known.pool, &known.extra, &known.description) == (&about.id, &extra, &description)
        });
        let error = PoolError {
            id: slugid::v4(),
            pool: pool.to_owned(),
            reported: now,
            kind: text(payload, "kind")?,
            title: title.clone(),
            description: description.clone(),
            extra: extra.clone(),
            launch_config: store.workers.get(&name).and_then(|known| known.launch_config.clone()),
        };
        Ok((error, (about.email_on_error && is_new).then(|| about.owner.clone())))
    })?;
    let answer = error.to_json();
    if let Some(owner) = mail {
        let content =
            format!("Worker pool {pool} has an error:\n\n{description}\n\nErrorId: {}", error.id);
        let payload = json!({
            "address": owner, "subject": format!("Taskcluster Worker Manager Error: {title}"),
            "content": content,
        });
        let caller = (CLIENT, vec!["notify:email:*".to_owned()]);
        if let Err(refusal) = context.call(&Notify::REFERENCE, "email", caller, &[], Some(payload))
        {
            tracing::error!(
                "an error of worker pool {pool} is lost, for its owner gets no mail: {refusal}"
            );
            return Ok(answer);
        }
    }
    manager.with(context, |store, now| {
        if let Ok(about) = store.pool(pool) {
            let mut payload = json!({
                "workerPoolId": pool, "providerId": about.provider, "errorId": error.id,
                "kind": error.kind, "title": error.title, "timestamp": timestamp(now),
                "workerGroup": group, "workerId": worker,
            });
            if let Some(launch_config) = &error.launch_config {
                payload["launchConfigId"] = json!(launch_config);
            }
            store.announce(routed(WorkerManagerEvents::worker_pool_error().exchange(), payload));
        }
        store.errors.push(error);
    });
    Ok(answer)
}

/// Lists errors, the latest first.
fn list(context: &Context, call: &RecordedCall, store: &Store) -> Result<Value, Refusal> {
    let pool = call.arg("workerPoolId");
    let (id, config) = (call.query_value("errorId"), call.query_value("launchConfigId"));
    let holds = |error: &&PoolError| {
        error.pool == pool
            && id.is_none_or(|id| error.id == id)
            && config.is_none_or(|config| error.launch_config.as_deref() == Some(config))
    };
    let items = store.errors.iter().rev().filter(holds).map(|error| {
        let before = i64::MAX - error.reported.timestamp_micros();
        (format!("{before:020} {}", error.id), error.to_json())
    });
    page(&context.token_key, call, "workerPoolErrors", items)
}

/// Counts errors by day, hour, and what they are about.
fn stats(call: &RecordedCall, store: &Store, now: DateTime<Utc>) -> Result<Value, Refusal> {
    let pool = call.query_value("workerPoolId").filter(|pool| !pool.is_empty());
    if let Some(pool) = pool {
        store.pool(pool)?;
    }
    let errors: Vec<_> =
        store.errors.iter().filter(|error| pool.is_none_or(|pool| error.pool == pool)).collect();
    let daily = by_time(&errors, now, TimeDelta::days(1), 7);
    let hourly = by_time(&errors, now, TimeDelta::hours(1), 24);
    let total: u64 = daily.values().filter_map(Value::as_u64).sum();
    let code = |error: &PoolError| match &error.extra["code"] {
        Value::Null => "other".to_owned(),
        Value::String(code) => code.clone(),
        other => other.to_string(),
    };
    let launch_config =
        |error: &PoolError| error.launch_config.clone().unwrap_or_else(|| "unknown".to_owned());
    let of_pool = if pool.is_some() { errors.as_slice() } else { &[] };
    Ok(json!({
        "workerPoolId": pool.unwrap_or_default(),
        "totals": {
            "total": total, "daily": daily, "hourly": hourly,
            "title": by(&errors, |error| error.title.clone()),
            "code": by(&errors, code),
            "workerPool": by(&errors, |error| error.pool.clone()),
            "launchConfig": by(of_pool, launch_config),
        },
    }))
}

fn by(errors: &[&PoolError], key: impl Fn(&PoolError) -> String) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for error in errors {
        *counts.entry(key(error)).or_default() += 1;
    }
    counts
}

/// Counts the errors of the last days or hours, also of those without any.
fn by_time(
    errors: &[&PoolError],
    now: DateTime<Utc>,
    step: TimeDelta,
    steps: i32,
) -> Map<String, Value> {
    let begin = |time: DateTime<Utc>| time.duration_trunc(step).unwrap_or(time);
    let count =
        |start: DateTime<Utc>| errors.iter().filter(|error| begin(error.reported) == start).count();
    let starts = (0..steps).rev().map(|back| begin(now) - step * back);
    starts.map(|start| (timestamp(start), json!(count(start)))).collect()
}
