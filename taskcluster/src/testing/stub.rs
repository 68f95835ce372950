//! Answers and faults that a test prescribes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderValue, RETRY_AFTER};
use serde_json::Value;

use super::answer::Reply;
use super::recorded::RecordedCall;
use super::state::State;

/// What can go wrong on the way to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The answer comes so much later. It is that of the next stub, or the built-in one.
    Delay(Duration),
    /// An error of the service, with Taskcluster's error body.
    Status(StatusCode),
    /// An error of the service that asks for so much patience in a `Retry-After` header, in whole seconds.
    RetryAfter(StatusCode, Duration),
    /// The connection is closed without an answer; the call is not carried out.
    Disconnect,
    /// The call is carried out, but the connection breaks in the middle of the answer's body.
    Truncate,
    /// An HTML page with this status, as a proxy before the service might send it.
    Html(StatusCode),
    /// Status 200 without a body.
    Empty,
}

/// How one endpoint answers; made by [`Deployment::on`](super::Deployment::on).
///
/// Stubs with [`times`](Self::times) are used first, in the order in which they were made; then the last one made
/// without; then the built-in answer. Only a call that passes all checks gets to a stub.
///
/// ```
/// use taskcluster::testing::{Deployment, Fault};
/// use taskcluster::{Queue, StatusCode, json};
///
/// let fake = Deployment::start_blocking()?;
/// let ping = Queue::REFERENCE.endpoint("ping");
/// fake.on(ping).times(2).fault(Fault::Status(StatusCode::BAD_GATEWAY));
///
/// Queue::new(&fake.anonymous()?).ping().send_blocking()?;
/// assert_eq!(fake.calls().len(), 3);
/// # Ok::<(), taskcluster::Error>(())
/// ```
#[must_use = "there is no stub before one of `reply`, `reply_with` and `fault`"]
pub struct StubBuilder<'a> {
    state: &'a State,
    key: Key,
    times: Option<usize>,
}

impl<'a> StubBuilder<'a> {
    pub(super) fn new(state: &'a State, key: Key) -> Self {
        Self { state, key, times: None }
    }

    /// Limits the stub to so many uses.
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Answers with a JSON value, or a [`Reply`] made before.
    pub fn reply(self, reply: impl Into<Reply>) {
        let reply = reply.into();
        self.add(Action::Reply(Arc::new(move |_| reply.clone())));
    }

    /// Answers with a JSON value and this status.
    pub fn reply_status(self, status: StatusCode, body: Value) {
        self.reply(Reply::json(status, &body));
    }

    /// Answers with what the function makes of the call. It runs on the deployment's only thread, so it must not wait
    /// for anything. One that holds the [`Deployment`](super::Deployment) keeps it alive for ever.
    pub fn reply_with<R: Into<Reply>>(
        self,
        reply: impl Fn(&RecordedCall) -> R + Send + Sync + 'static,
    ) {
        self.add(Action::Reply(Arc::new(move |call| reply(call).into())));
    }

    /// Fails.
    pub fn fault(self, fault: Fault) {
        self.add(Action::Fault(fault));
    }

    fn add(self, action: Action) {
        let Self { state, key, times } = self;
        state.stubs.add(key, times, action);
    }
}

impl fmt::Debug for StubBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StubBuilder")
            .field("endpoint", &self.key.endpoint)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

/// What a stub is for. Two references may describe the same endpoint, so it goes by names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) service: &'static str,
    pub(super) version: &'static str,
    pub(super) endpoint: &'static str,
}

#[derive(Clone)]
enum Action {
    Reply(Arc<dyn Fn(&RecordedCall) -> Reply + Send + Sync>),
    Fault(Fault),
}

/// What the stubs say about one call.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) delay: Duration,
    pub(super) truncate: bool,
    pub(super) answer: Prescribed,
}

/// The answer of a [`Plan`].
#[derive(Clone, Default)]
pub(super) enum Prescribed {
    #[default]
    BuiltIn,
    Reply(Arc<dyn Fn(&RecordedCall) -> Reply + Send + Sync>),
    Disconnect,
}

/// All stubs of a deployment.
#[derive(Default)]
pub(super) struct Stubs(Mutex<Lists>);

#[derive(Default)]
struct Lists {
    /// With the number of uses left, never 0; oldest first.
    limited: VecDeque<(Key, usize, Action)>,
    /// Newest first.
    unlimited: VecDeque<(Key, Action)>,
}

impl Stubs {
    fn add(&self, key: Key, times: Option<usize>, action: Action) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match times {
            Some(0) => {}
            Some(times) => lists.limited.push_back((key, times, action)),
            None => lists.unlimited.push_front((key, action)),
        }
    }

    pub(super) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Lists::default();
    }

    /// Uses up what the next call of an endpoint gets.
    pub(super) fn take(&self, key: Key) -> Plan {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Lists { limited, unlimited } = &mut *lists;
        let mut plan = Plan::default();
        for (_, left, action) in limited.iter_mut().filter(|(known, ..)| *known == key) {
            *left -= 1;
            if plan.add(action) {
                break;
            }
        }
        let decided = !matches!(plan.answer, Prescribed::BuiltIn);
        limited.retain(|(_, left, _)| *left > 0);
        if !decided {
            for (_, action) in unlimited.iter().filter(|(known, _)| *known == key) {
                if plan.add(action) {
                    break;
                }
            }
        }
        plan
    }
}

impl Plan {
    /// Adds a stub; says whether the answer is decided by it.
    fn add(&mut self, action: &Action) -> bool {
        let fault = match action {
            Action::Reply(reply) => {
                self.answer = Prescribed::Reply(reply.clone());
                return true;
            }
            Action::Fault(fault) => fault.clone(),
        };
        let reply = match fault {
            Fault::Delay(delay) => {
                self.delay = self.delay.saturating_add(delay);
                return false;
            }
            Fault::Truncate => {
                self.truncate = true;
                return false;
            }
            Fault::Disconnect => {
                self.answer = Prescribed::Disconnect;
                return true;
            }
            Fault::Status(status) => error(status),
            Fault::RetryAfter(status, wait) => {
                let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
                error(status).header(RETRY_AFTER, seconds.into())
            }
            Fault::Html(status) => {
                let html =
                    "<!DOCTYPE html>\n<html><body><h1>The proxy has no answer</h1></body></html>\n";
                Reply::new(status).body(HeaderValue::from_static("text/html"), html)
            }
            Fault::Empty => Reply::new(StatusCode::OK),
        };
        self.answer = Prescribed::Reply(Arc::new(move |_| reply.clone()));
        true
    }
}

/// An error that a test has asked for.
fn error(status: StatusCode) -> Reply {
    let code = match status {
        StatusCode::UNAUTHORIZED => "AuthenticationFailed",
        StatusCode::FORBIDDEN => "InsufficientScopes",
        StatusCode::NOT_FOUND => "ResourceNotFound",
        StatusCode::CONFLICT => "RequestConflict",
        StatusCode::GONE => "ResourceExpired",
        StatusCode::PAYLOAD_TOO_LARGE => "InputTooLarge",
        StatusCode::TOO_MANY_REQUESTS => "TooManyRequests",
        status if status.is_server_error() => "InternalServerError",
        _ => "InputError",
    };
    Reply::error(status, code, "This error is a fault that a test has asked for")
}
