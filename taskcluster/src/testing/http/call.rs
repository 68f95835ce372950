//! Calls, before and after they are answered.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::Value;

use crate::{Endpoint, Stability};

/// The client id in the record of callers without credentials.
const ANONYMOUS: &str = "static/anonymous";

/// A call that reached an endpoint, whether carried out or refused.
///
/// `Debug` and `Display` hide what may be secret: the payload, the `Authorization` header, and secret arguments. The error
/// is shown as the caller received it, and may quote a value of the payload that does not fit its schema.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedCall {
    /// The service's name, such as `queue`.
    pub service: &'static str,
    /// The version of its API, such as `v1`.
    pub version: &'static str,
    /// The endpoint, from the reference.
    pub endpoint: &'static Endpoint,
    /// The path arguments by name, decoded.
    pub args: BTreeMap<&'static str, String>,
    /// The query options in the order of the URL, decoded, without a bewit.
    pub query: Vec<(String, String)>,
    /// The body, if it was JSON.
    pub payload: Option<Value>,
    /// The request's headers.
    pub headers: HeaderMap,
    /// The client id of the caller, if the signature was accepted; `None` for an anonymous caller, too.
    pub client_id: Option<String>,
    /// The caller's scopes, expanded by roles and limited by certificate and authorized scopes.
    pub scopes: Vec<String>,
    /// The signature of the call, accepted or not, if it was readable.
    pub signature: Option<Signature>,
    /// The status of the answer; `None` while there is no answer, and if the connection was closed without one.
    pub status: Option<StatusCode>,
    /// The code and message of an error in Taskcluster's form.
    pub error: Option<String>,
    /// The payload with its schema's defaults, as the services have it: an empty object without a payload.
    pub(crate) body: Value,
}

/// Shows the call in one line: endpoint, arguments, options, caller, and the answer.
impl fmt::Display for RecordedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.service, self.endpoint.name)?;
        for (name, value) in &self.args {
            write!(f, " {name}={:?}", self.shown(name, value))?;
        }
        for (name, value) in &self.query {
            write!(f, " ?{name}={:?}", self.shown(name, value))?;
        }
        if self.is_deprecated() {
            f.write_str(" (deprecated)")?;
        }
        if let Some(client_id) = &self.client_id {
            write!(f, " by {client_id}")?;
        }
        match (self.status, &self.error) {
            (None, _) => f.write_str(": no answer"),
            (Some(status), None) => write!(f, ": {}", status.as_u16()),
            (Some(status), Some(error)) => {
                let error: Vec<_> = error.split_whitespace().collect();
                write!(f, ": {} {}", status.as_u16(), error.join(" "))
            }
        }
    }
}

impl fmt::Debug for RecordedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<_> =
            self.args.iter().map(|(name, value)| (name, self.shown(name, value))).collect();
        let query: Vec<_> =
            self.query.iter().map(|(name, value)| (name, self.shown(name, value))).collect();
        let mut headers = self.headers.clone();
        if let Some(authorization) = headers.get_mut(AUTHORIZATION) {
            authorization.set_sensitive(true);
        }
        f.debug_struct("RecordedCall")
            .field("service", &self.service)
            .field("version", &self.version)
            .field("endpoint", &self.endpoint.name)
            .field("args", &args)
            .field("query", &query)
            .field("payload", &self.payload.as_ref().map(|_| format_args!("…")))
            .field("headers", &headers)
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .field("signature", &self.signature)
            .field("status", &self.status)
            .field("error", &self.error)
            .finish()
    }
}

impl RecordedCall {
    /// Returns the value of an argument or query option, or `…` if it is secret.
    fn shown<'v>(&self, name: &str, value: &'v str) -> &'v str {
        if self.endpoint.hides(name) { "…" } else { value }
    }

    /// Returns the value of a query option.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns whether the reference marks the endpoint as deprecated.
    #[must_use]
    pub fn is_deprecated(&self) -> bool {
        self.endpoint.stability == Stability::Deprecated
    }

    /// Returns a path argument that the route has.
    pub(crate) fn arg(&self, name: &str) -> &str {
        self.args.get(name).map_or("", String::as_str)
    }

    /// Returns the caller's client id.
    pub(crate) fn caller(&self) -> &str {
        self.client_id.as_deref().unwrap_or(ANONYMOUS)
    }

    /// Returns the payload with its schema's defaults, or an empty object if there is none.
    pub(crate) fn payload(&self) -> &Value {
        &self.body
    }

    /// Whether the call is by a reference of 2017, which names schemas by URLs.
    pub(crate) fn is_of_2017(&self) -> bool {
        let schemas = [self.endpoint.input, self.endpoint.output];
        schemas.iter().flatten().any(|schema| schema.contains("://"))
    }

    /// Whether the endpoint is one of auth's that test signatures.
    pub(crate) fn tests_signatures(&self) -> bool {
        let is_test = matches!(self.endpoint.name, "testAuthenticate" | "testAuthenticateGet");
        self.service == "auth" && is_test
    }

    pub(crate) fn is(&self, service: &str, endpoint: &str) -> bool {
        self.service == service && self.endpoint.name == endpoint
    }
}

/// How a call was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signature {
    /// By an `Authorization` header.
    #[non_exhaustive]
    Header {
        /// The client's time, in seconds since 1970.
        time: i64,
        /// The client's nonce.
        nonce: String,
    },
    /// By a bewit in the URL.
    #[non_exhaustive]
    Bewit {
        /// When the bewit expires, in seconds since 1970.
        expires: i64,
    },
}
