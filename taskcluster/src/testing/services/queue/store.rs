//! The queue's store, which one caller at a time may use.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::lifecycle::Tasks;
use crate::testing::services::context::Context;

/// The queue.
pub(crate) struct Queue {
    tasks: Mutex<Tasks>,
    /// How long a claim of work waits for tasks, by this machine's clock.
    claim_wait: Mutex<Duration>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { tasks: Mutex::default(), claim_wait: Mutex::new(Duration::from_millis(100)) }
    }
}

impl Queue {
    pub(crate) fn set_claim_wait(&self, wait: Duration) {
        *self.claim_wait.lock().unwrap_or_else(PoisonError::into_inner) = wait;
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
