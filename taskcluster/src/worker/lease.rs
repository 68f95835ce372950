//! A claim on the run of a task: its credentials, and renewing it before it ends.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tracing::{debug, warn};

use crate::client::Client;
use crate::client::timer::Stopwatch;
use crate::credentials::Credentials;
use crate::credentials::shared::SharedCredentials;
use crate::error::Result;
use crate::patience::{Patience, is_refusal};
use crate::services::Queue;
use crate::services::queue::{ClaimWorkTask, TaskStatus};

/// How long before its end a claim is renewed, unless it is too short for that.
const AHEAD: Duration = Duration::from_secs(3 * 60);

/// The least time between two renewals.
const PAUSE: Duration = Duration::from_secs(5);

/// The longest delay before a renewal is tried again, so that there are many attempts in 3 minutes.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// A worker's claim on a run.
pub(super) struct Lease {
    pub(super) task_id: String,
    pub(super) run_id: u32,
    credentials: SharedCredentials,
    /// Calls with the credentials of the claim.
    pub(super) queue: Queue,
    /// Since the claim was made.
    pub(super) claimed: Stopwatch,
    /// When that was, by the queue's clock.
    started: Option<DateTime<Utc>>,
    /// How long a claim lasts: the claims of a deployment are all equally long.
    longest: Duration,
    term: Mutex<Term>,
    reporting: AtomicBool,
}

/// What the latest answer of the queue says about a claim.
struct Term {
    status: Arc<TaskStatus>,
    /// Since the answer, or the call for it.
    since: Stopwatch,
    /// How long the claim lasts from then.
    length: Duration,
}

impl Lease {
    pub(super) fn new(client: &Client, claim: &ClaimWorkTask, run_id: u32) -> Self {
        let credentials = SharedCredentials::new(Credentials::from(&claim.credentials));
        // The scopes that limit the worker do not limit its tasks.
        let of_claim = client.without_credentials().with_credentials_provider(credentials.clone());
        let claimed = client.timer().start();
        // Both are by the queue's clock, which this machine's need not agree with.
        let run = claim.status.runs.get(run_id as usize);
        let started = run.and_then(|run| run.started).filter(|time| *time < claim.taken_until);
        let length = until(client, started, &claimed, claim.taken_until);
        let term = Term { status: Arc::new(claim.status.clone()), since: claimed.clone(), length };
        Self {
            task_id: claim.status.task_id.clone(),
            run_id,
            queue: Queue::new(&of_claim),
            credentials,
            started,
            longest: length,
            term: Mutex::new(term),
            claimed,
            reporting: AtomicBool::new(false),
        }
    }

    fn term(&self) -> MutexGuard<'_, Term> {
        self.term.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a client with the credentials of the claim, limited to these scopes.
    pub(super) fn client(&self, authorized_scopes: Vec<String>) -> Client {
        let client = self.queue.as_ref().client();
        let limited = client.with_authorized_scopes(authorized_scopes);
        // It has credentials, so it can be limited.
        limited.unwrap_or_else(|_| client.without_credentials())
    }

    pub(super) fn status(&self) -> Arc<TaskStatus> {
        self.term().status.clone()
    }

    /// Returns the time until a date of the queue. Time when the machine was asleep makes it too long.
    pub(super) fn until(&self, date: DateTime<Utc>) -> Duration {
        until(self.queue.as_ref().client(), self.started, &self.claimed, date)
    }

    /// Whether the claim has ended because it was not renewed.
    pub(super) fn is_over(&self) -> bool {
        let term = self.term();
        term.since.elapsed() >= term.length
    }

    /// From now on, it is the answer to a report that says whether the run is still the worker's.
    pub(super) fn is_being_reported(&self) {
        self.reporting.store(true, Ordering::Relaxed);
    }

    /// Ends the use of the credentials.
    pub(super) fn end(&self) {
        self.credentials.withdraw();
    }

    /// Renews the claim whenever it is time. Returns when the claim is lost.
    pub(super) async fn keep(&self) {
        loop {
            let mut patience = Patience::new(PAUSE, LONGEST_PAUSE);
            let (since, length) = {
                let term = self.term();
                (term.since.clone(), term.length)
            };
            since.reach(length.saturating_sub(AHEAD.min(length / 2)).max(PAUSE)).await;
            while let Err(error) = self.renew().await {
                let (task_id, run_id) = (&self.task_id, self.run_id);
                if is_refusal(&error) || self.is_over() {
                    if self.reporting.load(Ordering::Relaxed) {
                        pending::<()>().await;
                    }
                    warn!(%task_id, run_id, %error, "the claim of the task is lost");
                    return;
                }
                warn!(%task_id, run_id, %error, "the claim of the task could not be renewed yet");
                patience.wait(self.queue.as_ref().client().timer()).await;
            }
        }
    }

    async fn renew(&self) -> Result<()> {
        let since = self.queue.as_ref().client().timer().start();
        let renewed = self.queue.reclaim_task(&self.task_id, self.run_id).await?;
        self.credentials.replace(Credentials::from(&renewed.credentials));
        let mut term = self.term();
        term.length = self.until(renewed.taken_until).min(self.longest);
        term.since = since;
        term.status = Arc::new(renewed.status);
        debug!(task_id = %self.task_id, run_id = self.run_id, "renewed the claim of the task");
        Ok(())
    }
}

/// The time until a date of the queue, where a claim was made at `started`. Without that, by the client's clock.
fn until(
    client: &Client,
    started: Option<DateTime<Utc>>,
    claimed: &Stopwatch,
    date: DateTime<Utc>,
) -> Duration {
    let (from, passed) = match started {
        Some(started) => (started, claimed.steady()),
        None => {
            let now = DateTime::from_timestamp(client.clock().now(), 0);
            (now.unwrap_or_default(), Duration::ZERO)
        }
    };
    (date - from).to_std().unwrap_or_default().saturating_sub(passed)
}
