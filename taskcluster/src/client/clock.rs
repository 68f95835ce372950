//! The clock that requests are signed by: this machine's, corrected to match the service's.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::warn;

/// How far apart rounding and network latency can make two equal clocks appear, in seconds.
const NOISE: u64 = 60;

/// The proven offset of the service's clock from this machine's, in seconds. Derived clients share it.
pub(crate) struct Clock {
    offset: AtomicI64,
    /// The largest offset to follow.
    limit: Duration,
}

impl Clock {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { offset: AtomicI64::new(0), limit }
    }

    /// Returns the Unix time by the service's clock, in seconds.
    pub(crate) fn now(&self) -> i64 {
        now().saturating_add(self.offset.load(Ordering::Relaxed))
    }

    /// Returns the offset to try after the service, whose clock shows `server`, rejected a signature made at `signed_at` as
    /// stale. Returns `None` if the two times hardly differ, or if the offset exceeds the limit.
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

    /// Keeps an offset after the service has accepted a signature made with it.
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

/// Returns the Unix time by this machine's clock, in seconds.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
