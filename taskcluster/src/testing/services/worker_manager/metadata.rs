//! Workers as the queue knows them, with what the worker manager adds.

use serde_json::{Value, json};

use super::store::{CLIENT, WorkerManager};
use crate::Queue;
use crate::testing::http::answer::Refusal;
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::Context;

/// Answers calls about the queue's workers. Returns `None` for other endpoints.
pub(super) fn answer(
    manager: &WorkerManager,
    context: &Context,
    call: &RecordedCall,
) -> Option<Result<Value, Refusal>> {
    match call.endpoint.name {
        "listWorkers" => Some(list(manager, context, call)),
        "getWorker" => Some(get(manager, context, call)),
        _ => None,
    }
}

fn caller() -> (&'static str, Vec<String>) {
    (CLIENT, vec!["queue:list-workers:*".to_owned(), "queue:get-worker:*".to_owned()])
}

fn list(manager: &WorkerManager, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let args = ["provisionerId", "workerType"].map(|name| (name, call.arg(name)));
    let workers = context.list(&Queue::REFERENCE, "listWorkers", caller(), &args, "workers")?;
    let (state, config) = (call.query_value("workerState"), call.query_value("launchConfigId"));
    let only_quarantined = call.query_value("quarantined") == Some("true");
    let now = context.now();
    let items = workers.into_iter().filter_map(|mut worker| {
        add(manager, context, call, &mut worker);
        let until = worker["quarantineUntil"].as_str().and_then(|until| until.parse().ok());
        let is_quarantined = until.is_some_and(|until: chrono::DateTime<chrono::Utc>| until >= now);
        let is_wanted = state.is_none_or(|state| worker["state"] == state)
            && config.is_none_or(|config| worker["launchConfigId"] == config)
            && (is_quarantined || !only_quarantined);
        let key = [&worker["workerGroup"], &worker["workerId"]]
            .map(|part| part.as_str().unwrap_or_default())
            .join("/");
        is_wanted.then_some((key, worker))
    });
    page(&context.token_key, call, "workers", items)
}

fn get(manager: &WorkerManager, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let args = ["provisionerId", "workerType", "workerGroup", "workerId"];
    let args = args.map(|name| (name, call.arg(name)));
    let mut worker = context.call(&Queue::REFERENCE, "getWorker", caller(), &args, None)?;
    add(manager, context, call, &mut worker);
    for name in ["provisionerId", "workerType"] {
        worker[name] = json!(call.arg(name));
    }
    if let Some(properties) = worker.as_object_mut() {
        properties.remove("taskQueueId");
        properties.remove("actions");
    }
    Ok(worker)
}

/// Adds what the worker manager knows of a worker, or that it does not know it.
fn add(manager: &WorkerManager, context: &Context, call: &RecordedCall, worker: &mut Value) {
    let pool = format!("{}/{}", call.arg("provisionerId"), call.arg("workerType"));
    let part = |name: &str| worker[name].as_str().unwrap_or_default().to_owned();
    let name = (pool.clone(), part("workerGroup"), part("workerId"));
    let known = manager.with(context, |store, _| store.workers.get(&name).cloned());
    worker["workerPoolId"] = json!(pool);
    worker["state"] = json!(known.as_ref().map_or("standalone", |known| known.state.name()));
    worker["capacity"] = json!(known.as_ref().map_or(0, |known| known.capacity));
    worker["providerId"] = json!(known.as_ref().map_or("none", |known| known.provider.as_str()));
    if let Some(launch_config) = known.and_then(|known| known.launch_config) {
        worker["launchConfigId"] = json!(launch_config);
    }
}
