//! How workers get their credentials.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::store::{Act, Store};
use super::worker::{Name, State, Worker, reregistration};
use crate::WorkerManagerEvents;
use crate::slugid;
use crate::testing::http::answer::{Refusal, text, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::services::context::Context;

/// From how much earlier a worker's credentials are good.
const LEEWAY: chrono::TimeDelta = chrono::TimeDelta::minutes(15);

/// How calls by workers that register are answered. Returns `None` for other endpoints.
pub(super) fn act(endpoint: &str) -> Option<Act> {
    Some(match endpoint {
        "registerWorker" => register,
        "reregisterWorker" => register_again,
        _ => return None,
    })
}

fn name(payload: &Value) -> Result<Name, Refusal> {
    Ok((text(payload, "workerPoolId")?, text(payload, "workerGroup")?, text(payload, "workerId")?))
}

fn register(
    context: &Context,
    call: &RecordedCall,
    store: &mut Store,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let payload = call.payload();
    let (name, provider) = (name(payload)?, text(payload, "providerId")?);
    let pool = store.pool(&name.0)?;
    if store.provider(&provider).is_none() {
        return Err(Refusal::not_found(format!("provider {provider} does not exist")));
    }
    if pool.provider != provider && !pool.previous_providers.contains(&provider) {
        return Err(Refusal::input(format!(
            "worker pool {} is not one of provider {provider}",
            name.0
        )));
    }
    let config = pool.config();
    let worker = store.worker_mut(&name)?;
    let refused = |why: &str| Err(Refusal::input(format!("worker {}/{} {why}", name.1, name.2)));
    if worker.expires < now {
        return refused("has expired");
    }
    if worker.provider != provider {
        return refused(&format!("is not one of provider {provider}"));
    }
    let wanted = if worker.of_cloud.is_some() { State::Requested } else { State::Running };
    if worker.state != wanted {
        return refused(&format!("is {}, not {}", worker.state.name(), wanted.name()));
    }
    if payload["workerIdentityProof"] != worker.proof {
        return refused("has not proved its identity");
    }
    let (expires, config) = match &mut worker.of_cloud {
        Some(of_cloud) => {
            of_cloud.terminate_after = now + of_cloud.reregistration;
            (of_cloud.terminate_after, of_cloud.config.clone())
        }
        None => (now + reregistration(&config), config["workerConfig"].clone()),
    };
    let mut answer = credentials(context, worker, now, expires)?;
    answer["workerConfig"] = if config.is_null() { json!({}) } else { config };
    if worker.of_cloud.is_some() {
        worker.state = State::Running;
        worker.modified = now;
        let message = worker.message(WorkerManagerEvents::worker_running().exchange(), None, now);
        store.announce(message);
    }
    Ok(answer)
}

fn register_again(
    context: &Context,
    call: &RecordedCall,
    store: &mut Store,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let payload = call.payload();
    let name = name(payload)?;
    let unknown = || Refusal::input("this worker has no such secret");
    let worker = store.worker_mut(&name).map_err(|_| unknown())?;
    if worker.secret.is_none() || worker.secret.as_deref() != payload["secret"].as_str() {
        return Err(unknown());
    }
    if worker.state != State::Running {
        return Err(Refusal::input(format!("worker {}/{} is not running", name.1, name.2)));
    }
    if worker.expires < now {
        return Err(Refusal::input(format!("worker {}/{} has expired", name.1, name.2)));
    }
    let of_cloud = worker.of_cloud.as_ref().map(|of_cloud| of_cloud.reregistration);
    let expires = now + of_cloud.unwrap_or_else(|| reregistration(&Value::Null));
    if let Some(of_cloud) = &mut worker.of_cloud {
        of_cloud.terminate_after = expires;
    }
    credentials(context, worker, now, expires)
}

/// Issues a worker's credentials, and the secret for the next ones.
fn credentials(
    context: &Context,
    worker: &mut Worker,
    now: DateTime<Utc>,
    expires: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let (pool, group, id) = &worker.name;
    let mut scopes = vec![
        format!("assume:worker-type:{pool}"),
        format!("assume:worker-pool:{pool}"),
        format!("assume:worker-id:{group}/{id}"),
        format!("queue:worker-id:{group}/{id}"),
        format!("secrets:get:worker-type:{pool}"),
        format!("secrets:get:worker-pool:{pool}"),
        format!("queue:claim-work:{pool}"),
    ];
    for right in ["remove-worker", "reregister-worker", "should-worker-terminate"] {
        scopes.push(format!("worker-manager:{right}:{pool}/{group}/{id}"));
    }
    let client = format!("worker/{}/{pool}/{group}/{id}", worker.provider);
    let credentials = context.temporary_credentials(&client, scopes, now - LEEWAY, expires)?;
    let secret = slugid::nice() + &slugid::nice();
    worker.secret = Some(secret.clone());
    Ok(json!({"expires": timestamp(expires), "credentials": credentials, "secret": secret}))
}
