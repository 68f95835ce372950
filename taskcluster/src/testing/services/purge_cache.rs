//! The purge-cache service: which caches workers should drop.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::testing::http::answer::{Refusal, Reply, text, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::{Context, Service};

/// How long a request is kept: workers use no cache for longer.
const KEPT: TimeDelta = TimeDelta::days(1);

/// All requests by worker pool and cache. Caches from before a request's time are stale.
#[derive(Default)]
pub(crate) struct PurgeCache(Mutex<BTreeMap<(String, String), DateTime<Utc>>>);

impl PurgeCache {
    fn at(&self, now: DateTime<Utc>) -> MutexGuard<'_, BTreeMap<(String, String), DateTime<Utc>>> {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        requests.retain(|_, before| *before + KEPT > now);
        requests
    }
}

impl Service for PurgeCache {
    fn answer(&self, context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
        Some(match call.endpoint.name {
            "purgeCache" => purge(self, context, call),
            "allPurgeRequests" => all(self, context, call).map(Reply::from),
            "purgeRequests" => of_pool(self, context, call).map(Reply::from),
            _ => return None,
        })
    }
}

/// Returns the worker pool in a call's arguments, which a call of 2017 gives in two halves.
fn pool(call: &RecordedCall) -> String {
    match call.args.get("workerPoolId") {
        Some(pool) => pool.clone(),
        None => format!("{}/{}", call.arg("provisionerId"), call.arg("workerType")),
    }
}

fn to_json(pool: &str, cache: &str, before: DateTime<Utc>) -> Value {
    let (provisioner, worker_type) = pool.split_once('/').unwrap_or((pool, ""));
    json!({
        "provisionerId": provisioner, "workerType": worker_type, "cacheName": cache,
        "before": timestamp(before),
    })
}

fn purge(requests: &PurgeCache, context: &Context, call: &RecordedCall) -> Result<Reply, Refusal> {
    let now = context.now();
    let cache = text(call.payload(), "cacheName")?;
    requests.at(now).insert((pool(call), cache), now);
    Ok(Reply::new(StatusCode::NO_CONTENT))
}

fn all(requests: &PurgeCache, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let requests = requests.at(context.now());
    let items = requests
        .iter()
        .map(|((pool, cache), before)| (format!("{pool} {cache}"), to_json(pool, cache, *before)));
    page(&context.token_key, call, "requests", items)
}

fn of_pool(
    requests: &PurgeCache,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let since = match call.query_value("since") {
        Some(since) => Some(
            since
                .parse::<DateTime<Utc>>()
                .map_err(|_| Refusal::arguments(format!("`since` is not a date: {since:?}")))?,
        ),
        None => None,
    };
    let wanted = pool(call);
    let requests = requests.at(context.now());
    let of_pool = requests.iter().filter(|((pool, _), before)| {
        *pool == wanted && since.is_none_or(|since| **before >= since)
    });
    let items: Vec<_> =
        of_pool.map(|((pool, cache), before)| to_json(pool, cache, *before)).collect();
    let mut answer = json!({"requests": items});
    if call.is_of_2017() {
        answer["cacheHit"] = json!(false);
    }
    Ok(answer)
}
