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

/// The trace id of one attempt: the prefix of this process, a slash, and this number in hexadecimal.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn response(id: &str) -> HeaderMap {
        HeaderMap::from_iter([(IN_RESPONSES.clone(), HeaderValue::from_str(id).unwrap())])
    }

    #[test]
    fn only_a_response_to_another_request_of_this_process_is_refused() {
        let [own, other] = [TraceId::new(), TraceId::new()];
        assert!(!own.is_of_another(&response(&own.to_string())));
        assert!(own.is_of_another(&response(&other.to_string())));
        assert!(own.is_of_another(&response(&PROCESS)));
        assert!(own.is_of_another(&response(&format!("{}/what?", *PROCESS))));
        assert!(!own.is_of_another(&HeaderMap::new()));
        assert!(!own.is_of_another(&response("")));
        assert!(!own.is_of_another(&response(&format!("{}/{:x}", slugid::v4(), other.0))));
        let mut cached = response(&other.to_string());
        cached.insert(AGE, HeaderValue::from_static("1"));
        assert!(!own.is_of_another(&cached));
    }

    #[test]
    fn what_is_sent_is_what_is_shown() {
        let id = TraceId::new();
        let mut headers = HeaderMap::new();
        id.put_into(&mut headers);
        assert_eq!(headers[TRACE_ID], id.to_string());
        assert_eq!(id.to_string().len(), PROCESS.len() + 17);
    }
}
