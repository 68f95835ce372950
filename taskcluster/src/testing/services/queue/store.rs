//! The queue's store, which one caller at a time may use.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::lifecycle::Tasks;
use crate::testing::services::context::Context;

/// The longest wait of a claim of work, which is that of a real deployment.
const LONG_POLL: Duration = Duration::from_secs(20);

/// The lengths that claims can have: no shorter than the service's times are precise, and credentials last for 31 days at most.
const CLAIMS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30 * 86_400));

/// The queue.
pub(crate) struct Queue {
    tasks: Mutex<Tasks>,
    /// How long a claim of work waits for tasks.
    claim_wait: Mutex<Duration>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { tasks: Mutex::default(), claim_wait: Mutex::new(Duration::from_millis(100)) }
    }
}

impl Queue {
    pub(crate) fn set_claim_wait(&self, wait: Duration) {
        let wait = wait.min(LONG_POLL);
        *self.claim_wait.lock().unwrap_or_else(PoisonError::into_inner) = wait;
    }

    pub(crate) fn set_claim_length(&self, length: Duration) {
        let length = TimeDelta::from_std(length.clamp(CLAIMS.0, CLAIMS.1)).unwrap_or_default();
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).claim_length = length;
    }

    pub(super) fn claim_wait(&self) -> Duration {
        *self.claim_wait.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what is due, calls `act` with the tasks, and publishes the resulting messages.
    pub(super) fn with<T>(
        &self,
        context: &Context,
        act: impl FnOnce(&mut Tasks, DateTime<Utc>) -> T,
    ) -> T {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let now = context.now();
        tasks.settle(now);
        let result = act(&mut tasks, now);
        let messages = tasks.take_messages();
        if !messages.is_empty() {
            context.changed.notify_waiters();
        }
        // Publish before anyone else can change the tasks, to keep messages in order.
        for message in &messages {
            context.publish(message);
        }
        result
    }
}
