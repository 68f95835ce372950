//! Stubs: answers and faults that a test sets up.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::testing::http::answer::{Outcome, Rendered, Reply};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::schemas::Schemas;
use crate::testing::services::context::clock::CENTURY;
use crate::{Endpoint, Reference, Stability};

/// Something that goes wrong with a call, injected by a [`StubBuilder`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Delays the answer of the next stub or the service.
    Delay(Duration),
    /// Puts the deployment's clock this many seconds ahead (or behind, if negative) for this call: when it checks the
    /// signature, and in the `Date` header. The next stub or the service answers.
    Skew(i64),
    /// Answers with this status and Taskcluster's error body.
    Status(StatusCode),
    /// Answers with this status, Taskcluster's error body, and a `Retry-After` header, rounded up to whole seconds.
    RetryAfter(StatusCode, Duration),
    /// Resets the connection without carrying out the call.
    Disconnect,
    /// Carries out the call, then resets the connection without an answer.
    LoseAnswer,
    /// Carries out the call, then breaks the connection in the middle of the answer's body.
    Truncate,
    /// Carries out the call, then breaks the connection after this many bytes of the answer's body. A shorter answer is complete.
    CutOff(usize),
    /// Carries out the call and sends this many bytes of the answer's body, then nothing more: the connection hangs.
    Stall(usize),
    /// Carries out the call and pads the answer's body with white space to this length, in bytes.
    Oversize(usize),
    /// Carries out the call and answers with this `Content-Type` header.
    ContentType(HeaderValue),
    /// Answers with this status and an HTML page, as a proxy in front of the service might.
    Html(StatusCode),
    /// Answers with status 200 and no body.
    Empty,
}

/// Sets how an endpoint answers. Created by [`Deployment::on`](crate::testing::Deployment::on), or for all endpoints by
/// [`Deployment::on_any`](crate::testing::Deployment::on_any).
///
/// A call uses the first stub limited by [`times`](Self::times), in order of creation; then the latest unlimited stub; then
/// the built-in answer. A stub sees only calls that pass all checks, except for [`Fault::Skew`].
///
/// Successful answers are validated against the endpoint's schema, so that a test does not rely on what the service would
/// never send; [`unchecked`](Self::unchecked) turns that off.
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

    /// Limits the stub to this many uses.
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Uses the stub for every `n`th call only; other calls pass to the next stub. 0 is treated as 1.
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

    /// Does not validate the answer against the endpoint's schema.
    pub fn unchecked(mut self) -> Self {
        self.checked = false;
        self
    }

    /// Answers with a JSON value and status 200, or with a [`Reply`]. The schemas of your own references must have been
    /// [added](crate::testing::Deployment::schemas) before.
    ///
    /// # Panics
    ///
    /// Panics if the answer is successful and does not fit the endpoint's schema. The message lists each mismatch.
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
        // If the endpoint is known, one check is enough.
        Self { checked, ..self }.add_reply(Arc::new(move |_| reply.clone()));
    }

    /// Answers with a JSON value and this status.
    ///
    /// # Panics
    ///
    /// Panics as described for [`reply`](Self::reply).
    #[track_caller]
    pub fn reply_status(self, status: StatusCode, body: Value) {
        self.reply(Reply::json(status, &body));
    }

    /// Answers with the result of this function. It runs on the deployment's only thread, so it must not block. If it holds
    /// a handle to the [`Deployment`](crate::testing::Deployment), the deployment never stops.
    ///
    /// If the answer does not fit the endpoint's schema, the call gets status 500 with a message that lists each mismatch.
    pub fn reply_with<R: Into<Reply>>(
        self,
        reply: impl Fn(&RecordedCall) -> R + Send + Sync + 'static,
    ) {
        self.add_reply(Arc::new(move |call| reply(call).into()));
    }

    /// Injects a fault.
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

/// What the storage is called where a service has its name.
pub(crate) const STORAGE: &str = "storage";

/// The requests that storage takes, in the form of endpoints.
pub(crate) static DOWNLOAD: Endpoint = of_storage("download", Method::GET);
pub(crate) static UPLOAD: Endpoint = of_storage("upload", Method::PUT);

const fn of_storage(name: &'static str, method: Method) -> Endpoint {
    Endpoint {
        name,
        title: name,
        method,
        route: "/storage/<key>",
        args: &[],
        query: &[],
        input: None,
        output: None,
        scopes: None,
        stability: Stability::Stable,
        paging: None,
        patterns: &[],
        query_patterns: &[],
        secrets: &[],
    }
}

/// The endpoint of a stub, by name: two references may describe the same endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) service: &'static str,
    pub(crate) version: &'static str,
    pub(crate) endpoint: &'static str,
}

impl Key {
    /// A request to the storage.
    pub(crate) const fn of_storage(endpoint: &'static Endpoint) -> Self {
        Self { service: STORAGE, version: "", endpoint: endpoint.name }
    }

    fn is_storage(&self) -> bool {
        self.service == STORAGE
    }

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
    /// The remaining uses, if they are limited.
    left: Option<usize>,
    /// Used for one of this many calls that reach it.
    every: usize,
    /// The calls that have reached it.
    met: usize,
    action: Action,
}

impl Stub {
    /// Counts a call that reaches the stub; returns whether the stub applies to it.
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

/// What the stubs prescribe for one call.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) delay: Duration,
    pub(crate) answer: Prescribed,
    lose: bool,
    cut: Option<Cut>,
    length: usize,
    content_type: Option<HeaderValue>,
}

/// Where the body of an answer breaks off.
enum Cut {
    Half,
    After { sent: usize, hangs: bool },
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
        stubs.filter(move |stub| stub.key.map_or(!key.is_storage(), |known| known == key))
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

    /// Uses the stubs that apply to a call of this endpoint, after the call has passed all checks.
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

    /// Returns the offset of the clock for a call of this endpoint.
    pub(crate) fn skew(&self, key: Key) -> TimeDelta {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds =
            lists.of(key).find_map(|stub| stub.skew().filter(|_| stub.meet())).unwrap_or_default();
        lists.forget_used_up();
        TimeDelta::seconds(seconds.clamp(-CENTURY, CENTURY))
    }
}

impl Plan {
    /// Adds a stub; returns whether it decides the answer.
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
            // It took effect before the checks.
            Fault::Skew(_) => {}
            Fault::LoseAnswer => self.lose = true,
            Fault::Truncate => self.cut = Some(Cut::Half),
            Fault::CutOff(sent) => self.cut = Some(Cut::After { sent: *sent, hangs: false }),
            Fault::Stall(sent) => self.cut = Some(Cut::After { sent: *sent, hangs: true }),
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

    /// Applies the faults that change an answer.
    pub(crate) fn finish(self, mut answer: Rendered) -> Outcome {
        if self.length > answer.body.len() {
            let mut body = Vec::from(answer.body);
            body.resize(self.length, b' ');
            answer.body = body.into();
        }
        if let Some(value) = self.content_type {
            answer.headers.insert(CONTENT_TYPE, value);
        }
        match self.cut {
            _ if self.lose => Outcome::Reset,
            None => Outcome::Answer(answer),
            Some(Cut::Half) => {
                Outcome::Truncated { sent: answer.body.len() / 2, hangs: false, answer }
            }
            // There is no more to send: the answer is complete.
            Some(Cut::After { sent, .. }) if sent > 0 && sent >= answer.body.len() => {
                Outcome::Answer(answer)
            }
            Some(Cut::After { sent, hangs }) => Outcome::Truncated { answer, sent, hangs },
        }
    }
}

/// The error of a fault.
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
