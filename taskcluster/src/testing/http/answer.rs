//! Answers to calls: replies of stubs and services, and refusals in Taskcluster's form.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use serde_json::{Value, json};

use super::call::RecordedCall;

/// A stub's answer.
///
/// A JSON value converts into one with status 200; this type is for all other answers.
///
/// ```
/// use taskcluster::StatusCode;
/// use taskcluster::reqwest::header::{HeaderValue, LOCATION};
/// use taskcluster::testing::Reply;
///
/// let redirect = Reply::new(StatusCode::SEE_OTHER)
///     .header(LOCATION, HeaderValue::from_static("https://example.com/live.log"));
/// let badge = Reply::new(StatusCode::OK).body(HeaderValue::from_static("image/svg+xml"), "<svg/>");
/// let gone = Reply::error(StatusCode::GONE, "ResourceExpired", "The secret is over");
/// ```
#[derive(Clone, Debug)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    content: Content,
    /// Whether the body is what the reference promises.
    is_promised: bool,
}

#[derive(Clone, Debug)]
enum Content {
    Bytes(Bytes),
    /// An error, whose body will repeat the request.
    Error {
        code: Cow<'static, str>,
        message: String,
        /// What the service made of the request's payload before it refused it.
        payload: Option<Value>,
    },
}

impl Reply {
    /// Creates an answer without a body.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        let content = Content::Bytes(Bytes::new());
        Self { status, headers: HeaderMap::new(), content, is_promised: true }
    }

    /// Creates an answer with a JSON body.
    #[must_use]
    pub fn json(status: StatusCode, body: &Value) -> Self {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        Self::new(status).body(json, body.to_string())
    }

    /// Creates an error in the form of Taskcluster's services, which repeats the request.
    #[must_use]
    pub fn error(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        let content = Content::Error { code: code.into(), message: message.into(), payload: None };
        Self { content, ..Self::new(status) }
    }

    /// Sets the content type and the body.
    #[must_use]
    pub fn body(mut self, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.headers.insert(CONTENT_TYPE, content_type);
        self.content = Content::Bytes(body.into());
        self
    }

    /// Sets the body alone.
    pub(crate) fn content(mut self, body: impl Into<Bytes>) -> Self {
        self.content = Content::Bytes(body.into());
        self
    }

    /// Marks an answer that the real service gives although its reference promises another.
    pub(crate) fn unlike_the_reference(self) -> Self {
        Self { is_promised: false, ..self }
    }

    /// Whether a schema for the endpoint's answer is for this one.
    pub(crate) fn is_promised(&self) -> bool {
        self.is_promised && self.is_success()
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Turns the reply into the answer to send.
    pub(crate) fn render(self, call: Option<&RecordedCall>, now: DateTime<Utc>) -> Rendered {
        let Self { status, mut headers, content, .. } = self;
        let mut error = None;
        let body = match content {
            Content::Bytes(body) => body,
            Content::Error { code, message, payload } => {
                error = Some(format!("{code}: {message}"));
                headers.insert(
                    CONTENT_TYPE,
                    HeaderValue::from_static("application/json; charset=utf-8"),
                );
                let payload = payload.as_ref();
                error_body(status, &code, &message, call, payload, now).to_string().into()
            }
        };
        let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let Ok(date) = HeaderValue::try_from(date) {
            headers.entry(DATE).or_insert(date);
        }
        Rendered { status, headers, body, error }
    }

    pub(crate) fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// Changes the body of a successful JSON answer.
    pub(crate) fn map_json(mut self, change: impl FnOnce(&mut Value)) -> Self {
        if self.is_success()
            && let Some(Ok(mut value)) = self.bytes().map(serde_json::from_slice)
        {
            change(&mut value);
            self.content = Content::Bytes(value.to_string().into());
        }
        self
    }

    /// Returns the body, or null if it is not JSON.
    pub(crate) fn to_json(&self) -> Value {
        self.bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default()
    }

    /// Returns the body, or `None` for an error, whose body is written later.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Bytes(body) => Some(body),
            Content::Error { .. } => None,
        }
    }
}

/// Creates an answer with status 200 and a JSON body.
impl From<Value> for Reply {
    fn from(body: Value) -> Self {
        Self::json(StatusCode::OK, &body)
    }
}

/// Status, headers and body of an answer.
pub(crate) struct Rendered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The code and message of an error in Taskcluster's form.
    pub(crate) error: Option<String>,
}

/// The end of a call.
pub(crate) enum Outcome {
    Answer(Rendered),
    /// After the first bytes of the body, the connection breaks, or hangs.
    Truncated {
        answer: Rendered,
        sent: usize,
        hangs: bool,
    },
    /// The connection is reset without an answer.
    Reset,
}

fn error_body(
    status: StatusCode,
    code: &str,
    message: &str,
    call: Option<&RecordedCall>,
    payload: Option<&Value>,
    now: DateTime<Utc>,
) -> Value {
    let time = timestamp(now);
    let method = call.map_or("unknown", |call| call.endpoint.name);
    let message = format!(
        "{message}\n\n---\n\n* method:     {method}\n* errorCode:  {code}\n* statusCode: {}\n* time:       {time}",
        status.as_u16()
    );
    let params = call.map_or_else(|| json!({}), |call| json!(call.args));
    let payload = payload.cloned().or_else(|| call.map(without_secrets));
    let payload = payload.unwrap_or_else(|| json!({}));
    let info = json!({"method": method, "params": params, "payload": payload, "time": time});
    json!({"code": code, "message": message, "requestInfo": info})
}

/// Returns a call's payload without what its service does not repeat in errors.
fn without_secrets(call: &RecordedCall) -> Value {
    let omitted = json!("(OMITTED)");
    let mut payload = call.payload().clone();
    match (call.service, call.endpoint.name) {
        ("worker-manager", "registerWorker" | "reregisterWorker") => return omitted,
        ("worker-manager", "createWorker" | "updateWorker") => {
            if let Some(secret) = payload.pointer_mut("/providerInfo/staticSecret") {
                *secret = omitted;
            }
        }
        // Whether there was one is not said, either.
        ("secrets", "set") if payload.is_object() => payload["secret"] = omitted,
        _ => {}
    }
    payload
}

/// Writes a date as Taskcluster does: with milliseconds and `Z`.
pub(crate) fn timestamp(date: DateTime<Utc>) -> String {
    date.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The reason for refusing a call.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    payload: Option<Value>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), payload: None }
    }

    /// Repeats this payload, which the service has completed or changed, instead of the request's.
    pub(crate) fn repeating(self, payload: Value) -> Self {
        Self { payload: Some(payload), ..self }
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the body of the error as the answer to this call.
    pub(crate) fn body(&self, call: &RecordedCall, now: DateTime<Utc>) -> Value {
        error_body(self.status, self.code, &self.message, Some(call), self.payload.as_ref(), now)
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InputError", message)
    }

    pub(crate) fn arguments(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequestArguments", message)
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InputValidationError", message)
    }

    pub(crate) fn malformed_payload(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "MalformedPayload", message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "InputTooLarge", message)
    }

    pub(crate) fn not_stubbed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "NotStubbed", message)
    }

    pub(crate) fn authentication(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "AuthenticationFailed", message)
    }

    pub(crate) fn insufficient_scopes(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "InsufficientScopes", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFound", message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "RequestConflict", message)
    }

    pub(crate) fn denylisted(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "DenylistedAddress", message)
    }

    pub(crate) fn forbidden_by_github(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "ForbiddenByGithub", message)
    }

    pub(crate) fn no_matching_method(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, "NoMatchingMethod", message)
    }

    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "ResourceExpired", message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", message)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.message)
    }
}

impl From<Refusal> for Reply {
    fn from(Refusal { status, code, message, payload }: Refusal) -> Self {
        let content = Content::Error { code: code.into(), message, payload };
        Self { content, ..Self::new(status) }
    }
}

/// Redirects, with a text for people.
pub(crate) fn redirect_in_words(url: &str) -> Result<Reply, Refusal> {
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    Ok(redirect(url, &Value::Null)?.body(text, format!("It is at {url}\n")))
}

/// Redirects, with a body for callers that do not follow redirects.
pub(crate) fn redirect(url: &str, body: &Value) -> Result<Reply, Refusal> {
    let location = HeaderValue::try_from(url)
        .map_err(|_| Refusal::input(format!("{url:?} cannot be sent in a header")))?;
    Ok(Reply::json(StatusCode::SEE_OTHER, body).header(LOCATION, location))
}

/// Reads a date from a payload.
pub(crate) fn date(payload: &Value, name: &str) -> Result<DateTime<Utc>, Refusal> {
    payload[name]
        .as_str()
        .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
        .map(DateTime::into)
        .ok_or_else(|| Refusal::input(format!("`{name}` is not a date")))
}

/// Reads a string from a payload.
pub(crate) fn text(payload: &Value, name: &str) -> Result<String, Refusal> {
    let value = payload[name].as_str().map(str::to_owned);
    value.ok_or_else(|| Refusal::input(format!("`{name}` is not a string")))
}

/// Reads an array of strings from a payload; a missing one is empty.
pub(crate) fn strings(payload: &Value, name: &str) -> Result<Vec<String>, Refusal> {
    let wrong = || Refusal::input(format!("`{name}` is not an array of strings"));
    match &payload[name] {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}
