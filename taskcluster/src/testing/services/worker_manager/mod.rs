//! The worker manager: worker pools, workers, and the errors they report.
//!
//! Nothing is provisioned: workers of a cloud come when a test requests them.

mod errors;
mod launch_configs;
mod metadata;
mod pool;
mod pool_error;
mod pools;
pub(crate) mod providers;
mod registration;
mod requests;
mod store;
mod worker;
mod workers;

use serde_json::{Map, Value, json};

use self::providers::ProviderType;
pub(crate) use self::store::WorkerManager;
use crate::testing::http::answer::{Refusal, Reply};
use crate::testing::http::call::RecordedCall;
use crate::testing::services::context::{Context, Service};

/// A worker that has been requested: what identifies it, its provider, and the proof of its identity.
pub(crate) struct Requested {
    pub(crate) name: (String, String, String),
    pub(crate) provider: String,
    pub(crate) proof: Value,
}

/// What tests do to it.
impl WorkerManager {
    pub(crate) fn add_provider(&self, context: &Context, id: &str, kind: ProviderType) {
        self.with(context, |store, _| store.add_provider(id, kind));
    }

    pub(crate) fn request(&self, context: &Context, pool: &str) -> Result<Requested, Refusal> {
        let worker = self.with(context, |store, now| requests::request(store, pool, now))?;
        Ok(Requested { name: worker.name, provider: worker.provider, proof: worker.proof })
    }

    pub(crate) fn decide(
        &self,
        context: &Context,
        (pool, group, id): (&str, &str, &str),
        decision: (bool, String),
    ) -> Result<(), Refusal> {
        let name = (pool.to_owned(), group.to_owned(), id.to_owned());
        self.with(context, |store, _| {
            store.worker_mut(&name)?.decision = Some(decision);
            Ok(())
        })
    }
}

impl Service for WorkerManager {
    fn answer(&self, context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
        let endpoint = call.endpoint.name;
        let act = pools::act(endpoint)
            .or_else(|| workers::act(endpoint))
            .or_else(|| registration::act(endpoint));
        let answer = match act {
            Some(act) => self.with(context, |store, now| act(context, call, store, now)),
            None => errors::answer(self, context, call)
                .or_else(|| metadata::answer(self, context, call))?,
        };
        Some(answer.map(Reply::from))
    }

    fn add_parameters(&self, _: &Context, call: &RecordedCall, known: &mut Map<String, Value>) {
        // The statistics of all pools require the scope of all pools.
        if call.endpoint.name == "workerPoolErrorStats" {
            let pool = call.query_value("workerPoolId").filter(|pool| !pool.is_empty());
            known.insert("workerPoolId".to_owned(), json!(pool.unwrap_or("*")));
        }
    }

    fn settle(&self, context: &Context) {
        self.with(context, |_, _| ());
    }
}
