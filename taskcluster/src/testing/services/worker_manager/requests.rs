//! Requests of workers from a cloud, which the provisioner of a real deployment makes on its own.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::providers::{Provider, ProviderType};
use super::store::Store;
use super::worker::{OfCloud, State, Worker, counts, reregistration};
use crate::testing::http::answer::Refusal;
use crate::{WorkerManagerEvents, slugid};

/// How long a worker is kept.
const WEEK: TimeDelta = TimeDelta::days(7);

/// The longest time for a worker to register.
const LONGEST_REGISTRATION: i64 = 30 * 86_400;

/// Requests a worker by the launch configuration that has the fewest.
pub(super) fn request(
    store: &mut Store,
    pool: &str,
    now: DateTime<Utc>,
) -> Result<Worker, Refusal> {
    let about = store.pool(pool)?;
    let Some(Provider::Of(cloud)) = store.provider(&about.provider) else {
        return Err(Refusal::input(format!("worker pool {pool} is about to go")));
    };
    if cloud == ProviderType::Static {
        return Err(Refusal::input(format!(
            "the provider of worker pool {pool} does not create workers; call `createWorker`"
        )));
    }
    let weight = |config: &Value| config["workerManager"]["initialWeight"].as_f64().unwrap_or(1.0);
    let workers_by = |id: &str| {
        store.workers_of(pool).filter(|worker| worker.launch_config.as_deref() == Some(id)).count()
    };
    let found = about
        .launch_configs
        .active()
        .map(|launch_config| (launch_config.id.clone(), launch_config.to_config()))
        .filter(|(_, config)| weight(config) > 0.0)
        .min_by_key(|(id, _)| workers_by(id));
    let Some((launch_config, config)) = found else {
        return Err(Refusal::input(format!("worker pool {pool} has no launch config to use")));
    };
    let capacity = config["workerManager"]["capacityPerInstance"].as_u64();
    let capacity = capacity.or(config["capacityPerInstance"].as_u64()).unwrap_or(1);
    let of_pool = about.config();
    let most = of_pool["maxCapacity"].as_u64().unwrap_or_default();
    let present = counts(store.workers_of(pool))["currentCapacity"].as_u64().unwrap_or_default();
    if present.saturating_add(capacity) > most {
        return Err(Refusal::input(format!("worker pool {pool} has its `maxCapacity` of {most}")));
    }
    let group = ["zone", "region", "location"].into_iter().find_map(|name| config[name].as_str());
    let reregistration = reregistration(&of_pool);
    let registration = of_pool["lifecycle"]["registrationTimeout"].as_i64();
    let registration = registration.map_or(reregistration, |seconds| {
        TimeDelta::seconds(seconds.clamp(0, LONGEST_REGISTRATION))
    });
    let worker = Worker {
        name: (pool.to_owned(), group.unwrap_or("here").to_owned(), slugid::nice()),
        provider: about.provider.clone(),
        capacity,
        state: State::Requested,
        created: now,
        expires: now + WEEK,
        modified: now,
        checked: now,
        launch_config: Some(launch_config),
        proof: proof(cloud),
        secret: None,
        of_cloud: Some(OfCloud {
            config: config["workerConfig"].clone(),
            reregistration,
            terminate_after: now + registration.min(reregistration),
            gone: None,
        }),
        decision: None,
        place: store.place(),
    };
    store.announce(worker.message(WorkerManagerEvents::worker_requested().exchange(), None, now));
    store.workers.insert(worker.name.clone(), worker.clone());
    Ok(worker)
}

/// A proof of identity in the form of a cloud's.
fn proof(cloud: ProviderType) -> Value {
    let random = || slugid::v4() + &slugid::v4();
    match cloud {
        ProviderType::Aws => json!({"document": random(), "signature": random()}),
        ProviderType::Azure => json!({"document": random()}),
        ProviderType::Google => json!({"token": random()}),
        ProviderType::Static => json!({"staticSecret": random()}),
    }
}
