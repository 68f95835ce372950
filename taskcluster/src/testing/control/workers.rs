//! Controls the worker manager.

use std::fmt;

use serde_json::Value;

use super::deployment::Deployment;
use crate::testing::http::answer::Refusal;
use crate::testing::services::worker_manager::Requested;
use crate::testing::services::worker_manager::providers::ProviderType;
use crate::{Error, Result};

/// The worker manager of a deployment, as a test uses it. Returned by [`Deployment::worker_manager`].
#[derive(Clone, Copy, Debug)]
pub struct WorkerManagerControl<'d>(&'d Deployment);

/// A worker that has been requested from a cloud and has not registered yet. Returned by
/// [`WorkerManagerControl::request_worker`].
///
/// `Debug` hides the proof of its identity.
#[derive(Clone)]
#[non_exhaustive]
pub struct RequestedWorker {
    /// The worker pool.
    pub worker_pool_id: String,
    /// The provider of the pool.
    pub provider_id: String,
    /// The worker group, which is the zone, region or location of the launch configuration.
    pub worker_group: String,
    /// The worker.
    pub worker_id: String,
    /// The `workerIdentityProof` that `registerWorker` accepts from this worker.
    pub identity_proof: Value,
}

impl Deployment {
    /// Returns the worker manager.
    #[must_use]
    pub fn worker_manager(&self) -> WorkerManagerControl<'_> {
        WorkerManagerControl(self)
    }
}

impl WorkerManagerControl<'_> {
    /// Adds a provider, or replaces the one with this id.
    ///
    /// A new deployment has the providers `aws`, `azure`, `google` and `static`, each of the type of that name, and
    /// `null-provider`.
    pub fn provider(&self, provider_id: &str, provider_type: ProviderType) {
        let state = self.0.state();
        state.services.worker_manager.add_provider(state.context(), provider_id, provider_type);
    }

    /// Requests a worker of a pool from its cloud, as a real deployment does on its own when tasks are pending.
    ///
    /// It uses the launch configuration with the fewest workers. The worker is `requested` until it registers. If it does not
    /// do so within the pool's `registrationTimeout`, it is removed.
    ///
    /// ```
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{WorkerManager, WorkerManagerEvents, json};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// let tc = fake.connect_as("tester", ["*"])?;
    /// let pool = json!({
    ///     "providerId": "aws", "description": "", "owner": "me@example.com", "emailOnError": false,
    ///     "config": {
    ///         "minCapacity": 0, "maxCapacity": 10,
    ///         "launchConfigs": [{"region": "us-east-1", "launchConfig": {"ImageId": "ami-1"}}],
    ///     },
    /// });
    /// tc.call(&WorkerManager::REFERENCE, "createWorkerPool")?
    ///     .param("workerPoolId", "builds/linux")
    ///     .payload(pool)
    ///     .send_blocking()?;
    ///
    /// // What the program that starts a worker does:
    /// let worker = fake.worker_manager().request_worker("builds/linux")?;
    /// let mut running = fake.listen(WorkerManagerEvents::worker_running())?;
    /// let registered = tc
    ///     .call(&WorkerManager::REFERENCE, "registerWorker")?
    ///     .payload(json!({
    ///         "workerPoolId": worker.worker_pool_id, "providerId": worker.provider_id,
    ///         "workerGroup": worker.worker_group, "workerId": worker.worker_id,
    ///         "workerIdentityProof": worker.identity_proof,
    ///     }))
    ///     .send_blocking()?;
    /// assert!(registered["credentials"]["certificate"].is_string());
    /// assert_eq!(running.next_blocking()?.payload["workerId"], worker.worker_id);
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the pool does not exist, is not one of a cloud, has no launch configuration with a weight above 0,
    /// or has all workers that its `maxCapacity` allows.
    pub fn request_worker(&self, worker_pool_id: &str) -> Result<RequestedWorker> {
        let state = self.0.state();
        let requested = state.services.worker_manager.request(state.context(), worker_pool_id);
        let Requested { name, provider, proof } = requested.map_err(refused)?;
        let (worker_pool_id, worker_group, worker_id) = name;
        Ok(RequestedWorker {
            worker_pool_id,
            provider_id: provider,
            worker_group,
            worker_id,
            identity_proof: proof,
        })
    }

    /// Sets what `shouldWorkerTerminate` answers for a worker. A new worker should not terminate, with the reason `none`.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such worker.
    pub fn should_terminate(
        &self,
        worker_pool_id: &str,
        worker_group: &str,
        worker_id: &str,
        terminate: bool,
        reason: &str,
    ) -> Result<()> {
        let state = self.0.state();
        let worker = (worker_pool_id, worker_group, worker_id);
        let decision = (terminate, reason.to_owned());
        state.services.worker_manager.decide(state.context(), worker, decision).map_err(refused)
    }
}

fn refused(refusal: Refusal) -> Error {
    Error::config(refusal.message().to_owned())
}

impl fmt::Debug for RequestedWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestedWorker")
            .field("worker_pool_id", &self.worker_pool_id)
            .field("provider_id", &self.provider_id)
            .field("worker_group", &self.worker_group)
            .field("worker_id", &self.worker_id)
            .finish_non_exhaustive()
    }
}
