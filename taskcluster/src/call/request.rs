//! The request of a call, before it is sent.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_core::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::argument::fits;
use super::overrides::Overrides;
use crate::client::retry::Retry;
use crate::client::service::Service;
use crate::error::{Error, Result};
use crate::model::{self, View};
use crate::reference::Endpoint;

/// Everything but the unreserved characters of RFC 3986, so that no URL library or server has anything to normalize.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Shown in place of a secret argument. It needs no escaping.
const HIDDEN: &str = "...";

/// A call's service, endpoint, arguments and payload, and the first mistake in any of them.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) endpoint: &'static Endpoint,
    /// The whole path of the URL, with escaped arguments.
    path: String,
    /// Where the path has secret arguments.
    hidden: Vec<Range<usize>>,
    query: Vec<(Cow<'static, str>, String)>,
    pub(crate) payload: Option<Bytes>,
    /// `None` for most calls.
    overrides: Option<Box<Overrides>>,
    problem: Option<Box<str>>,
}

impl Request {
    pub(crate) fn new(service: &Service, endpoint: &'static Endpoint) -> Self {
        Self {
            service: service.clone(),
            endpoint,
            path: String::new(),
            hidden: Vec::new(),
            query: Vec::new(),
            payload: None,
            overrides: None,
            problem: service.problem().map(Into::into),
        }
    }

    /// A request for a document at this path below the service's base URL. The path needs no escaping.
    #[cfg(feature = "references")]
    pub(crate) fn document(service: &Service, endpoint: &'static Endpoint, path: &str) -> Self {
        let path = format!("{}/{path}", service.base_path());
        Self { path, ..Self::new(service, endpoint) }
    }

    /// Fills the arguments, in the endpoint's order, into the route.
    pub(crate) fn with_args(mut self, args: &[&dyn fmt::Display]) -> Self {
        let Endpoint { name: endpoint, route, args: names, patterns, .. } = self.endpoint;
        let base = self.service.base_path();
        self.path.reserve(base.len() + route.len() + 32);
        self.path.push_str(base);
        let mut rest = *route;
        let mut wrong = Vec::new();
        while let Some((before, after)) = rest.split_once('<') {
            let Some((name, tail)) = after.split_once('>') else { break };
            self.path.push_str(before);
            let index = names.iter().position(|arg| *arg == name);
            match index.and_then(|index| Some((index, args.get(index)?))) {
                Some((index, value)) => {
                    let start = self.path.len();
                    self.push_arg(name, *value);
                    let pattern = patterns.get(index).copied().flatten();
                    let value = percent_decode_str(&self.path[start..]).decode_utf8_lossy();
                    if let Some(pattern) = pattern.filter(|p| self.breaks(p, &value)) {
                        wrong.push(format!("argument `{name}` does not match `{pattern}`"));
                    }
                }
                None => self.fail(format!("argument `{name}` of {endpoint} is missing")),
            }
            rest = tail;
        }
        self.path.push_str(rest);
        if !wrong.is_empty() {
            self.fail(format!("{endpoint}: {}", wrong.join("; ")));
        }
        self
    }

    /// Whether a value breaks a pattern. Slug ids and integers are always checked, other patterns if the client validates.
    /// Whether a value may be empty is decided elsewhere.
    fn breaks(&self, pattern: &'static str, value: &str) -> bool {
        let fits = fits(pattern, value).unwrap_or_else(|| {
            !self.service.client().settings().validate || model::matches(pattern, value)
        });
        !fits && !value.is_empty()
    }

    fn push_arg(&mut self, name: &str, value: &dyn fmt::Display) {
        let start = self.path.len();
        let written = write!(Escaped(&mut self.path), "{value}");
        if self.endpoint.hides(name) {
            self.hidden.push(start..self.path.len());
        }
        let what = match &self.path[start..] {
            _ if written.is_err() => "cannot be formatted",
            "" if self.service.reference().allows_empty(self.endpoint, name) => return,
            "" => "is empty",
            "." => "is `.`",
            ".." => "is `..`",
            _ => return,
        };
        self.fail(format!("argument `{name}` of {} {what}", self.endpoint.name));
    }

    /// Sets a query option. The last value wins.
    pub(crate) fn set_query(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: &dyn fmt::Display,
    ) {
        let (name, value) = (name.into(), value.to_string());
        let Endpoint { query, query_patterns, .. } = self.endpoint;
        let index = query.iter().position(|known| *known == name);
        if let Some(pattern) = index.and_then(|index| *query_patterns.get(index)?)
            && self.breaks(pattern, &value)
        {
            let endpoint = self.endpoint.name;
            self.fail(format!("{endpoint}: query option `{name}` does not match `{pattern}`"));
        }
        match self.query.iter_mut().find(|(known, _)| *known == name) {
            Some((_, slot)) => *slot = value,
            None => self.query.push((name, value)),
        }
    }

    pub(crate) fn with_payload(self, payload: &(impl Serialize + ?Sized)) -> Self {
        self.with_json(model::to_json(payload))
    }

    /// Sets a payload of a generated type, and validates it if the client is set up to.
    pub(crate) fn with_typed(mut self, payload: View<'_>) -> Self {
        if self.service.client().settings().validate
            && let Err(error) = model::validate(payload)
        {
            self.fail(format!("{}: {}", self.endpoint.name, error.message()));
        }
        self.with_payload(&payload)
    }

    fn with_json(mut self, json: serde_json::Result<Vec<u8>>) -> Self {
        match json {
            Ok(json) => self.payload = Some(json.into()),
            Err(error) => {
                self.fail(format!(
                    "the payload of {} cannot be serialized to JSON: {error}",
                    self.endpoint.name
                ));
            }
        }
        self
    }

    /// Sets a property of the payload. The others stay as they are.
    pub(super) fn set_property(&mut self, name: &'static str, value: &str) -> Result<()> {
        let payload = self.payload.as_deref().unwrap_or(b"{}");
        let set = serde_json::from_slice(payload).and_then(|properties| {
            let mut properties: BTreeMap<String, Box<RawValue>> = properties;
            properties.insert(name.to_owned(), to_raw_value(value)?);
            serde_json::to_vec(&properties)
        });
        let endpoint = self.endpoint.name;
        let json = set.map_err(|_| {
            Error::input(format!("{endpoint}: the payload takes `{name}`, but is not an object"))
        })?;
        self.payload = Some(json.into());
        Ok(())
    }

    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.overrides.get_or_insert_default().timeout = Some(timeout);
    }

    pub(super) fn set_retry(&mut self, retry: Retry) {
        self.overrides.get_or_insert_default().retry = Some(retry);
    }

    pub(super) fn set_header(&mut self, name: &str, value: &dyn fmt::Display) {
        let signs = self.service.client().signs();
        let set = self.overrides.get_or_insert_default().set_header(name, value, signs);
        self.fail_unless(set);
    }

    pub(super) fn set_bearer(&mut self, token: &str) {
        let set = self.overrides.get_or_insert_default().set_bearer(token);
        self.fail_unless(set);
    }

    fn fail_unless(&mut self, set: Result<(), String>) {
        if let Err(problem) = set {
            self.fail(format!("{}: {problem}", self.endpoint.name));
        }
    }

    /// The maximum duration of one attempt.
    pub(super) fn timeout(&self) -> Duration {
        let own = self.overrides.as_ref().and_then(|own| own.timeout);
        own.unwrap_or(self.service.client().settings().timeout)
    }

    pub(super) fn retry(&self) -> Retry {
        let own = self.overrides.as_ref().and_then(|own| own.retry);
        own.unwrap_or(self.service.client().settings().retry)
    }

    /// The headers that the call sets itself.
    pub(super) fn headers(&self) -> Option<&HeaderMap> {
        self.overrides.as_ref().map(|own| &own.headers)
    }

    /// Whether the call gets a signature: the client signs, and no header of the call's own takes its place.
    pub(super) fn is_signed(&self) -> bool {
        self.service.client().signs()
            && !self.headers().is_some_and(|own| own.contains_key(AUTHORIZATION))
    }

    /// The names of service and endpoint.
    pub(super) fn names(&self) -> (&'static str, &'static str) {
        (self.service.reference().service, self.endpoint.name)
    }

    /// Keeps a mistake until the call is used. The first one wins.
    pub(crate) fn fail(&mut self, problem: String) {
        self.problem.get_or_insert_with(|| problem.into());
    }

    /// The whole URL, or the mistake in the call.
    pub(crate) fn url(&self) -> Result<Url> {
        self.check()?;
        Ok(self.url_with(&self.path, |_| false))
    }

    /// Whether secret arguments make the URL for errors and logs another one.
    pub(super) fn has_secrets(&self) -> bool {
        !self.endpoint.secrets.is_empty()
    }

    /// The URL for errors and logs: whole, but for secret arguments and query options.
    pub(crate) fn shown_url(&self) -> Result<Url> {
        self.check()?;
        let mut path = self.path.clone();
        for hidden in self.hidden.iter().rev() {
            path.replace_range(hidden.clone(), HIDDEN);
        }
        Ok(self.url_with(&path, |option| self.endpoint.hides(option)))
    }

    fn url_with(&self, path: &str, hides: impl Fn(&str) -> bool) -> Url {
        // Host and port were parsed with the base URL; setting the path alone is a third of the work.
        let mut url = self.service.base_url().clone();
        url.set_path(path);
        if !self.query.is_empty() {
            let mut query = String::with_capacity(32 * self.query.len());
            for (i, (name, value)) in self.query.iter().enumerate() {
                query.push_str(if i == 0 { "" } else { "&" });
                query.extend(utf8_percent_encode(name, RESERVED));
                query.push('=');
                let value = if hides(name) { HIDDEN } else { value };
                query.extend(utf8_percent_encode(value, RESERVED));
            }
            url.set_query(Some(&query));
        }
        url
    }

    /// The path arguments as set, by name.
    pub(crate) fn args(&self) -> Vec<(&'static str, String)> {
        let mut path = self.path.strip_prefix(self.service.base_path()).unwrap_or_default();
        let mut route = self.endpoint.route;
        let mut args = Vec::with_capacity(self.endpoint.args.len());
        while let Some((before, after)) = route.split_once('<') {
            let Some((name, tail)) = after.split_once('>') else { break };
            let value = path.get(before.len()..).unwrap_or_default();
            // Arguments are escaped, so a slash ends them, and the text of the route before it. One that others follow in its
            // segment ends where the text between them first appears.
            let next = tail.split('<').next().unwrap_or_default();
            let text = next.split('/').next().unwrap_or_default();
            let segment = value.split('/').next().unwrap_or_default();
            let end = if text.len() < next.len() || next.len() == tail.len() {
                segment.len().saturating_sub(text.len())
            } else {
                segment.find(text).unwrap_or(segment.len())
            };
            let (value, rest) = value.split_at(end);
            args.push((name, percent_decode_str(value).decode_utf8_lossy().into_owned()));
            (route, path) = (tail, rest);
        }
        args
    }

    /// The query options as set, by name.
    pub(crate) fn query(&self) -> &[(Cow<'static, str>, String)] {
        &self.query
    }

    /// Returns the mistake in the call, if there is one.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.problem {
            Some(problem) => Err(Error::input(&**problem)),
            None => Ok(()),
        }
    }

    /// Path and query of one of this request's URLs, exactly as in the request line. This is what gets signed.
    pub(crate) fn resource<'a>(&self, url: &'a Url) -> &'a str {
        &url.as_str()[self.service.path_start()..]
    }
}

/// Shows what would be sent, except secret arguments, and the payload, which may contain secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Call");
        out.field("endpoint", &self.endpoint.name);
        match self.shown_url() {
            Ok(url) => out.field("method", &self.endpoint.method).field("url", &url.as_str()),
            Err(problem) => out.field("problem", &problem),
        };
        out.finish_non_exhaustive()
    }
}

/// A writer that percent-encodes.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(utf8_percent_encode(text, RESERVED));
        Ok(())
    }
}
