//! The one place where requests are signed, sent and retried, and responses are read.

use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::DateTime;
use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER,
};
use reqwest::{Method, Response, StatusCode, Url};
use serde_core::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_json::value::RawValue;
use tokio::time::timeout;
use tracing::debug;

use super::body::{read_start, read_whole};
use super::redirect;
use super::request::Request;
use super::trace::TraceId;
use crate::client::service::Service;
use crate::client::{clock, http};
use crate::error::{Error, Result, describe, without_mark, without_values};
use crate::hawk::{self, Target, payload_hash};
use crate::model::{Missing, Reading, Strictness};
use crate::reference::Endpoint;

/// How much of an error response's body is read, in bytes.
const MAX_ERROR: usize = 256 * 1024;

/// A complete response, with the context for errors about it.
pub(crate) struct Answer {
    service: Service,
    endpoint: &'static Endpoint,
    url: Url,
    status: StatusCode,
    attempts: u32,
    body: Bytes,
}

impl Answer {
    /// Returns the JSON of the response. If the reference promises none, the call has succeeded whatever the body is, and one
    /// that is not JSON counts as `null`.
    pub(crate) fn json(&self) -> Result<&str> {
        // Checking UTF-8 once is cheaper than string by string while decoding.
        let text = std::str::from_utf8(without_mark(&self.body));
        let Some(schema) = self.endpoint.output else {
            return Ok(text.ok().filter(|text| is_json(text)).unwrap_or("null"));
        };
        if self.status == StatusCode::NO_CONTENT {
            return Err(self.error(Error::answer(format!(
                "the service sent no content, but {} must answer with {schema}",
                self.endpoint.name
            ))));
        }
        text.map_err(|error| self.error(Error::answer("the response is not UTF-8").because(error)))
    }

    /// How to read the type that the reference promises.
    pub(crate) fn strictness(&self) -> Strictness {
        match self.service.client().settings().strict_answers {
            true => Strictness::Answer,
            false => Strictness::Corrected,
        }
    }

    /// Warns about missing properties.
    pub(crate) fn warn(&self, missing: &[Missing]) {
        if !missing.is_empty() {
            let source = format!("{}.{}", self.service.reference().service, self.endpoint.name);
            self.service.client().corrections().warn(&source, missing);
        }
    }

    /// Explains why the content cannot be decoded: it is not JSON, or JSON of the wrong shape. `place` is the part of the response.
    pub(crate) fn undecodable(&self, error: serde_json::Error, place: &str) -> Error {
        self.error(match error.classify() {
            category if category == Category::Data || is_out_of_range(&error) => {
                Error::answer(format!(
                    "the response does not have the expected shape: {place}{}",
                    without_values(&error)
                ))
            }
            _ if self.status.is_redirection() => {
                Error::answer("the service sent a redirect; use `send_raw` to get it")
                    .because(error)
            }
            _ => Error::answer(format!("the service sent {}", describe(&self.body))).because(error),
        })
    }

    /// Adds this response to an error about its content.
    pub(crate) fn error(&self, error: Error) -> Error {
        error.with_answer(self.status, &self.body).with_call(
            &self.endpoint.method,
            &self.url,
            self.attempts,
        )
    }
}

/// Whether the error is a number that no `f64` can hold, which is valid JSON. `serde_json` reports it as a syntax error.
fn is_out_of_range(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("number out of range")
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Decodes a response.
pub(crate) fn decode<T: DeserializeOwned>(answer: &Answer, strictness: Strictness) -> Result<T> {
    let json = answer.json()?;
    let reading = Reading::begin(strictness);
    let value = serde_json::from_str(json);
    answer.warn(&reading.end());
    value.map_err(|error| {
        let place = element_of(json, &error).map(|index| format!("[{index}]: "));
        answer.undecodable(error, &place.unwrap_or_default())
    })
}

/// Returns the list element that an error is about, which `Vec` does not report.
fn element_of(json: &str, error: &serde_json::Error) -> Option<usize> {
    let list: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let lines = json.split_inclusive('\n').take(error.line().checked_sub(1)?);
    let place = lines.map(str::len).sum::<usize>() + error.column();
    let end =
        |item: &RawValue| item.get().as_bytes().as_ptr_range().end.addr() - json.as_ptr().addr();
    list.into_iter().position(|item| place <= end(item))
}

/// Sends a request and reads the whole response.
pub(crate) async fn send(request: &Request) -> Result<Answer> {
    let sent = Sender::new(request)?.run(true).await?;
    Ok(Answer {
        service: request.service.clone(),
        endpoint: request.endpoint,
        url: sent.url,
        status: sent.response.status(),
        attempts: sent.attempts,
        body: sent.body,
    })
}

/// Sends a request. If it succeeds, the caller reads the body.
pub(crate) async fn send_raw(request: &Request) -> Result<Response> {
    Ok(Sender::new(request)?.run(false).await?.response)
}

/// A request in flight: what stays the same for all attempts.
struct Sender<'a> {
    request: &'a Request,
    url: Url,
    /// The URL for errors and logs.
    shown: Url,
    /// The hash of the payload, if there is a payload.
    hash: Option<String>,
    attempts: u32,
    /// The clock offset that the service suggested during this call, until it accepts a signature made with it.
    clock_offset: Option<i64>,
}

struct Sent {
    /// The URL for errors.
    url: Url,
    response: Response,
    body: Bytes,
    attempts: u32,
}

/// A failed attempt, with the headers of the response if there was one.
type Failed = Box<(Error, HeaderMap)>;

impl<'a> Sender<'a> {
    fn new(request: &'a Request) -> Result<Self> {
        let (url, shown) = request.urls()?;
        let hash = request.payload.as_deref().map(|body| payload_hash("application/json", body));
        Ok(Self { request, url, shown, hash, attempts: 0, clock_offset: None })
    }

    /// Retries until an attempt succeeds or none is left. With `whole`, reading the body is part of an attempt.
    async fn run(mut self, whole: bool) -> Result<Sent> {
        let client = self.request.service.client();
        let mut delays = client.settings().retry.delays();
        loop {
            let started = Instant::now();
            let signed_at = self.time();
            let (error, headers) = match self.attempt(whole).await {
                Ok((response, body)) => {
                    self.learn_time(response.status(), None);
                    debug!(
                        endpoint = self.request.endpoint.name,
                        method = %self.request.endpoint.method,
                        url = %self.shown,
                        attempt = self.attempts,
                        status = response.status().as_u16(),
                        elapsed = ?started.elapsed(),
                        "answered"
                    );
                    return Ok(Sent { url: self.shown, response, body, attempts: self.attempts });
                }
                Err(failed) => *failed,
            };
            let error = error.with_call(&self.request.endpoint.method, &self.shown, self.attempts);
            debug!(
                endpoint = self.request.endpoint.name,
                attempt = self.attempts,
                elapsed = ?started.elapsed(),
                %error,
                "failed"
            );
            if let Some(status) = error.status() {
                self.learn_time(status, error.code());
            }
            if self.clock_offset.is_none()
                && error.status() == Some(StatusCode::UNAUTHORIZED)
                && error.message().contains("Stale timestamp")
            {
                self.clock_offset = server_time(&headers)
                    .and_then(|server| client.clock().suggested_offset(server, signed_at));
                if self.clock_offset.is_some() {
                    continue;
                }
            }
            if !is_worth_repeating(&error) {
                return Err(error);
            }
            let Some(delay) = delays.next() else { return Err(error) };
            let asked = retry_after(&headers).unwrap_or_default();
            let delay = client.settings().retry.wait(delay, asked);
            debug!(endpoint = self.request.endpoint.name, ?delay, "retrying");
            tokio::time::sleep(delay).await;
        }
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

    /// Makes one attempt, with its own time, nonce and signature. The client's timeout covers everything that is read here.
    async fn attempt(&mut self, whole: bool) -> Result<(Response, Bytes), Failed> {
        let unanswered = |error| Box::new((error, HeaderMap::new()));
        let client = self.request.service.client();
        let mut request = self.signed().await.map_err(unanswered)?;
        let trace_id = TraceId::new();
        trace_id.put_into(request.headers_mut());
        self.attempts += 1;
        let started = Instant::now();
        let http = client.http().map_err(unanswered)?;
        let mut response = timeout(client.settings().timeout, http.execute(request))
            .await
            .map_err(|_| unanswered(Error::timeout()))?
            .map_err(|error| unanswered(http::unanswered(error)))?;
        if trace_id.is_of_another(response.headers()) {
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
        let reading = async {
            match good {
                true => read_whole(&mut response, client.settings().max_body).await,
                false => read_start(&mut response, MAX_ERROR).await,
            }
        };
        let body = timeout(client.settings().timeout.saturating_sub(started.elapsed()), reading)
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

    /// Builds the signed HTTP request of one attempt.
    async fn signed(&self) -> Result<reqwest::Request> {
        let Request { service, endpoint, payload, .. } = self.request;
        let client = service.client();
        let mut request = reqwest::Request::new(endpoint.method.clone(), self.url.clone());
        let headers = request.headers_mut();
        if let Some(signer) = client.signer().await? {
            let target = Target {
                method: endpoint.method.as_str(),
                resource: self.request.resource(&self.url),
                host: service.host(),
                port: service.port(),
            };
            let nonce = hawk::nonce();
            let nonce = std::str::from_utf8(&nonce).unwrap_or_default();
            let header = signer.header(&target, self.hash.as_deref(), self.time(), nonce);
            let mut value =
                HeaderValue::from_maybe_shared(Bytes::from(header)).map_err(|error| {
                    Error::config("the signature cannot be sent as a header").because(error)
                })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
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
        Ok(request)
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
