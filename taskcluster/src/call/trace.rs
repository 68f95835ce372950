//! Checks that a response belongs to its request.
//!
//! HTTP/1.1 matches requests and responses only by their order on a connection. If a server or proxy sends a response too many
//! on a kept connection just when the next request goes out, that request gets the wrong response. Services repeat the trace id
//! of a request in their response, which reveals this.

use std::fmt::Write as _;
use std::sync::LazyLock;

use reqwest::header::{AGE, HeaderMap, HeaderName, HeaderValue};

use crate::slugid;

/// The header of a request that has its trace id.
pub(super) const TRACE_ID: &str = "x-taskcluster-trace-id";

static IN_REQUESTS: HeaderName = HeaderName::from_static(TRACE_ID);
static IN_RESPONSES: HeaderName = HeaderName::from_static("x-for-trace-id");

/// The prefix of all trace ids of this process.
static PROCESS: LazyLock<String> = LazyLock::new(slugid::v4);

/// The trace id of one attempt.
pub(super) struct TraceId(String);

impl TraceId {
    pub(super) fn new() -> Self {
        let mut id = String::with_capacity(PROCESS.len() + 17);
        id.push_str(&PROCESS);
        // Writing to a String cannot fail.
        let _ = write!(id, "/{:016x}", fastrand::u64(..));
        Self(id)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn put_into(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            headers.insert(&IN_REQUESTS, value);
        }
    }

    /// Whether a response belongs to another request of this process. Ids with other prefixes are ignored, because proxies
    /// choose their own, and so are cached responses, which have the id of the first request.
    pub(super) fn is_of_another(&self, response: &HeaderMap) -> bool {
        response.get(&IN_RESPONSES).is_some_and(|id| {
            id.as_bytes().starts_with(PROCESS.as_bytes())
                && id.as_bytes() != self.0.as_bytes()
                && !response.contains_key(AGE)
        })
    }
}
