//! How a test lets time pass.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::deployment::Deployment;

/// How often an advance of the clock stops for hooks.
const MOST_STOPS: usize = 1000;

impl Deployment {
    /// Lets this much time pass, at once: claims and deadlines run out, retries come about, hooks fire by their schedules (up
    /// to a thousand times), what expires is gone.
    ///
    /// Everything that the deployment keeps follows this time; all dates in its answers are by it. The signatures of
    /// requests and signed URLs do not: clients make them by their own clocks, and they are judged by the time that
    /// [`set_clock_offset`](Self::set_clock_offset) sets. Temporary credentials follow it; a client's own that are to be
    /// good later on need a [`start`](crate::TemporaryBuilder::start) of [`now`](Self::now). The offsets end at a century.
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{Secrets, StatusCode, from_now, json, secrets::Secret};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.client("tester", "no-secret", ["secrets:*"]);
    /// let secrets = Secrets::new(&fake.connect("tester")?);
    /// secrets.set("x", &Secret::new(from_now("1 hour")?, json!({}))).send_blocking()?;
    ///
    /// fake.advance(Duration::from_secs(2 * 3600));
    /// let error = secrets.get("x").send_blocking().unwrap_err();
    /// assert_eq!(error.status(), Some(StatusCode::GONE));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn advance(&self, duration: Duration) {
        let context = self.state().context();
        let mut left = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        // Hooks fire on the way, each at its time.
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

    /// The time by the deployment's clock.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.state().context().now()
    }

    /// Puts the deployment's clock so many seconds ahead of this machine's, or behind it, by a century at most. It shows
    /// in the `Date` header of all answers, and signatures are judged by it. To let time pass without that, use
    /// [`advance`](Self::advance).
    pub fn set_clock_offset(&self, seconds: i64) {
        self.state().context().clock.set_offset(seconds);
    }

    /// Sets for how long, by this machine's clock, `claimWork` waits for a task to appear before it answers that there is
    /// none: 100 milliseconds if not told, where the real service waits for 20 seconds. An
    /// [`advance`](Self::advance) of 20 seconds ends the wait, too.
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{Queue, queue::ClaimWorkRequest};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.set_claim_wait(Duration::ZERO);
    /// let queue = Queue::new(&fake.connect_as("worker", ["queue:claim-work:p/w", "queue:worker-id:g/w"])?);
    /// let claimed = queue.claim_work("p/w", &ClaimWorkRequest::new(1, "g", "w")).send_blocking()?;
    /// assert!(claimed.tasks.is_empty());
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn set_claim_wait(&self, wait: Duration) {
        self.state().services.queue.set_claim_wait(wait);
    }
}
