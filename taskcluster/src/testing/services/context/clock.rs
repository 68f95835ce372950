//! The deployment's clock, which tests can move.
//!
//! Clients sign by their own clocks, which tests cannot move. So there are two times: one for `Date` headers and signatures, and
//! one for the deployment's state, which may be far ahead.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// The maximum offset of a clock, in seconds.
pub(crate) const CENTURY: i64 = 36_525 * 86_400;

/// The offsets of the deployment's times from this machine's.
#[derive(Default)]
pub(crate) struct Clock {
    /// The offset of both times, in milliseconds.
    offset: AtomicI64,
    /// The additional offset of the state's time, in milliseconds.
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

    /// Returns the time for `Date` headers and signatures.
    pub(crate) fn signing(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.offset.load(Ordering::Relaxed))
    }

    /// Returns the time of the deployment's state, by which everything expires.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.signing() + TimeDelta::milliseconds(self.advanced.load(Ordering::Relaxed))
    }
}
