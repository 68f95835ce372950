//! The one place where requests are signed, sent and retried, and responses are read.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use chrono::DateTime;
use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER,
};
use reqwest::{Method, Response, StatusCode, Url};
use serde_core::de::DeserializeOwned;
use serde_json::error::Category;
use tracing::debug;

use super::request::Request;
use crate::client::clock;
use crate::error::{Error, Result, describe, without_values};
use crate::hawk::{self, Target, payload_hash};
use crate::reference::Endpoint;

/// How much of an error response's body is read, in bytes.
const MAX_ERROR: usize = 256 * 1024;

/// A complete response, with the context for errors about it.
pub(crate) struct Answer {
    endpoint: &'static Endpoint,
    url: Url,
    status: StatusCode,
    attempts: u32,
    body: Bytes,
}

impl Answer {
    /// The body as text. Checking UTF-8 once is cheaper than string by string while decoding.
    pub(crate) fn json(&self) -> Result<&str> {
        std::str::from_utf8(&self.body)
            .map_err(|error| self.error(Error::answer("the response is not UTF-8").because(error)))
    }

    /// Explains why the content cannot be decoded: it is not JSON, or JSON of the wrong shape.
    pub(crate) fn undecodable(&self, error: serde_json::Error) -> Error {
        self.error(match error.classify() {
            Category::Data => Error::answer(format!(
                "the response does not have the expected shape: {}",
                without_values(&error)
            )),
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

/// Decodes a response. An empty body counts as `null` if the reference names no schema for it.
pub(crate) fn decode<T: DeserializeOwned>(answer: &Answer) -> Result<T> {
    let json = match answer.json()? {
        "" if answer.endpoint.output.is_none() => "null",
        json => json,
    };
    serde_json::from_str(json).map_err(|error| answer.undecodable(error))
}

/// Sends a request and reads the whole response.
pub(crate) async fn send(request: &Request) -> Result<Answer> {
    let sent = Sender::new(request)?.run(true).await?;
    Ok(Answer {
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
    /// The hash of the payload, if there is a payload.
    hash: Option<String>,
    attempts: u32,
}

struct Sent {
    url: Url,
    response: Response,
    body: Bytes,
    attempts: u32,
}

impl<'a> Sender<'a> {
    fn new(request: &'a Request) -> Result<Self> {
        let url = request.url()?;
        let hash = request.payload.as_deref().map(|body| payload_hash("application/json", body));
        Ok(Self { request, url, hash, attempts: 0 })
    }

    /// Retries until an attempt succeeds or none is left. With `whole`, reading the body is part of an attempt.
    async fn run(mut self, whole: bool) -> Result<Sent> {
        let client = self.request.service.client();
        let mut delays = client.retry().delays();
        let mut clock_corrected = false;
        loop {
            let started = Instant::now();
            let signed_at = client.clock().now();
            let (error, headers) = match self.attempt(whole).await {
                Ok((response, body)) => {
                    debug!(
                        endpoint = self.request.endpoint.name,
                        method = %self.request.endpoint.method,
                        url = %self.url,
                        attempt = self.attempts,
                        status = response.status().as_u16(),
                        elapsed = ?started.elapsed(),
                        "answered"
                    );
                    return Ok(Sent { url: self.url, response, body, attempts: self.attempts });
                }
                Err(failed) => *failed,
            };
            let error = error.with_call(&self.request.endpoint.method, &self.url, self.attempts);
            debug!(
                endpoint = self.request.endpoint.name,
                attempt = self.attempts,
                elapsed = ?started.elapsed(),
                %error,
                "failed"
            );
            let clock_was_off = !clock_corrected
                && error.status() == Some(StatusCode::UNAUTHORIZED)
                && error.message().contains("Stale timestamp")
                && server_time(&headers)
                    .is_some_and(|time| client.clock().correct(time, signed_at));
            if clock_was_off {
                clock_corrected = true;
                continue;
            }
            if !is_worth_repeating(&error) {
                return Err(error);
            }
            let Some(delay) = delays.next() else { return Err(error) };
            let delay =
                retry_after(&headers).unwrap_or_default().min(client.retry().limit()).max(delay);
            debug!(endpoint = self.request.endpoint.name, ?delay, "retrying");
            tokio::time::sleep(delay).await;
        }
    }

    /// Makes one attempt, with its own time, nonce and signature.
    async fn attempt(&mut self, whole: bool) -> Result<(Response, Bytes), Box<(Error, HeaderMap)>> {
        let unanswered = |error| Box::new((error, HeaderMap::new()));
        let client = self.request.service.client();
        let request = self.signed(whole).await.map_err(unanswered)?;
        self.attempts += 1;
        let answered = client.http().execute(request);
        // If the caller reads the body, the timeout does not cover it.
        let answered = if whole {
            answered.await
        } else {
            tokio::time::timeout(client.timeout(), answered)
                .await
                .map_err(|_| unanswered(Error::timeout()))?
        };
        let mut response = answered.map_err(|error| unanswered(Error::transport(error)))?;
        let status = response.status();
        if response.url() != &self.url {
            let error = Error::config(
                "the HTTP client followed a redirect, which the signature does not cover; \
                 build the client with `redirect(Policy::none())`",
            );
            return Err(unanswered(error.with_status(Some(status))));
        }
        let failed = status.is_client_error() || status.is_server_error();
        let body = match (failed, whole) {
            (false, false) => Ok(Bytes::new()),
            (false, true) => read(&mut response, usize::MAX).await,
            (true, _) => read(&mut response, MAX_ERROR).await,
        };
        let error = match body {
            Ok(body) if !failed => return Ok((response, body)),
            Ok(body) => Error::api(status, body),
            // The status is enough.
            Err(error) if failed => Error::api(status, Bytes::new()).because(error.without_url()),
            Err(error) => Error::transport(error).with_status(Some(status)),
        };
        Err(Box::new((error, response.headers().clone())))
    }

    /// Builds the signed HTTP request of one attempt.
    async fn signed(&self, whole: bool) -> Result<reqwest::Request> {
        let Request { service, endpoint, payload, .. } = self.request;
        let client = service.client();
        let mut request = reqwest::Request::new(endpoint.method.clone(), self.url.clone());
        *request.timeout_mut() = whole.then(|| client.timeout());
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
            let header = signer.header(&target, self.hash.as_deref(), client.clock().now(), nonce);
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

/// Reads a body up to about `limit` bytes. A body that arrives as one chunk is not copied.
async fn read(response: &mut Response, limit: usize) -> Result<Bytes, reqwest::Error> {
    let Some(first) = response.chunk().await? else { return Ok(Bytes::new()) };
    let Some(second) = response.chunk().await? else { return Ok(first) };
    let mut body = BytesMut::from(first);
    body.extend_from_slice(&second);
    while body.len() < limit
        && let Some(chunk) = response.chunk().await?
    {
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
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

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
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
