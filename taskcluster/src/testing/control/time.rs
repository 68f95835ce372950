//! Controls the deployment's clock.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::deployment::Deployment;

/// How many times an advance of the clock stops for hooks that are due on the way.
const MOST_STOPS: usize = 1000;

impl Deployment {
    /// Advances the deployment's clock at once: claims and deadlines expire, tasks are retried, hooks fire by their schedules
    /// (up to a thousand times), expired data is removed.
    ///
    /// All state of the deployment and all dates in its answers follow this clock. The signatures of requests and URLs do not:
    /// clients sign by their own clocks, and the deployment checks signatures by this machine's clock and
    /// [`set_clock_offset`](Self::set_clock_offset). Temporary credentials do follow it; to issue some that are valid after an
    /// advance, [`start`](crate::TemporaryBuilder::start) them at [`now`](Self::now). The clock advances by a century at most.
    ///
    /// The worker and the followers of this deployment's clients wait by this clock, too: after an advance of 17 minutes, a
    /// worker reclaims its tasks at once. So do transfers of artifacts before they try again. Timeouts and the delays between the
    /// attempts of a call are by this machine's clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{Secrets, StatusCode, from_now, json, secrets::Secret};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.client("tester", "no-secret", ["secrets:*"]);
    /// let secrets = Secrets::new(&fake.connect("tester")?);
    /// secrets.set("x", &Secret::new(json!({}), from_now("1 hour")?)).send_blocking()?;
    ///
    /// fake.advance(Duration::from_secs(2 * 3600));
    /// let error = secrets.get("x").send_blocking().unwrap_err();
    /// assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn advance(&self, duration: Duration) {
        let context = self.state().context();
        let mut left = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        // Hooks that are due on the way fire at their times.
        for _ in 0..MOST_STOPS {
            let next = context.next_due().map(|next| next - context.now());
            let Some(step) = next.filter(|step| *step <= left) else { break };
            let step = step.max(TimeDelta::milliseconds(1));
            context.clock.advance(step);
            context.settle();
            left -= step;
        }
        context.clock.advance(left);
        context.settle();
        context.changed.notify_waiters();
    }

    /// Returns the time by the deployment's clock.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.state().context().now()
    }

    /// Puts the deployment's clock this many seconds ahead of this machine's, or behind it if negative; by a century at most.
    /// The `Date` header of all answers shows it, and signatures are checked by it. To let time pass without that, use
    /// [`advance`](Self::advance).
    pub fn set_clock_offset(&self, seconds: i64) {
        let context = self.state().context();
        context.clock.set_offset(seconds);
        context.changed.notify_waiters();
    }

    /// Sets how long `claimWork` waits for a task before it answers with none. The default is 100 milliseconds. The real
    /// service waits for 20 seconds, which is also the maximum here.
    ///
    /// The deployment's clock counts, so that an [`advance`](Self::advance) by this time ends the wait at once. It also ends
    /// after this time by your machine's clock, whatever the deployment's says.
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{Queue, queue::ClaimWorkRequest};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.set_claim_wait(Duration::ZERO);
    /// let scopes = ["queue:claim-work:p/w", "queue:worker-id:g/w"];
    /// let queue = Queue::new(&fake.connect_as("worker", scopes)?);
    /// let claimed = queue.claim_work("p/w", &ClaimWorkRequest::new("g", "w", 1)).send_blocking()?;
    /// assert!(claimed.tasks.is_empty());
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn set_claim_wait(&self, wait: Duration) {
        self.state().services.queue.set_claim_wait(wait);
    }

    /// Sets how long the claims of tasks are valid that are made or renewed from now on: from a second to 30 days. The
    /// default is 20 minutes, as in a real deployment.
    ///
    /// With short claims, you see quickly whether a worker renews them in time, without moving the clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{Queue, from_now, json};
    /// use taskcluster::queue::{ClaimWorkRequest, CreateTaskRequest, TaskMetadata};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.set_claim_length(Duration::from_secs(5));
    /// let queue = Queue::new(&fake.connect_as("tester", ["*"])?);
    ///
    /// let metadata = TaskMetadata::new("build", "", "me@example.com", "https://example.com");
    /// let (created, deadline) = (from_now("0 seconds")?, from_now("1 hour")?);
    /// let task = CreateTaskRequest::new(created, deadline, json!({}), metadata).task_queue_id("p/w");
    /// queue.create_task("fN1SbArXTPSVFNUvaOlinQ", &task).send_blocking()?;
    /// let claims = queue.claim_work("p/w", &ClaimWorkRequest::new("g", "w", 1)).send_blocking()?;
    /// assert!(claims.tasks[0].taken_until <= fake.now() + Duration::from_secs(5));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn set_claim_length(&self, length: Duration) {
        self.state().services.queue.set_claim_length(length);
    }
}
