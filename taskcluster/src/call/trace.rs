//! Checks that a response belongs to its request.
//!
//! HTTP/1.1 matches requests and responses only by their order on a connection. If a server or proxy sends a response too many
//! on a kept connection just when the next request goes out, that request gets the wrong response. Services repeat the trace id
//! of a request in their response, which reveals this.

use std::fmt::{self, Write as _};
use std::sync::LazyLock;

use bytes::Bytes;
use reqwest::header::{AGE, HeaderMap, HeaderName, HeaderValue};

use crate::{random, slugid};

/// The header of a request that has its trace id.
pub(super) const TRACE_ID: &str = "x-taskcluster-trace-id";

static IN_REQUESTS: HeaderName = HeaderName::from_static(TRACE_ID);
static IN_RESPONSES: HeaderName = HeaderName::from_static("x-for-trace-id");

/// The prefix of all trace ids of this process.
static PROCESS: LazyLock<String> = LazyLock::new(slugid::v4);

/// The trace id of one attempt: what all of this process have in front, a slash, and this number.
pub(super) struct TraceId(u64);

impl TraceId {
    pub(super) fn new() -> Self {
        Self(random::number())
    }

    pub(super) fn put_into(&self, headers: &mut HeaderMap) {
        let mut text = String::with_capacity(PROCESS.len() + 17);
        // Writing to a String cannot fail.
        let _ = write!(text, "{self}");
        if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(text)) {
            headers.insert(&IN_REQUESTS, value);
        }
    }

    /// Whether a response belongs to another request of this process. Ids with other prefixes are ignored, because proxies
    /// choose their own, and so are cached responses, which have the id of the first request.
    pub(super) fn is_of_another(&self, response: &HeaderMap) -> bool {
        let Some(id) = response.get(&IN_RESPONSES) else { return false };
        let Some(number) = id.as_bytes().strip_prefix(PROCESS.as_bytes()) else { return false };
        let number = std::str::from_utf8(number).ok().and_then(|number| number.strip_prefix('/'));
        let number = number.and_then(|number| u64::from_str_radix(number, 16).ok());
        number != Some(self.0) && !response.contains_key(AGE)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:016x}", *PROCESS, self.0)
    }
}
