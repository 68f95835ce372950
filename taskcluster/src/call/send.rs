//! The one place where requests are signed, sent and retried, and their responses are awaited.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER,
};
use reqwest::{Method, Response, StatusCode, Url};
use tokio::time::timeout;

use super::answer::Answer;
use super::body::{Extent, read};
use super::observed::{ObservedAttempt, ObservedCall, inside};
use super::redirect;
use super::request::Request;
use super::trace::TraceId;
use crate::client::{clock, http};
use crate::error::{Error, Result};
use crate::hawk::{self, Signer, Target, payload_hash};

/// How much of an error response's body is read, in bytes.
const MAX_ERROR: usize = 256 * 1024;

/// Sends a request and reads the whole response.
pub(crate) async fn send(request: &Request) -> Result<Answer> {
    let mut sender = Sender::new(request)?;
    let (response, body) = sender.run(true).await?;
    Ok(Answer {
        service: request.service.clone(),
        endpoint: request.endpoint,
        status: response.status(),
        attempts: sender.attempts,
        url: sender.into_shown_url(),
        body,
    })
}

/// Sends a request. If it succeeds, the caller reads the body.
pub(crate) async fn send_raw(request: &Request) -> Result<Response> {
    let mut sender = Sender::new(request)?;
    let (response, _) = sender.run(false).await?;
    Ok(response)
}

/// A request in flight: what stays the same for all attempts.
struct Sender<'a> {
    request: &'a Request,
    url: Url,
    /// The URL for errors and logs, if it is another one.
    shown: Option<Box<Url>>,
    /// The hash of the payload, if there is a payload and attempts are signed.
    hash: Option<Box<str>>,
    attempts: u32,
    retries: u32,
    /// The clock offset that the service suggested during this call, until it accepts a signature made with it.
    clock_offset: Option<i64>,
}

/// An attempt without a result.
enum Failed {
    /// The call has failed.
    Finally(Error),
    /// The next attempt is due after this time.
    RetryIn(Duration),
}

/// Why an attempt has failed, with the headers of the response if there was one.
type Refused = Box<(Error, HeaderMap)>;

fn unanswered(error: Error) -> Refused {
    Box::new((error, HeaderMap::new()))
}

impl<'a> Sender<'a> {
    fn new(request: &'a Request) -> Result<Self> {
        let url = request.url()?;
        let shown = match request.has_secrets() {
            true => Some(Box::new(request.shown_url()?)),
            false => None,
        };
        let payload = request.payload.as_deref().filter(|_| request.is_signed());
        let hash = payload.map(|body| payload_hash("application/json", body).into());
        Ok(Self { request, url, shown, hash, attempts: 0, retries: 0, clock_offset: None })
    }

    fn shown_url(&self) -> &Url {
        self.shown.as_deref().unwrap_or(&self.url)
    }

    fn into_shown_url(self) -> Url {
        self.shown.map_or(self.url, |shown| *shown)
    }

    /// Sends attempt after attempt until one succeeds or none is left. With `whole`, reading the body is part of an attempt.
    async fn run(&mut self, whole: bool) -> Result<(Response, Bytes)> {
        let call = ObservedCall::begin(self.request);
        let attempts = async {
            loop {
                let delay = match self.attempt(whole).await {
                    Ok(answer) => return Ok(answer),
                    Err(Failed::Finally(error)) => return Err(error),
                    Err(Failed::RetryIn(delay)) => delay,
                };
                tokio::time::sleep(delay).await;
            }
        };
        let outcome = inside(&call.span, pin!(attempts)).await;
        call.end(self.attempts, outcome.as_ref().map(|(response, _)| response.status()));
        outcome
    }

    /// Makes one attempt, and decides what comes after it.
    async fn attempt(&mut self, whole: bool) -> Result<(Response, Bytes), Failed> {
        let signer = self.signer().await.map_err(|e| Failed::Finally(self.with_call(e)))?;
        self.attempts += 1;
        let signed_at = self.time();
        let attempt = ObservedAttempt::begin(self.request, self.shown_url(), self.attempts);
        let sent = self
            .start(signer, signed_at, &attempt.trace_id)
            .map_err(|e| Failed::Finally(self.with_call(e)))?;
        let answer = inside(&attempt.span, pin!(self.answer(sent, &attempt, whole))).await;
        let (error, headers) = match answer {
            Ok((response, body)) => {
                self.learn_time(response.status(), None);
                attempt.end(self.shown_url(), Ok(response.status()), None);
                return Ok((response, body));
            }
            Err(refused) => *refused,
        };
        let error = self.with_call(error);
        if let Some(status) = error.status() {
            self.learn_time(status, error.code());
        }
        let offset = self.suggested_offset(&error, &headers, signed_at);
        let delay = match offset {
            Some(_) => Some(Duration::ZERO),
            None if is_worth_repeating(&error) => {
                let retry = self.request.retry();
                let asked = retry_after(&headers).unwrap_or_default();
                retry.delay(self.retries).map(|delay| retry.wait(delay, asked))
            }
            None => None,
        };
        attempt.end(self.shown_url(), Err(&error), delay);
        match offset {
            Some(_) => self.clock_offset = offset,
            None => self.retries += 1,
        }
        Err(delay.map_or(Failed::Finally(error), Failed::RetryIn))
    }

    /// Adds this call to an error about it.
    fn with_call(&self, error: Error) -> Error {
        error.with_call(&self.request.endpoint.method, self.shown_url(), self.attempts)
    }

    /// The clock offset to sign again with, if the service rejected a signature as stale for the first time.
    fn suggested_offset(&self, error: &Error, headers: &HeaderMap, signed_at: i64) -> Option<i64> {
        let stale = self.clock_offset.is_none()
            && error.status() == Some(StatusCode::UNAUTHORIZED)
            && error.message().contains("Stale timestamp");
        let clock = self.request.service.client().clock();
        stale.then(|| clock.suggested_offset(server_time(headers)?, signed_at))?
    }

    /// The time to sign the next attempt with.
    fn time(&self) -> i64 {
        match self.clock_offset {
            Some(offset) => clock::now().saturating_add(offset),
            None => self.request.service.client().clock().now(),
        }
    }

    /// Keeps the suggested clock offset once the service has accepted a signature made with it: it carried out the call, or
    /// refused it for another reason.
    fn learn_time(&self, status: StatusCode, code: Option<&str>) {
        let refused_later =
            status.is_client_error() && status != StatusCode::UNAUTHORIZED && code.is_some();
        if let Some(offset) = self.clock_offset
            && (self.is_good(status) || refused_later)
        {
            self.request.service.client().clock().adopt(offset);
        }
    }

    /// Reads the response of an attempt. The timeout covers everything that is read here.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` would hold its arguments twice")]
    fn answer(
        &self,
        sent: impl Future<Output = reqwest::Result<Response>>,
        attempt: &ObservedAttempt<'_>,
        whole: bool,
    ) -> impl Future<Output = Result<(Response, Bytes), Refused>> {
        async move {
            let limit = self.request.timeout();
            let mut response = timeout(limit, sent)
                .await
                .map_err(|_| unanswered(Error::timeout()))?
                .map_err(|error| unanswered(http::unanswered(error)))?;
            if attempt.trace_id.is_of_another(response.headers()) {
                let message = "the response on this connection answers another request";
                return Err(unanswered(Error::disconnected(message)));
            }
            let status = response.status();
            if response.url() != &self.url {
                let error = Error::config(
                    "the HTTP client followed a redirect, which the signature does not cover; \
                 build the client with `redirect(Policy::none())`",
                );
                return Err(unanswered(error.with_status(Some(status))));
            }
            let good = self.is_good(status);
            if !whole && (good || status.is_redirection()) {
                return Ok((response, Bytes::new()));
            }
            let extent = match good {
                true => Extent::Whole(self.request.service.client().settings().max_body),
                false => Extent::Start(MAX_ERROR),
            };
            let left = limit.saturating_sub(attempt.started.elapsed());
            let body = timeout(left, read(&mut response, extent))
                .await
                .unwrap_or_else(|_| Err(Error::timeout()));
            let error = match body {
                Ok(body) if good => return Ok((response, body)),
                Ok(body) => self.refused(&response, body),
                // The status is enough for an error.
                Err(error) if !good => self.refused(&response, Bytes::new()).because(error),
                Err(error) => error.with_status(Some(status)),
            };
            Err(Box::new((error, response.headers().clone())))
        }
    }

    /// Whether a response with this status is a success.
    fn is_good(&self, status: StatusCode) -> bool {
        let Request { service, endpoint, .. } = self.request;
        status.is_success()
            || redirect::is_answer(service.reference().service, endpoint.name, status)
    }

    /// Returns the error for an unsuccessful response.
    fn refused(&self, response: &Response, body: Bytes) -> Error {
        match response.status() {
            status if status.is_redirection() => {
                redirect::unwanted(&self.url, response.headers()).with_answer(status, &body)
            }
            status => Error::api(status, body),
        }
    }

    /// Returns the signer of the next attempt, or `None` if it is not signed.
    async fn signer(&self) -> Result<Option<Arc<Signer>>> {
        match self.request.is_signed() {
            true => self.request.service.client().signer().await,
            false => Ok(None),
        }
    }

    /// Starts an attempt, with its own time, nonce and signature.
    fn start(
        &self,
        signer: Option<Arc<Signer>>,
        time: i64,
        trace_id: &TraceId,
    ) -> Result<impl Future<Output = reqwest::Result<Response>> + use<>> {
        let Request { service, endpoint, payload, .. } = self.request;
        let mut request = reqwest::Request::new(endpoint.method.clone(), self.url.clone());
        let headers = request.headers_mut();
        if let Some(own) = self.request.headers() {
            headers.clone_from(own);
        }
        // Room for those that are set here, and those that the HTTP library adds.
        headers.reserve(8);
        if let Some(signer) = signer {
            let target = Target {
                method: endpoint.method.as_str(),
                resource: self.request.resource(&self.url),
                host: service.host(),
                port: service.port(),
            };
            let nonce = hawk::nonce();
            let nonce = std::str::from_utf8(&nonce).unwrap_or_default();
            let header = signer.header(&target, self.hash.as_deref(), time, nonce);
            let mut value =
                HeaderValue::from_maybe_shared(Bytes::from(header)).map_err(|error| {
                    Error::config("the signature cannot be sent as a header").because(error)
                })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        trace_id.put_into(headers);
        match payload {
            Some(payload) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                *request.body_mut() = Some(payload.clone().into());
            }
            // Some proxies reject these methods without a length.
            None if matches!(endpoint.method, Method::POST | Method::PUT | Method::PATCH) => {
                headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            None => {}
        }
        Ok(service.client().http()?.execute(request))
    }
}

fn is_worth_repeating(error: &Error) -> bool {
    match error.status() {
        _ if error.is_transport() => true,
        Some(status) if error.is_api() => {
            status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
        }
        _ => false,
    }
}

/// Returns the value of a header, if it is text.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The `Date` header, in seconds since 1970.
fn server_time(headers: &HeaderMap) -> Option<i64> {
    http_date(text(headers, DATE)?)
}

/// `Retry-After`, in both forms of RFC 9110: seconds, or a date.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER)?.trim();
    let seconds = match text.parse() {
        Ok(seconds) => seconds,
        Err(_) => {
            let now = server_time(headers).unwrap_or_else(clock::now);
            u64::try_from(http_date(text)?.saturating_sub(now)).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds))
}

fn http_date(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.timestamp())
}
