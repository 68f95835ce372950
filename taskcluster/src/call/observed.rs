//! What can be seen of calls from outside: spans, log lines, and the client's hooks.
//!
//! The spans follow OpenTelemetry's conventions for HTTP clients: one for each attempt, in one for the whole call. Without a
//! subscriber nothing is formatted for them.

use std::cell::LazyCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::time::{Duration, Instant};

use reqwest::{StatusCode, Url};
use tracing::field::Empty;
use tracing::{Span, debug, info_span};

use super::request::Request;
use super::trace::TraceId;
use crate::client::attempt::Attempt;
use crate::error::{Error, ErrorKind};

/// A call under way.
pub(super) struct ObservedCall {
    pub(super) span: Span,
    started: Instant,
}

impl ObservedCall {
    pub(super) fn begin(request: &Request) -> Self {
        let (service, endpoint) = request.names();
        let span = info_span!(
            "call",
            otel.name = %format_args!("{service}.{endpoint}"),
            otel.kind = "internal",
            otel.status_code = Empty,
            taskcluster.service = service,
            taskcluster.endpoint = endpoint,
            taskcluster.attempts = Empty,
            http.response.status_code = Empty,
            error.type = Empty,
            duration = Empty,
        );
        Self { span, started: Instant::now() }
    }

    pub(super) fn end(self, attempts: u32, outcome: Result<StatusCode, &Error>) {
        self.span.record("taskcluster.attempts", attempts);
        record(&self.span, outcome, self.started.elapsed());
    }
}

/// An attempt under way.
pub(super) struct ObservedAttempt<'a> {
    request: &'a Request,
    number: u32,
    pub(super) trace_id: TraceId,
    pub(super) span: Span,
    pub(super) started: Instant,
}

impl<'a> ObservedAttempt<'a> {
    /// `url` is the one to show.
    pub(super) fn begin(request: &'a Request, url: &Url, number: u32) -> Self {
        let trace_id = TraceId::new();
        let (service, endpoint) = request.names();
        let method = &request.endpoint.method;
        let (base, route) = (request.service.base_path(), request.endpoint.route);
        let span = info_span!(
            "attempt",
            otel.name = %format_args!("{method} {base}{route}"),
            otel.kind = "client",
            otel.status_code = Empty,
            taskcluster.service = service,
            taskcluster.endpoint = endpoint,
            taskcluster.trace_id = %trace_id,
            http.request.method = method.as_str(),
            http.request.resend_count = (number > 1).then(|| number - 1),
            http.response.status_code = Empty,
            url.template = %format_args!("{base}{route}"),
            url.full = url.as_str(),
            server.address = request.service.host(),
            server.port = request.service.port(),
            error.type = Empty,
            duration = Empty,
        );
        Self { request, number, trace_id, span, started: Instant::now() }
    }

    /// `retry_after` is how long the client waits before the next attempt, if there is one.
    pub(super) fn end(
        self,
        url: &Url,
        outcome: Result<StatusCode, &Error>,
        retry_after: Option<Duration>,
    ) {
        let Self { request, number: attempt, .. } = self;
        let elapsed = self.started.elapsed();
        record(&self.span, outcome, elapsed);
        let _inside = self.span.enter();
        let (service, endpoint) = request.names();
        match outcome {
            Ok(status) => debug!(
                endpoint,
                method = %request.endpoint.method,
                %url,
                attempt,
                status = status.as_u16(),
                ?elapsed,
                "answered"
            ),
            Err(error) => debug!(endpoint, attempt, ?elapsed, %error, "failed"),
        }
        if let Some(delay) = retry_after {
            debug!(endpoint, ?delay, "retrying");
        }
        let trace_id = LazyCell::new(|| self.trace_id.to_string());
        request.service.client().hooks().tell(|| Attempt {
            service,
            endpoint,
            number: attempt,
            status: status_of(outcome),
            error: outcome.err(),
            duration: elapsed,
            retry_after,
            trace_id: &trace_id,
        });
    }
}

/// Polls a future inside a span.
pub(super) fn inside<F: Future>(
    span: &Span,
    mut future: Pin<&mut F>,
) -> impl Future<Output = F::Output> {
    poll_fn(move |context| span.in_scope(|| future.as_mut().poll(context)))
}

fn record(span: &Span, outcome: Result<StatusCode, &Error>, duration: Duration) {
    if span.is_disabled() {
        return;
    }
    if let Some(status) = status_of(outcome) {
        span.record("http.response.status_code", status.as_u16());
    }
    if let Err(error) = outcome {
        span.record("otel.status_code", "ERROR");
        match (error.kind(), error.status()) {
            (ErrorKind::Api, Some(status)) => span.record("error.type", status.as_str()),
            _ if error.is_timeout() => span.record("error.type", "timeout"),
            (kind, _) => span.record("error.type", kind.name()),
        };
    }
    span.record("duration", duration.as_secs_f64());
}

fn status_of(outcome: Result<StatusCode, &Error>) -> Option<StatusCode> {
    outcome.map_or_else(Error::status, Some)
}
