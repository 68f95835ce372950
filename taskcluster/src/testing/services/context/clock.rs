//! The deployment's clock, which a test moves.
//!
//! Clients sign by their own clocks, which no test can move. So there are two times: one for `Date` headers and signatures,
//! and one for the deployment's state, which may be far ahead.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// The most that a clock can be off, in seconds.
pub(crate) const CENTURY: i64 = 36_525 * 86_400;

/// What separates the deployment's times from this machine's.
#[derive(Default)]
pub(crate) struct Clock {
    /// In milliseconds; of both times.
    offset: AtomicI64,
    /// In milliseconds; of the state's time alone.
    advanced: AtomicI64,
}

impl Clock {
    pub(crate) fn set_offset(&self, seconds: i64) {
        let offset = seconds.clamp(-CENTURY, CENTURY) * 1000;
        self.offset.store(offset, Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, step: TimeDelta) {
        let add = |advanced: i64| {
            Some(advanced.saturating_add(step.num_milliseconds()).min(CENTURY * 1000))
        };
        // The closure always has a value.
        let _ = self.advanced.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// The time in the `Date` header, by which signatures are checked.
    pub(crate) fn signing(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.offset.load(Ordering::Relaxed))
    }

    /// The time by which everything expires.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.signing() + TimeDelta::milliseconds(self.advanced.load(Ordering::Relaxed))
    }
}
