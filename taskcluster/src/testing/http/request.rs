//! A request as the server has read it.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

/// A request that was read to its end.
pub(crate) struct Incoming {
    pub(crate) method: Method,
    /// Path and query as they stand in the request line.
    pub(crate) resource: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Incoming {
    /// The `Content-Type` header, or nothing.
    pub(crate) fn content_type(&self) -> &str {
        let value = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }
}
