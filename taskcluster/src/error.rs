//! The error type. Every error prints as one line.

use std::error::Error as StdError;
use std::fmt;

use bytes::Bytes;
use reqwest::{Method, StatusCode, Url};
use serde_core::ser::{Serialize, SerializeStruct as _, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How much of a body an error keeps, in bytes.
const MAX_BODY: usize = 16 * 1024;

/// How much of a message is printed, in bytes.
const MAX_MESSAGE: usize = 2 * 1024;

/// How much of a URL, a code or a cause is printed, in bytes.
const MAX_PART: usize = 512;

/// Any failure of a call, or of the setup before it.
///
/// An error prints as one line of at most 4 KiB: method and URL, status, the service's code and message, number of attempts.
/// Control characters, and those that change the direction of text, are replaced. Neither `Display` nor `Debug` ever shows
/// tokens, bodies, values or keys from them, or the payload that services repeat in their errors. To see those, use
/// [`body`](Self::body) and [`request_info`](Self::request_info).
///
/// ```
/// # use taskcluster::{Error, StatusCode};
/// fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
///     match result {
///         Err(e) if e.status() == Some(StatusCode::NOT_FOUND) => Ok(None),
///         other => other.map(Some),
///     }
/// }
/// ```
///
/// # As data
///
/// An error serializes, for structured logs, as an object that has the same properties always. It has no more secrets than the
/// line has. `method` and `url` are those of the call, `message` and `cause` are as in the line, and `code` is the service's.
/// What does not apply is `null`.
///
/// ```
/// # let client = taskcluster::Client::builder("https://tc.example.com").build()?;
/// let error = taskcluster::Queue::new(&client).status("").url().unwrap_err();
/// assert_eq!(
///     taskcluster::serde_json::to_value(&error)?,
///     taskcluster::json!({
///         "kind": "input",
///         "method": null,
///         "url": null,
///         "status": null,
///         "code": null,
///         "message": "argument `taskId` of status is empty",
///         "cause": null,
///         "timeout": false,
///         "attempts": 0,
///     })
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    /// The service's message for an API error, our own otherwise.
    message: String,
    code: Option<String>,
    request_info: Option<Box<RawValue>>,
    status: Option<StatusCode>,
    body: Bytes,
    call: Option<(Method, Url)>,
    attempts: u32,
    timed_out: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kinds of [`Error`]. They serialize as their names in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The service answered with an error status. The connection itself worked.
    Api,
    /// No response arrived, or only part of it: connection, TLS or timeout.
    Transport,
    /// The service answered without an error status, but the response is not what the reference promises: a redirect, no
    /// content, something other than JSON, JSON of another shape, or more than
    /// [`max_body`](crate::ClientBuilder::max_body) bytes.
    Answer,
    /// An argument, payload, option or name is invalid. Nothing was sent.
    Input,
    /// The client cannot be built, sign or connect: root URL, credentials, TLS, or the HTTP client's settings. Or a file or
    /// folder cannot be read or written.
    Config,
    /// There is something wrong with an artifact or object, rather than with a call: it is an error artifact (then
    /// [`code`](Error::code) is its reason), its hash is wrong, or it is larger than the limit.
    Artifact,
    /// A file cannot be read, written or renamed. The source is the [`std::io::Error`].
    File,
    /// The Pulse broker refused the credentials, a queue or a binding. Retrying does not help.
    Refused,
    /// A blocking call was made inside an async runtime. Nothing was sent.
    Blocking,
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: start_of(message.into(), MAX_BODY),
            code: None,
            request_info: None,
            status: None,
            body: Bytes::new(),
            call: None,
            attempts: 0,
            timed_out: false,
            source: None,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    pub(crate) fn answer(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Answer, message)
    }

    pub(crate) fn blocking(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Blocking, message)
    }

    #[cfg(feature = "artifacts")]
    pub(crate) fn artifact(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Artifact, message)
    }

    pub(crate) fn file(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::File, message)
    }

    /// A refusal by storage, whose URL and words may be secret.
    #[cfg(feature = "artifacts")]
    pub(crate) fn storage(status: StatusCode) -> Self {
        let error = Self::new(ErrorKind::Api, "the storage refused the request");
        error.with_status(Some(status))
    }

    #[cfg(feature = "artifacts")]
    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    #[cfg(feature = "artifacts")]
    pub(crate) fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    pub(crate) fn timeout() -> Self {
        let mut error = Self::new(ErrorKind::Transport, "timed out waiting for the response");
        error.0.timed_out = true;
        error
    }

    #[cfg(feature = "pulse")]
    pub(crate) fn refused(code: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::Refused, message);
        error.0.code = Some(code.into());
        error
    }

    pub(crate) fn disconnected(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transport, message)
    }

    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let told = if error.is_timeout() {
            Self::timeout()
        } else if error.is_builder() {
            Self::config("the HTTP client rejected the request")
        } else if error.is_connect() {
            Self::new(ErrorKind::Transport, "cannot connect")
        } else if error.is_body() || error.is_decode() {
            Self::new(ErrorKind::Transport, "the response was cut off")
        } else {
            Self::new(ErrorKind::Transport, "the request failed")
        };
        // We print the URL ourselves, without anything secret in it.
        told.because(error.without_url())
    }

    /// A response with an error status. Code, message and request info come from the body, if it has them.
    pub(crate) fn api(status: StatusCode, body: Bytes) -> Self {
        let mut error = Self::new(ErrorKind::Api, String::new()).with_answer(status, &body);
        let mut members: std::collections::BTreeMap<String, &RawValue> =
            serde_json::from_slice(without_mark(&body)).unwrap_or_default();
        let text = |member: Option<&RawValue>| {
            let text: String = serde_json::from_str(member?.get()).ok()?;
            Some(start_of(text, MAX_BODY))
        };
        error.0.code = text(members.remove("code"));
        error.0.message = text(members.remove("message"))
            .unwrap_or_else(|| format!("the service sent {}", describe(&body)));
        error.0.request_info = members.remove("requestInfo").map(ToOwned::to_owned);
        error
    }

    pub(crate) fn unknown_name(owner: &str, what: &str, name: &str, nearest: Option<&str>) -> Self {
        let hint = nearest.map(|nearest| format!("; did you mean `{nearest}`?"));
        Self::input(format!("{owner} has no {what} `{name}`{}", hint.unwrap_or_default()))
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_answer(mut self, status: StatusCode, body: &Bytes) -> Self {
        self.0.status = Some(status);
        // Copy a large body, so that the error does not keep the whole buffer alive.
        self.0.body = match body.get(..MAX_BODY) {
            Some(start) => Bytes::copy_from_slice(start),
            None => body.clone(),
        };
        self
    }

    pub(crate) fn with_status(mut self, status: Option<StatusCode>) -> Self {
        self.0.status = self.0.status.or(status);
        self
    }

    pub(crate) fn with_call(mut self, method: &Method, url: &Url, attempts: u32) -> Self {
        self.0.call = Some((method.clone(), url.clone()));
        self.0.attempts = attempts;
        self
    }

    /// Returns the kind of this error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the service answered with an error status.
    #[must_use]
    pub fn is_api(&self) -> bool {
        self.0.kind == ErrorKind::Api
    }

    /// Whether no response arrived, or only part of it.
    #[must_use]
    pub fn is_transport(&self) -> bool {
        self.0.kind == ErrorKind::Transport
    }

    /// Whether the last attempt took longer than the client's timeout.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.timed_out
    }

    /// Returns the HTTP status, if a response got that far.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Returns the service's error code, such as `ResourceNotFound` or `InsufficientScopes`, or the broker's, such as
    /// `ACCESS_REFUSED`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the first 16 KiB of the service's message, or this crate's own message if there is none.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the request as the service understood it: `method`, `params`, `payload` and `time`. It may contain secrets.
    #[must_use]
    pub fn request_info(&self) -> Option<Value> {
        serde_json::from_str(self.0.request_info.as_deref()?.get()).ok()
    }

    /// Returns the first 16 KiB of the response body; empty if there was none. It may contain secrets.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }

    /// Returns the method and URL of the call, or `None` if the error is not about a call. Secret arguments in the URL are
    /// replaced by `...`.
    #[must_use]
    pub fn request(&self) -> Option<(&Method, &Url)> {
        self.0.call.as_ref().map(|(method, url)| (method, url))
    }

    /// Returns how many times the request was sent: 0 if never.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }
}

/// A body without the byte-order mark that it may begin with.
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Describes a body that should have been JSON. Only HTML and XML, which a proxy wrote, is quoted: anything else may be
/// a truncated response from a service, with secrets in it.
pub(crate) fn describe(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(256)]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.as_bytes() {
        [] => "nothing".to_owned(),
        [b'<', ..] => format!("an HTML or XML page: {}", text.chars().take(80).collect::<String>()),
        _ => format!("{} bytes that are not JSON", body.len()),
    }
}

/// serde's message about JSON of the wrong shape, without the values that it quotes: `invalid type: integer `…`, expected a
/// string`.
pub(crate) fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let quotes = ["invalid type", "invalid value", "unknown variant", "unknown field"]
        .iter()
        .any(|start| text.starts_with(start));
    // A value may itself contain quotes, and these words.
    let end = [", expected", ", there are no"].iter().filter_map(|words| text.rfind(words)).max();
    match (text.find(['`', '"']), end.and_then(|end| end.checked_sub(1))) {
        (Some(start), Some(end)) if quotes && start < end => {
            format!("{}…{}", &text[..=start], &text[end..])
        }
        _ => text,
    }
}

/// A text as it may be printed: one line of at most this many bytes, without characters that control a terminal or change
/// the direction of text.
pub(crate) fn shown(text: &str, bytes: usize) -> String {
    let mut line = String::new();
    for (i, word) in text.split_whitespace().enumerate() {
        if i > 0 {
            line.push(' ');
        }
        let safe = |c| if misleads(c) { char::REPLACEMENT_CHARACTER } else { c };
        line.extend(word.chars().take(bytes).map(safe));
        if line.len() > bytes || word.len() > bytes {
            line = start_of(line, bytes);
            line.push('…');
            break;
        }
    }
    line
}

/// Whether a character is a control character, one for bidirectional text included.
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Truncates a text to at most this many bytes.
fn start_of(mut text: String, bytes: usize) -> String {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or_default());
    text
}

impl ErrorKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Transport => "transport",
            Self::Answer => "answer",
            Self::Input => "input",
            Self::Config => "config",
            Self::Artifact => "artifact",
            Self::File => "file",
            Self::Refused => "refused",
            Self::Blocking => "blocking",
        }
    }
}

/// The parts of an error as they may be printed.
impl Inner {
    fn shown_url(&self) -> Option<(&Method, String)> {
        self.call.as_ref().map(|(method, url)| (method, shown(url.as_str(), MAX_PART)))
    }

    fn shown_code(&self) -> Option<String> {
        self.code.as_deref().map(|code| shown(code, MAX_PART))
    }

    fn shown_message(&self) -> String {
        // Services append the request, including its payload, after a line of dashes.
        let message = self.message.split("\n---").next().unwrap_or_default();
        shown(message, MAX_MESSAGE)
    }

    fn shown_cause(&self) -> Option<String> {
        let source = self.source.as_deref().filter(|_| self.kind != ErrorKind::Api)?;
        Some(shown(&innermost(source).to_string(), MAX_PART))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some((method, url)) = inner.shown_url() {
            write!(f, "{method} {url}: ")?;
        }
        if let Some(status) = inner.status {
            write!(f, "{status}: ")?;
        }
        if let Some(code) = inner.shown_code() {
            write!(f, "{code}: ")?;
        }
        f.write_str(&inner.shown_message())?;
        if let Some(cause) = inner.shown_cause() {
            write!(f, ": {cause}")?;
        }
        match inner.attempts {
            0 => Ok(()),
            1 => f.write_str(" (1 attempt)"),
            n => write!(f, " ({n} attempts)"),
        }
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = &*self.0;
        let (method, url) = inner.shown_url().unzip();
        let mut out = serializer.serialize_struct("Error", 9)?;
        out.serialize_field("kind", inner.kind.name())?;
        out.serialize_field("method", &method.map(Method::as_str))?;
        out.serialize_field("url", &url)?;
        out.serialize_field("status", &inner.status.map(|status| status.as_u16()))?;
        out.serialize_field("code", &inner.shown_code())?;
        out.serialize_field("message", &inner.shown_message())?;
        out.serialize_field("cause", &inner.shown_cause())?;
        out.serialize_field("timeout", &inner.timed_out)?;
        out.serialize_field("attempts", &inner.attempts)?;
        out.end()
    }
}

impl Serialize for ErrorKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The last error of a chain, which says the most.
fn innermost<'a>(mut error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// The `Display` form, preceded by the kind.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({self})", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
