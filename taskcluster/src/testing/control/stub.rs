//! Answers and faults that a test prescribes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde_json::Value;

use crate::testing::http::answer::{Outcome, Rendered, Reply};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::schemas::Schemas;
use crate::testing::services::context::clock::CENTURY;
use crate::{Endpoint, Reference};

/// What can go wrong on the way to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The answer comes so much later. It is that of the next stub, or the built-in one.
    Delay(Duration),
    /// For this call the deployment's clock is so many seconds ahead, or behind: in the check of the signature and in the
    /// `Date` header. What follows is up to the next stub.
    Skew(i64),
    /// An error of the service, with Taskcluster's error body.
    Status(StatusCode),
    /// An error of the service that asks for so much patience in a `Retry-After` header, in whole seconds.
    RetryAfter(StatusCode, Duration),
    /// The connection is reset without an answer; the call is not carried out.
    Disconnect,
    /// The call is carried out, but the connection is reset without an answer.
    LoseAnswer,
    /// The call is carried out, but the connection breaks in the middle of the answer's body.
    Truncate,
    /// The call is carried out, but white space makes the answer's body this long, in bytes.
    Oversize(usize),
    /// The call is carried out, but the answer says that its body is something else.
    ContentType(HeaderValue),
    /// An HTML page with this status, as a proxy before the service might send it.
    Html(StatusCode),
    /// Status 200 without a body.
    Empty,
}

/// How an endpoint answers; made by [`Deployment::on`](crate::testing::Deployment::on), or for all endpoints by
/// [`Deployment::on_any`](crate::testing::Deployment::on_any).
///
/// Stubs with [`times`](Self::times) are used first, in the order in which they were made; then the last one made
/// without; then the built-in answer. Only a call that passes all checks gets to a stub, but for [`Fault::Skew`].
///
/// A successful answer is held against the schema that the reference names for it, so that a test does not rely on what
/// the service would never say; [`unchecked`](Self::unchecked) lets it pass.
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
#[must_use = "a stub takes effect only with `reply`, `reply_with` or `fault`"]
pub struct StubBuilder<'a> {
    stubs: &'a Stubs,
    schemas: &'a Schemas,
    /// `None` for all endpoints.
    target: Option<(Key, &'static Endpoint)>,
    times: Option<usize>,
    every: usize,
    checked: bool,
}

impl<'a> StubBuilder<'a> {
    pub(crate) fn new(
        stubs: &'a Stubs,
        schemas: &'a Schemas,
        target: Option<(Key, &'static Endpoint)>,
    ) -> Self {
        Self { stubs, schemas, target, times: None, every: 1, checked: true }
    }

    /// Limits the stub to so many uses.
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Uses the stub for every `n`th call only; the others get what is next. 0 is taken as 1.
    ///
    /// ```
    /// use taskcluster::testing::{Deployment, Fault};
    /// use taskcluster::{Queue, Retry, StatusCode};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// let unavailable = Fault::Status(StatusCode::SERVICE_UNAVAILABLE);
    /// fake.on(Queue::REFERENCE.endpoint("ping")).one_in(3).fault(unavailable);
    ///
    /// let queue = Queue::new(&fake.builder()?.retry(Retry::never()).build()?);
    /// let fine: Vec<_> = (0..6).map(|_| queue.ping().send_blocking().is_ok()).collect();
    /// assert_eq!(fine, [true, true, false, true, true, false]);
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn one_in(mut self, n: usize) -> Self {
        self.every = n.max(1);
        self
    }

    /// Lets the stub answer what does not fit the endpoint's schema.
    pub fn unchecked(mut self) -> Self {
        self.checked = false;
        self
    }

    /// Answers with a JSON value, or a [`Reply`] made before. Schemas that it needs must have been
    /// [added](crate::testing::Deployment::schemas).
    ///
    /// # Panics
    ///
    /// If it is a successful answer that does not fit the endpoint's schema; the message names the places.
    #[track_caller]
    #[expect(clippy::panic, reason = "documented; it belongs to the line that wrote the answer")]
    pub fn reply(self, reply: impl Into<Reply>) {
        let reply = reply.into();
        let checked = self.checked && self.target.is_none();
        if self.checked
            && let Some((key, endpoint)) = self.target
            && let Err(misfit) = self.schemas.check_answer(key.service, endpoint, &reply)
        {
            panic!("{misfit}");
        }
        // Once is enough, where the endpoint is known.
        Self { checked, ..self }.add_reply(Arc::new(move |_| reply.clone()));
    }

    /// Answers with a JSON value and this status.
    ///
    /// # Panics
    ///
    /// As [`reply`](Self::reply).
    #[track_caller]
    pub fn reply_status(self, status: StatusCode, body: Value) {
        self.reply(Reply::json(status, &body));
    }

    /// Answers with what the function makes of the call. It runs on the deployment's only thread, so it must not wait
    /// for anything. One that holds the [`Deployment`](crate::testing::Deployment) keeps it alive for ever.
    ///
    /// If it makes an answer that does not fit the endpoint's schema, the call gets status 500 with a message that names
    /// the places.
    pub fn reply_with<R: Into<Reply>>(
        self,
        reply: impl Fn(&RecordedCall) -> R + Send + Sync + 'static,
    ) {
        self.add_reply(Arc::new(move |call| reply(call).into()));
    }

    /// Fails.
    pub fn fault(self, fault: Fault) {
        self.add(Action::Fault(fault));
    }

    fn add_reply(self, reply: MakeReply) {
        let checked = self.checked;
        self.add(Action::Reply { reply, checked });
    }

    fn add(self, action: Action) {
        let Self { stubs, target, times, every, .. } = self;
        let key = target.map(|(key, _)| key);
        stubs.add(Stub { key, left: times, every, met: 0, action });
    }
}

impl fmt::Debug for StubBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StubBuilder")
            .field("endpoint", &self.target.map(|(key, _)| key.endpoint))
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

/// What a stub is for. Two references may describe the same endpoint, so it goes by names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) service: &'static str,
    pub(crate) version: &'static str,
    pub(crate) endpoint: &'static str,
}

impl Key {
    pub(crate) fn of(reference: &Reference, endpoint: &'static Endpoint) -> Self {
        Self { service: reference.service, version: reference.version, endpoint: endpoint.name }
    }
}

type MakeReply = Arc<dyn Fn(&RecordedCall) -> Reply + Send + Sync>;

enum Action {
    Reply { reply: MakeReply, checked: bool },
    Fault(Fault),
}

struct Stub {
    /// `None` for all endpoints.
    key: Option<Key>,
    /// How many uses are left, if they are limited.
    left: Option<usize>,
    /// It is used for each call of this many that get to it.
    every: usize,
    /// How many calls have got to it.
    met: usize,
    action: Action,
}

impl Stub {
    /// Uses it up, if it is this call's turn.
    fn meet(&mut self) -> bool {
        self.met += 1;
        let due = self.met.is_multiple_of(self.every);
        if due && let Some(left) = &mut self.left {
            *left -= 1;
        }
        due
    }

    fn skew(&self) -> Option<i64> {
        match self.action {
            Action::Fault(Fault::Skew(seconds)) => Some(seconds),
            _ => None,
        }
    }
}

/// What the stubs say about one call.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) delay: Duration,
    pub(crate) answer: Prescribed,
    lose: bool,
    truncate: bool,
    length: usize,
    content_type: Option<HeaderValue>,
}

/// The answer of a [`Plan`].
#[derive(Default)]
pub(crate) enum Prescribed {
    #[default]
    BuiltIn,
    Reply {
        reply: MakeReply,
        checked: bool,
    },
    Disconnect,
}

/// All stubs of a deployment.
#[derive(Default)]
pub(crate) struct Stubs(Mutex<Lists>);

#[derive(Default)]
struct Lists {
    /// Those with uses left, never 0; oldest first.
    limited: VecDeque<Stub>,
    /// Newest first.
    unlimited: VecDeque<Stub>,
}

impl Lists {
    /// In the order in which they are used.
    fn of(&mut self, key: Key) -> impl Iterator<Item = &mut Stub> {
        let stubs = self.limited.iter_mut().chain(&mut self.unlimited);
        stubs.filter(move |stub| stub.key.is_none_or(|known| known == key))
    }

    fn forget_used_up(&mut self) {
        self.limited.retain(|stub| stub.left != Some(0));
    }
}

impl Stubs {
    fn add(&self, stub: Stub) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match stub.left {
            Some(0) => {}
            Some(_) => lists.limited.push_back(stub),
            None => lists.unlimited.push_front(stub),
        }
    }

    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Lists::default();
    }

    /// Uses up what the next call of an endpoint gets, once it has passed all checks.
    pub(crate) fn take(&self, key: Key) -> Plan {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut plan = Plan::default();
        for stub in lists.of(key).filter(|stub| stub.skew().is_none()) {
            if stub.meet() && plan.add(&stub.action) {
                break;
            }
        }
        lists.forget_used_up();
        plan
    }

    /// How far the clock is off for the next call of an endpoint.
    pub(crate) fn skew(&self, key: Key) -> TimeDelta {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds =
            lists.of(key).find_map(|stub| stub.skew().filter(|_| stub.meet())).unwrap_or_default();
        lists.forget_used_up();
        TimeDelta::seconds(seconds.clamp(-CENTURY, CENTURY))
    }
}

impl Plan {
    /// Adds a stub; says whether the answer is decided by it.
    fn add(&mut self, action: &Action) -> bool {
        let fault = match action {
            Action::Reply { reply, checked } => {
                self.answer = Prescribed::Reply { reply: reply.clone(), checked: *checked };
                return true;
            }
            Action::Fault(fault) => fault,
        };
        match fault {
            Fault::Delay(delay) => self.delay = self.delay.saturating_add(*delay),
            // It has had its effect before the checks.
            Fault::Skew(_) => {}
            Fault::LoseAnswer => self.lose = true,
            Fault::Truncate => self.truncate = true,
            Fault::Oversize(length) => self.length = self.length.max(*length),
            Fault::ContentType(value) => self.content_type = Some(value.clone()),
            Fault::Disconnect => {
                self.answer = Prescribed::Disconnect;
                return true;
            }
            Fault::Status(status) => return self.decide(error(*status)),
            Fault::RetryAfter(status, wait) => {
                let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
                return self.decide(error(*status).header(RETRY_AFTER, seconds.into()));
            }
            Fault::Html(status) => {
                let html =
                    "<!DOCTYPE html>\n<html><body><h1>The proxy has no answer</h1></body></html>\n";
                let html = Reply::new(*status).body(HeaderValue::from_static("text/html"), html);
                return self.decide(html);
            }
            Fault::Empty => return self.decide(Reply::new(StatusCode::OK)),
        }
        false
    }

    fn decide(&mut self, reply: Reply) -> bool {
        let reply: MakeReply = Arc::new(move |_| reply.clone());
        self.answer = Prescribed::Reply { reply, checked: false };
        true
    }

    /// Does to an answer what is left to do.
    pub(crate) fn finish(self, mut answer: Rendered) -> Outcome {
        if self.length > answer.body.len() {
            let mut body = Vec::from(answer.body);
            body.resize(self.length, b' ');
            answer.body = body.into();
        }
        if let Some(value) = self.content_type {
            answer.headers.insert(CONTENT_TYPE, value);
        }
        match self {
            Self { lose: true, .. } => Outcome::Reset,
            Self { truncate: true, .. } => Outcome::Truncated(answer),
            _ => Outcome::Answer(answer),
        }
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
    Reply::error(status, code, "This error is a fault injected by the test")
}
