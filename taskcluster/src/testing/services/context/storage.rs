//! The back end of the object service and of artifacts: content behind signed URLs, which behaves as S3 does for a client.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::{Method, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::key::Key;
use crate::slugid;
use crate::testing::http::answer::Reply;
use crate::testing::http::request::Incoming;

/// What the paths of content begin with.
pub(crate) const PREFIX: &str = "/storage/";

/// The headers of an upload that are kept and sent with each download.
const KEPT: [HeaderName; 3] = [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_DISPOSITION];

/// Content by key.
pub(crate) struct Storage {
    content: Mutex<BTreeMap<String, Stored>>,
    /// Signs the URLs.
    signing: Key,
}

#[derive(Default)]
struct Stored {
    /// What an upload must send; nothing is expected before [`Storage::expect`].
    expected: Vec<(HeaderName, String)>,
    /// `None` until it is uploaded.
    content: Option<Content>,
}

#[derive(Clone)]
struct Content {
    headers: HeaderMap,
    body: Bytes,
}

impl Default for Storage {
    fn default() -> Self {
        Self { content: Mutex::default(), signing: Key::new(&slugid::v4()) }
    }
}

impl Storage {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Stored>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets content be uploaded with these headers, whose values must be exactly these.
    pub(crate) fn expect(&self, key: &str, headers: &[(HeaderName, String)]) {
        self.lock().entry(key.to_owned()).or_default().expected = headers.to_vec();
    }

    pub(crate) fn put(&self, key: &str, content_type: &str, body: Bytes, now: DateTime<Utc>) {
        let mut headers = HeaderMap::new();
        if let Ok(content_type) = HeaderValue::try_from(content_type) {
            headers.insert(CONTENT_TYPE, content_type);
        }
        self.lock().entry(key.to_owned()).or_default().content =
            Some(Content::new(headers, body, now));
    }

    pub(crate) fn is_there(&self, key: &str) -> bool {
        self.lock().get(key).is_some_and(|stored| stored.content.is_some())
    }

    /// Path and query of a URL by which the content can be uploaded or downloaded until `expires`.
    pub(crate) fn resource(&self, method: &Method, key: &str, expires: DateTime<Utc>) -> String {
        let expires = expires.timestamp();
        format!(
            "{PREFIX}{key}?expires={expires}&signature={}",
            self.signature(method, key, expires)
        )
    }

    fn signature(&self, method: &Method, key: &str, expires: i64) -> String {
        hex(&self.signing.mac(format!("{method} {key} {expires}").as_bytes()))
    }

    /// Answers a request that is for content; `None` for one of the API.
    pub(crate) fn answer(&self, request: &Incoming, now: DateTime<Utc>) -> Option<Reply> {
        let (key, query) = request.resource.strip_prefix(PREFIX)?.split_once('?')?;
        Some(self.answer_for(request, key, query, now).unwrap_or_else(Reply::from))
    }

    fn answer_for(
        &self,
        request: &Incoming,
        key: &str,
        query: &str,
        now: DateTime<Utc>,
    ) -> Result<Reply, Problem> {
        self.check_signature(&request.method, key, query, now)?;
        let mut all = self.lock();
        let stored = all.get_mut(key).ok_or(Problem::NO_SUCH_KEY)?;
        match request.method {
            Method::PUT => {
                check_upload(request, &stored.expected)?;
                let kept = KEPT.into_iter().filter_map(|name| {
                    let value = request.headers.get(&name)?.clone();
                    (value != "identity").then_some((name, value))
                });
                let content = Content::new(kept.collect(), request.body.clone(), now);
                let etag = content.headers[ETAG].clone();
                stored.content = Some(content);
                Ok(Reply::new(StatusCode::OK).header(ETAG, etag))
            }
            Method::GET => {
                stored.content.as_ref().ok_or(Problem::NO_SUCH_KEY)?.answer(&request.headers)
            }
            _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed")),
        }
    }

    fn check_signature(
        &self,
        method: &Method,
        key: &str,
        query: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Problem> {
        let part = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name));
        let expires: i64 = part("expires=").and_then(|text| text.parse().ok()).unwrap_or_default();
        if part("signature=") != Some(&self.signature(method, key, expires)) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "SignatureDoesNotMatch"));
        }
        match expires > now.timestamp() {
            true => Ok(()),
            false => Err(Problem {
                message: "Request has expired",
                ..Problem::new(StatusCode::FORBIDDEN, "AccessDenied")
            }),
        }
    }
}

/// Refuses an upload without a length, or with other headers than its URL is for.
fn check_upload(request: &Incoming, expected: &[(HeaderName, String)]) -> Result<(), Problem> {
    let sent = |name| request.headers.get(name).map(HeaderValue::as_bytes);
    if sent(&CONTENT_LENGTH).is_none() {
        return Err(Problem::new(StatusCode::LENGTH_REQUIRED, "MissingContentLength"));
    }
    match expected.iter().all(|(name, value)| sent(name) == Some(value.as_bytes())) {
        true => Ok(()),
        false => Err(Problem::new(StatusCode::BAD_REQUEST, "InvalidRequest")),
    }
}

impl Content {
    fn new(mut headers: HeaderMap, body: Bytes, now: DateTime<Utc>) -> Self {
        let etag = format!("\"{}\"", &hex(&Sha256::digest(&body))[..32]);
        let modified = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        for (name, value) in [(ETAG, etag), (LAST_MODIFIED, modified)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        Self { headers, body }
    }

    /// The whole content, or the part that is asked for.
    fn answer(&self, asked: &HeaderMap) -> Result<Reply, Problem> {
        let length = self.body.len();
        let is_same = asked.get(IF_RANGE).is_none_or(|tag| Some(tag) == self.headers.get(ETAG));
        let range = asked.get(RANGE).filter(|_| is_same).and_then(|range| range.to_str().ok());
        let mut reply = match range.and_then(|range| parse_range(range, length)) {
            None => Reply::new(StatusCode::OK).content(self.body.clone()),
            Some((first, last)) if first < length => {
                let range = format!("bytes {first}-{last}/{length}");
                let reply =
                    Reply::new(StatusCode::PARTIAL_CONTENT).content(self.body.slice(first..=last));
                HeaderValue::try_from(range)
                    .map_or(reply.clone(), |range| reply.header(CONTENT_RANGE, range))
            }
            Some(_) => return Err(Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange")),
        };
        for (name, value) in &self.headers {
            reply = reply.header(name.clone(), value.clone());
        }
        Ok(reply)
    }
}

/// The first and last byte that a `Range` header asks for, of which empty content has none; `None` if it is not one range of
/// bytes, which is ignored.
fn parse_range(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.saturating_sub(1);
    if first.is_empty() {
        return Some((length.saturating_sub(last.parse().ok()?), end));
    }
    let (first, last) = match (first.parse().ok()?, last) {
        (first, "") => (first, end),
        (first, last) => (first, last.parse::<usize>().ok()?.min(end)),
    };
    (first <= last || first > end).then_some((first, last))
}

/// An error in the form of S3.
struct Problem {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl Problem {
    const NO_SUCH_KEY: Self = Self::new(StatusCode::NOT_FOUND, "NoSuchKey");

    const fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, message: "" }
    }
}

impl From<Problem> for Reply {
    fn from(Problem { status, code, message }: Problem) -> Self {
        let xml = format!(
            "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        Self::new(status).body(HeaderValue::from_static("application/xml"), xml)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
