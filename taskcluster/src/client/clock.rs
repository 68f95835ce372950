//! The time that requests are signed with: this machine's, corrected by what the service said of it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::warn;

/// What rounding and the time on the wire may make of a difference between two clocks, in seconds.
const NOISE: u64 = 60;

/// How far the service's clock is ahead of ours, in seconds, as far as that is proven. Derived clients share it.
pub(crate) struct Clock {
    offset: AtomicI64,
    /// The largest offset to believe.
    limit: Duration,
}

impl Clock {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { offset: AtomicI64::new(0), limit }
    }

    /// Seconds since 1970, by the service's clock.
    pub(crate) fn now(&self) -> i64 {
        now().saturating_add(self.offset.load(Ordering::Relaxed))
    }

    /// The offset to try after the service found a signature of the time `signed_at` stale and gave `server` as its
    /// own. `None` if the two times hardly differ, or if the offset is beyond belief.
    pub(crate) fn suggested_offset(&self, server: i64, signed_at: i64) -> Option<i64> {
        if server.abs_diff(signed_at) <= NOISE {
            return None;
        }
        let offset = server.saturating_sub(now());
        let limit = self.limit.as_secs();
        if offset.unsigned_abs() > limit.saturating_add(NOISE) {
            warn!(
                offset_seconds = offset,
                limit_seconds = limit,
                "the service's clock differs too much from this machine's; not following it"
            );
            return None;
        }
        Some(offset)
    }

    /// Takes over an offset that a signature was accepted with.
    pub(crate) fn adopt(&self, offset: i64) {
        let before = self.offset.swap(offset, Ordering::Relaxed);
        if before.abs_diff(offset) > NOISE {
            warn!(
                offset_seconds = offset,
                "this machine's clock is wrong, or the service's is; signing by the service's"
            );
        }
    }
}

/// Seconds since 1970, by this machine's clock.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
