//! What a call sets for itself, in place of its client's settings.

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::trace::TRACE_ID;
use crate::client::retry::Retry;

/// Headers that the client, or the HTTP library, sets itself.
const OWNED: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[derive(Clone, Default)]
pub(super) struct Overrides {
    pub(super) timeout: Option<Duration>,
    pub(super) retry: Option<Retry>,
    pub(super) headers: HeaderMap,
}

impl Overrides {
    /// Sets a header, or says why it cannot be set. `signs` is whether the client signs the call.
    pub(super) fn set_header(
        &mut self,
        name: &str,
        value: &dyn fmt::Display,
        signs: bool,
    ) -> Result<(), String> {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(format!("{name:?} is not the name of a header"));
        };
        if OWNED.contains(&name.as_str()) || name.as_str() == TRACE_ID {
            return Err(format!("the client sets the header `{name}` itself"));
        }
        if name == AUTHORIZATION && signs {
            return Err("the client signs this call, so it cannot have an `authorization` header of its own; \
                 use `bearer`, or a client without credentials"
                .to_owned());
        }
        match sensitive(&value.to_string()) {
            Some(value) => self.headers.insert(name, value),
            // The value may be secret.
            None => {
                return Err(format!(
                    "the value of the header `{name}` contains control characters"
                ));
            }
        };
        Ok(())
    }

    /// Sets a token to send in place of a signature, or says why it cannot be sent.
    pub(super) fn set_bearer(&mut self, token: &str) -> Result<(), String> {
        let token = token.trim();
        let fits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        match fits.then(|| sensitive(&format!("Bearer {token}"))).flatten() {
            Some(value) => self.headers.insert(AUTHORIZATION, value),
            None => {
                return Err(
                    "the bearer token is empty, or has characters that no token has".to_owned()
                );
            }
        };
        Ok(())
    }
}

/// A header's value that is never shown, or indexed for compression.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
