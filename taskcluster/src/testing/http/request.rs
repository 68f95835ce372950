//! Requests that the server has read.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

/// A request that was read to its end.
pub(crate) struct Incoming {
    pub(crate) method: Method,
    /// The path and query of the request line.
    pub(crate) resource: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Incoming {
    /// Returns the `Content-Type` header, or an empty text.
    pub(crate) fn content_type(&self) -> &str {
        let value = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }
}
