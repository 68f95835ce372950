//! Which request a response answers.
//!
//! HTTP/1.1 numbers neither: the next response on a connection is taken for the answer to the last request. If a server
//! or proxy sends one response too many on a kept connection just when the next request goes out, that request gets an
//! answer that is not its own. Services repeat the trace id of a request in their response, so this can be found out.

use std::sync::LazyLock;

use reqwest::header::{AGE, HeaderMap, HeaderName, HeaderValue};

use crate::slugid;

static IN_REQUESTS: HeaderName = HeaderName::from_static("x-taskcluster-trace-id");
static IN_RESPONSES: HeaderName = HeaderName::from_static("x-for-trace-id");

/// What all trace ids of this process begin with.
static PROCESS: LazyLock<String> = LazyLock::new(slugid::v4);

/// The trace id of one attempt.
pub(super) struct TraceId(String);

impl TraceId {
    pub(super) fn new() -> Self {
        Self(format!("{}/{:016x}", *PROCESS, fastrand::u64(..)))
    }

    pub(super) fn put_into(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            headers.insert(&IN_REQUESTS, value);
        }
    }

    /// Whether a response answers another request of this process. Any other id says nothing: proxies choose their
    /// own, and a cache returns that of the first request.
    pub(super) fn is_of_another(&self, response: &HeaderMap) -> bool {
        response.get(&IN_RESPONSES).is_some_and(|id| {
            id.as_bytes().starts_with(PROCESS.as_bytes())
                && id.as_bytes() != self.0.as_bytes()
                && !response.contains_key(AGE)
        })
    }
}
