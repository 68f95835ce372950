//! Worker pools, their workers, and the errors of these.

mod errors;
mod launch_configs;
mod pools;
mod registration;
mod workers;

use serde_json::{Value, json};
use taskcluster::testing::{Deployment, Messages};
use taskcluster::{Client, NamedCall, WorkerManager, WorkerManagerEvents};

use crate::deployment::with;

const POOL: &str = "prov/linux";

/// 44 letters, as secrets have.
const SECRET: &str = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqr";

fn call(tc: &Client, name: &str) -> NamedCall {
    tc.call(&WorkerManager::REFERENCE, name).unwrap()
}

fn of_pool(tc: &Client, name: &str) -> NamedCall {
    call(tc, name).param("workerPoolId", POOL)
}

fn of_worker(tc: &Client, name: &str, id: &str) -> NamedCall {
    of_pool(tc, name).param("workerGroup", "here").param("workerId", id)
}

/// The definition of a pool with a provider and its configuration.
fn pool(provider: &str, config: Value) -> Value {
    json!({
        "providerId": provider, "description": "d", "config": config, "owner": "o@example.com",
        "emailOnError": false,
    })
}

/// The configuration of a pool of machines in Amazon's cloud, with an image for each launch config.
fn images(images: &[&str]) -> Value {
    let launch_config =
        |image: &&str| json!({"region": "us-east-1", "launchConfig": {"ImageId": image}});
    let launch_configs: Vec<_> = images.iter().map(launch_config).collect();
    json!({"minCapacity": 0, "maxCapacity": 3, "launchConfigs": launch_configs})
}

async fn create_pool(tc: &Client, pool: Value) -> Value {
    of_pool(tc, "createWorkerPool").payload(pool).await.unwrap()
}

fn worker() -> Value {
    json!({"expires": "2100-01-01T00:00:00.000Z", "providerInfo": {"staticSecret": SECRET}})
}

/// Listens to all that the worker manager publishes.
fn listen(fake: &Deployment) -> Messages {
    let messages = fake.listen(WorkerManagerEvents::worker_pool_created()).unwrap();
    let messages = messages.bind(WorkerManagerEvents::worker_pool_updated()).unwrap();
    let messages = messages.bind(WorkerManagerEvents::worker_pool_error()).unwrap();
    let messages = messages.bind(WorkerManagerEvents::worker_requested()).unwrap();
    let messages = messages.bind(WorkerManagerEvents::worker_running()).unwrap();
    let messages = messages.bind(WorkerManagerEvents::worker_stopped()).unwrap();
    let messages = messages.bind(WorkerManagerEvents::worker_removed()).unwrap();
    let messages = messages.bind(WorkerManagerEvents::launch_config_created()).unwrap();
    let messages = messages.bind(WorkerManagerEvents::launch_config_updated()).unwrap();
    messages.bind(WorkerManagerEvents::launch_config_archived()).unwrap()
}

/// The exchanges that messages came from, without what all of them begin with, and the keys.
fn heard(messages: &mut Messages) -> Vec<(String, String)> {
    let name = |exchange: &str| exchange.rsplit_once('/').unwrap().1.to_owned();
    messages
        .take()
        .into_iter()
        .map(|message| (name(&message.exchange), message.routing_key))
        .collect()
}

/// What a worker proves its identity with, in `registerWorker`.
fn registration(provider: &str, id: &str, proof: Value) -> Value {
    with(
        json!({"workerPoolId": POOL, "providerId": provider, "workerIdentityProof": proof}),
        json!({"workerGroup": "here", "workerId": id}),
    )
}
