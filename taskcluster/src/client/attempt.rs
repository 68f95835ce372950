//! What a program can observe of each attempt of a call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use tracing::error;

use crate::error::Error;

/// One attempt to send a call, after it has ended; see [`ClientBuilder::on_attempt`](crate::ClientBuilder::on_attempt).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The service: `queue`.
    pub service: &'static str,
    /// The wire name of the endpoint: `createTask`.
    pub endpoint: &'static str,
    /// Which attempt of its call this is, from 1.
    pub number: u32,
    /// The status of the response, or `None` if there was none.
    pub status: Option<StatusCode>,
    /// Why the attempt failed, or `None` if it succeeded. [`Error::kind`] is a good label for a metric.
    pub error: Option<&'a Error>,
    /// The time from sending the request to the end of the response; for [`send_raw`](crate::Call::send_raw), to the end of its
    /// headers.
    pub duration: Duration,
    /// How long the client now waits before the next attempt, or `None` if this was the last one.
    pub retry_after: Option<Duration>,
    /// The trace id that the request had. Services write it to their logs.
    pub trace_id: &'a str,
}

type Hook = dyn Fn(&Attempt<'_>) + Send + Sync;

/// What is called after each attempt.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Vec<Arc<Hook>>);

impl Hooks {
    pub(super) fn add(&mut self, hook: impl Fn(&Attempt<'_>) + Send + Sync + 'static) {
        self.0.push(Arc::new(hook));
    }

    /// Calls all hooks. One that panics must not take the call with it, which may have created something.
    pub(crate) fn tell<'a>(&self, attempt: impl FnOnce() -> Attempt<'a>) {
        if self.0.is_empty() {
            return;
        }
        let attempt = attempt();
        for hook in &self.0 {
            if catch_unwind(AssertUnwindSafe(|| hook(&attempt))).is_err() {
                let Attempt { service, endpoint, .. } = attempt;
                error!(
                    "a hook of `on_attempt` panicked after an attempt of {service}.{endpoint}; the call goes on"
                );
            }
        }
    }
}
