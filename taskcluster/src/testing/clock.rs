//! The deployment's clock, which a test moves.
//!
//! Signatures are made by the clients' clocks, which no test can move. So there are two times: the one that clients are
//! told and their signatures are judged by, and the one that the deployment's state lives in, which may be far ahead.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Deployment;

/// The most that a clock can be off, in seconds.
pub(super) const CENTURY: i64 = 36_525 * 86_400;

/// How often an advance of the clock stops for hooks.
const MOST_STOPS: usize = 1000;

/// What separates the deployment's times from this machine's.
#[derive(Default)]
pub(super) struct Clock {
    /// In milliseconds; of both times.
    offset: AtomicI64,
    /// In milliseconds; of the state's time alone.
    advanced: AtomicI64,
}

impl Clock {
    pub(super) fn set_offset(&self, seconds: i64) {
        let offset = seconds.clamp(-CENTURY, CENTURY) * 1000;
        self.offset.store(offset, Ordering::Relaxed);
    }

    fn advance(&self, step: TimeDelta) {
        let add = |advanced: i64| {
            Some(advanced.saturating_add(step.num_milliseconds()).min(CENTURY * 1000))
        };
        // The closure always has a value.
        let _ = self.advanced.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// The time that clients are told, by which their signatures are judged.
    pub(super) fn signing(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.offset.load(Ordering::Relaxed))
    }

    /// The time by which everything expires.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.signing() + TimeDelta::milliseconds(self.advanced.load(Ordering::Relaxed))
    }
}

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
        let state = self.state();
        let mut left = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        // Hooks fire on the way, each at its time.
        for _ in 0..MOST_STOPS {
            let next = state.next_schedule().map(|next| next - state.now());
            let Some(step) = next.filter(|step| *step <= left) else { break };
            let step = step.max(TimeDelta::milliseconds(1));
            state.clock.advance(step);
            state.settle();
            left -= step;
        }
        state.clock.advance(left);
        state.settle();
        state.changed.notify_waiters();
    }

    /// The time by the deployment's clock.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.state().now()
    }
}
