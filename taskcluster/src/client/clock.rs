//! The time that requests are signed with: this machine's, corrected by what the service said of it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How far the server's clock is ahead of ours, in seconds, as far as known. Derived clients share it.
#[derive(Default)]
pub(crate) struct Clock(AtomicI64);

impl Clock {
    /// Seconds since 1970, by the server's clock.
    pub(crate) fn now(&self) -> i64 {
        now().saturating_add(self.0.load(Ordering::Relaxed))
    }

    /// Takes over the server's time; `false` if it is about the one that a request was signed with.
    pub(crate) fn correct(&self, server: i64, signed_at: i64) -> bool {
        let off = server.abs_diff(signed_at) >= 60;
        if off {
            self.0.store(server.saturating_sub(now()), Ordering::Relaxed);
        }
        off
    }
}

/// Seconds since 1970, by this machine's clock.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
