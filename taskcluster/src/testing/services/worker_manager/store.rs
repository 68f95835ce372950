//! The worker manager's store, which one caller at a time may use.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::pool::Pool;
use super::pool_error::PoolError;
use super::providers::{NULL_PROVIDER, Provider, ProviderType};
use super::worker::{Name, State, Worker};
use crate::WorkerManagerEvents;
use crate::testing::http::answer::Refusal;
use crate::testing::http::call::RecordedCall;
use crate::testing::services::context::Context;
use crate::testing::services::context::message::Message;

/// The client id of the worker manager.
pub(super) const CLIENT: &str = "static/taskcluster/worker-manager";

/// How long things are kept after their end: a real deployment looks for them once a day.
const KEPT: TimeDelta = TimeDelta::days(1);

/// How long errors are kept.
const ERRORS_KEPT: TimeDelta = TimeDelta::days(7);

/// How long a worker of a cloud takes to stop.
const STOPPING: TimeDelta = TimeDelta::minutes(1);

/// The worker manager.
#[derive(Default)]
pub(crate) struct WorkerManager(Mutex<Store>);

/// Everything that the worker manager keeps.
pub(super) struct Store {
    /// By id, in the order in which they were added.
    providers: Vec<(String, ProviderType)>,
    pub(super) pools: BTreeMap<String, Pool>,
    pub(super) workers: BTreeMap<Name, Worker>,
    /// The latest last.
    pub(super) errors: Vec<PoolError>,
    places: u64,
    messages: Vec<Message>,
}

/// What answers a call with the store alone.
pub(super) type Act =
    fn(&Context, &RecordedCall, &mut Store, DateTime<Utc>) -> Result<Value, Refusal>;

impl Default for Store {
    /// In every deployment, there is one provider of each type, named for it.
    fn default() -> Self {
        let providers = ProviderType::ALL.map(|kind| (kind.name().to_owned(), kind)).into();
        Self {
            providers,
            pools: BTreeMap::new(),
            workers: BTreeMap::new(),
            errors: Vec::new(),
            places: 0,
            messages: Vec::new(),
        }
    }
}

impl WorkerManager {
    /// Does what is due, calls `act` with the store, and publishes the resulting messages.
    pub(super) fn with<T>(
        &self,
        context: &Context,
        act: impl FnOnce(&mut Store, DateTime<Utc>) -> T,
    ) -> T {
        let mut store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = context.now();
        store.settle(now);
        let result = act(&mut store, now);
        // Publish before anyone else can change the store, to keep messages in order.
        for message in std::mem::take(&mut store.messages) {
            context.publish(&message);
        }
        result
    }
}

impl Store {
    pub(super) fn providers(&self) -> &[(String, ProviderType)] {
        &self.providers
    }

    /// Adds a provider, or replaces the one with this id.
    pub(super) fn add_provider(&mut self, id: &str, kind: ProviderType) {
        match self.providers.iter_mut().find(|(known, _)| known == id) {
            Some((_, known)) => *known = kind,
            None => self.providers.push((id.to_owned(), kind)),
        }
    }

    pub(super) fn provider(&self, id: &str) -> Option<Provider> {
        if id == NULL_PROVIDER {
            return Some(Provider::Null);
        }
        self.providers.iter().find(|(known, _)| known == id).map(|(_, kind)| Provider::Of(*kind))
    }

    pub(super) fn pool(&self, id: &str) -> Result<&Pool, Refusal> {
        self.pools
            .get(id)
            .ok_or_else(|| Refusal::not_found(format!("worker pool {id} does not exist")))
    }

    pub(super) fn worker_mut(&mut self, name: &Name) -> Result<&mut Worker, Refusal> {
        let missing = || {
            let (pool, group, id) = name;
            Refusal::not_found(format!("worker pool {pool} has no worker {group}/{id}"))
        };
        self.workers.get_mut(name).ok_or_else(missing)
    }

    pub(super) fn workers_of<'s>(&'s self, pool: &'s str) -> impl Iterator<Item = &'s Worker> {
        self.workers.values().filter(move |worker| worker.pool() == pool)
    }

    /// The next position in the order of creation.
    pub(super) fn place(&mut self) -> u64 {
        self.places += 1;
        self.places
    }

    pub(super) fn announce(&mut self, message: Message) {
        self.messages.push(message);
    }

    /// Begins to stop a worker of a cloud.
    pub(super) fn remove(&mut self, name: &Name, reason: &str, now: DateTime<Utc>) {
        let Some(worker) = self.workers.get_mut(name) else { return };
        let exchange = WorkerManagerEvents::worker_removed().exchange();
        self.messages.push(worker.message(exchange, Some(reason), now));
        if matches!(worker.state, State::Requested | State::Running) {
            worker.state = State::Stopping;
            worker.modified = now;
            if let Some(of_cloud) = &mut worker.of_cloud {
                of_cloud.gone = Some(now + STOPPING);
            }
        }
    }

    /// Does everything that is due, each thing as of its own time.
    fn settle(&mut self, now: DateTime<Utc>) {
        let overdue: Vec<_> = self
            .workers
            .values()
            .filter_map(|worker| {
                let end = worker.of_cloud.as_ref()?.terminate_after;
                let is_up = matches!(worker.state, State::Requested | State::Running);
                (is_up && end < now).then(|| (worker.name.clone(), end))
            })
            .collect();
        for (name, end) in overdue {
            self.remove(&name, "terminateAfter time exceeded", end);
        }
        for worker in self.workers.values_mut() {
            let gone = worker.of_cloud.as_ref().and_then(|of_cloud| of_cloud.gone);
            if let Some(gone) = gone.filter(|gone| worker.state == State::Stopping && *gone <= now)
            {
                let exchange = WorkerManagerEvents::worker_stopped().exchange();
                self.messages.push(worker.message(exchange, None, gone));
                worker.state = State::Stopped;
                worker.modified = gone;
                worker.checked = gone;
            }
        }
        self.forget(now);
    }

    /// Forgets what has been over for long enough.
    fn forget(&mut self, now: DateTime<Utc>) {
        let Self { workers, pools, errors, .. } = self;
        workers.retain(|_, worker| worker.expires + KEPT > now);
        errors.retain(|error| error.reported + ERRORS_KEPT > now);
        for (id, pool) in &mut *pools {
            let of_pool = || workers.values().filter(|worker| worker.pool() == id);
            let is_up = |provider: &String| {
                of_pool()
                    .any(|worker| worker.provider == *provider && worker.state != State::Stopped)
            };
            pool.previous_providers.retain(is_up);
            pool.launch_configs.forget(now, |config| {
                of_pool().any(|worker| worker.launch_config.as_deref() == Some(config))
            });
        }
        pools.retain(|_, pool| {
            let is_over = pool.provider == NULL_PROVIDER && pool.previous_providers.is_empty();
            !is_over || pool.modified + KEPT > now
        });
    }
}
