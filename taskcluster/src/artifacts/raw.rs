//! The bytes on the wire: one stream over any number of connections and URLs.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_RANGE, LOCATION, RANGE,
};
use reqwest::{Method, Request, Response, StatusCode, Url};
use tokio::time::timeout;
use tracing::debug;

use super::encoding::{ACCEPTED, Encoding};
use super::hashes::Expected;
use super::progress::{OnProgress, Progress};
use super::source::{Location, Locator, Source, StorageType, start_of};
use crate::call::send::{retry_after, text};
use crate::client::Client;
use crate::client::http::unanswered;
use crate::error::{Error, Result};

/// How many redirects lead from a URL to its content at most.
const MAX_REDIRECTS: usize = 10;

/// How to fetch, whatever it is.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) managed_only: bool,
    /// How long nothing may arrive.
    pub(crate) stall_timeout: Duration,
    pub(crate) on_progress: Option<OnProgress>,
}

/// What is known of content when its first byte comes.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) content_type: Option<String>,
    pub(crate) encoding: Encoding,
    pub(crate) storage: StorageType,
    pub(crate) expected: Expected,
    /// The encoded length.
    pub(crate) total: Option<u64>,
    /// Changes with the content.
    pub(crate) etag: Option<HeaderValue>,
}

impl Head {
    /// Whether the server can be asked for a part of this content, and of no other.
    pub(crate) fn can_be_continued(&self) -> bool {
        // An HTTP client that decodes on its own takes the length away.
        self.total.is_some() && (self.etag.is_some() || !self.expected.is_empty())
    }
}

/// What comes next.
pub(crate) enum Event {
    /// What follows begins with the first byte; whatever came before does not count.
    Begin(Head),
    Data(Bytes),
    End,
}

/// A stream of bytes that survives whatever is worth another attempt.
pub(crate) struct Raw {
    source: Source,
    client: Client,
    locator: Locator,
    settings: Settings,
    delays: Box<dyn Iterator<Item = Duration> + Send + Sync>,
    location: Option<Location>,
    /// Whether the location's URL has been used.
    is_used: bool,
    response: Option<Response>,
    /// What the bytes so far belong to; `None` before the first.
    head: Option<Head>,
    /// Which byte comes next.
    position: u64,
    /// Where to stop; `None` at the end.
    end: Option<u64>,
    /// The farthest position so far.
    farthest: u64,
    attempts: u32,
}

/// A failed attempt, and what may help.
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) cure: Cure,
}

/// What may help after a failed attempt.
pub(crate) enum Cure {
    /// The same again, after this time at least.
    Repeat(Duration),
    /// The same with a new URL, at once.
    NewUrl,
    /// The whole, from the first byte.
    BeginAnew,
    Nothing,
}

impl Failure {
    pub(crate) fn new(error: Error, cure: Cure) -> Self {
        Self { error, cure }
    }

    pub(crate) fn fatal(error: Error) -> Self {
        Self::new(error, Cure::Nothing)
    }

    pub(crate) fn on_the_way(error: Error) -> Self {
        match error.is_transport() {
            true => Self::new(error, Cure::Repeat(Duration::ZERO)),
            false => Self::fatal(error),
        }
    }
}

impl Raw {
    /// Fetches the whole.
    pub(crate) fn new(source: &Source, settings: &Settings) -> Self {
        let locator = Locator::new(source, settings.managed_only);
        let client = locator.client().clone();
        Self {
            source: source.clone(),
            delays: Box::new(client.settings().retry.delays()),
            client,
            locator,
            settings: settings.clone(),
            location: None,
            is_used: false,
            response: None,
            head: None,
            position: 0,
            end: None,
            farthest: 0,
            attempts: 0,
        }
    }

    /// Goes on behind bytes that are there already. It begins anew if the content is another one now.
    pub(crate) fn continue_at(&mut self, head: Head, position: u64) {
        self.response = None;
        self.head = Some(head);
        self.position = position;
        self.farthest = position;
        self.end = None;
        self.attempts = 0;
        self.delays = Box::new(self.client.settings().retry.delays());
    }

    /// Stops before this byte.
    pub(crate) fn stop_at(&mut self, end: u64) {
        self.end = Some(end);
    }

    /// Reports to this callback.
    pub(crate) fn report_to(&mut self, on_progress: Option<OnProgress>) {
        self.settings.on_progress = on_progress;
    }

    /// Whether it stops before the end. A server that cannot send a part sends the whole.
    pub(crate) fn is_part(&self) -> bool {
        self.end.is_some()
    }

    /// What has gone wrong with content that came in whole.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match self.source.url() {
            Some(url) if error.request().is_none() => {
                error.with_call(&Method::GET, &url, self.attempts)
            }
            _ => error,
        }
    }

    pub(crate) async fn next(&mut self) -> Result<Event> {
        loop {
            match self.attempt().await {
                Ok(event) => return Ok(event),
                Err(failure) => self.recover(failure).await?,
            }
        }
    }

    async fn attempt(&mut self) -> Result<Event, Failure> {
        let response = match &mut self.response {
            // A server may send more than the part that it was asked for.
            Some(_) if self.end.is_some_and(|end| self.position >= end) => return Ok(Event::End),
            Some(response) => response,
            None => {
                let (response, head) = self.open().await?;
                let response = self.response.insert(response);
                if let Some(head) = head {
                    return Ok(Event::Begin(head));
                }
                response
            }
        };
        let chunk = timeout(self.settings.stall_timeout, response.chunk())
            .await
            .map_err(|_| Failure::on_the_way(Error::timeout()))?
            .map_err(|error| Failure::on_the_way(unanswered(error)))?;
        let total = self.head.as_ref().and_then(|head| head.total);
        let end = [self.end, total].into_iter().flatten().min();
        match chunk {
            Some(mut bytes) => {
                if let Some(end) = self.end {
                    let left = end.saturating_sub(self.position);
                    bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                }
                self.position += bytes.len() as u64;
                if end.is_some_and(|end| self.position > end) {
                    let error = Error::artifact("the server sent more than it had announced");
                    return Err(Failure::fatal(error));
                }
                if self.position > self.farthest {
                    self.farthest = self.position;
                    // Retries are counted from the last progress: a large file may need many.
                    self.delays = Box::new(self.client.settings().retry.delays());
                }
                if let Some(on_progress) = &self.settings.on_progress {
                    on_progress(Progress { bytes: self.position, total, attempt: self.attempts });
                }
                Ok(Event::Data(bytes))
            }
            None if end.is_some_and(|end| self.position < end) => {
                Err(Failure::on_the_way(Error::disconnected("the content was cut off")))
            }
            None => {
                debug!(bytes = self.position, attempts = self.attempts, "content received");
                Ok(Event::End)
            }
        }
    }

    /// Gets ready for another attempt, if there is one.
    async fn recover(&mut self, Failure { error, cure }: Failure) -> Result<()> {
        self.response = None;
        let error = self.explain(error);
        debug!(%error, bytes = self.position, attempt = self.attempts, "transfer failed");
        let after = match cure {
            Cure::Nothing => return Err(error),
            Cure::Repeat(after) => Some(after),
            Cure::BeginAnew => {
                self.head = None;
                self.position = 0;
                if self.end.take().is_some() {
                    // Nothing is wrong with the whole, which nobody has asked for so far.
                    return Ok(());
                }
                Some(Duration::ZERO)
            }
            Cure::NewUrl => {
                self.location = None;
                None
            }
        };
        let Some(delay) = self.delays.next() else { return Err(error) };
        if let Some(after) = after {
            let wait = self.client.settings().retry.wait(delay, after);
            self.client.timer().start().reach(wait).await;
        }
        Ok(())
    }

    /// Opens a response to read from. With it comes the head, if the content begins.
    async fn open(&mut self) -> Result<(Response, Option<Head>), Failure> {
        if let Some(Location { expires: Some(expires), .. }) = &self.location
            && self.is_used
            && expires.timestamp() <= self.client.clock().now()
        {
            self.location = None;
        }
        let location = match self.location.take() {
            Some(location) => location,
            None => {
                let location = self.locator.locate().await.map_err(Failure::fatal)?;
                self.is_used = false;
                location
            }
        };
        let location = &*self.location.insert(location);
        let can_be_continued = self.head.as_ref().is_some_and(|head| {
            head.can_be_continued()
                && (head.storage, &head.expected) == (location.storage, &location.expected)
        });
        if !can_be_continued {
            self.head = None;
            self.position = 0;
        }
        let range = (self.position > 0 || self.end.is_some()).then(|| match self.end {
            Some(end) => format!("bytes={}-{}", self.position, end.saturating_sub(1)),
            None => format!("bytes={}-", self.position),
        });
        self.attempts += 1;
        let http = self.client.storage_http().map_err(Failure::fatal)?;
        let etag = self.head.as_ref().and_then(|head| head.etag.as_ref());
        let response =
            get(&http, location, range.as_deref(), etag, self.settings.stall_timeout).await;
        let was_used = std::mem::replace(&mut self.is_used, true);
        let response = response?;
        match response.status() {
            StatusCode::OK => {
                let head = head(&response, location, None).map_err(Failure::fatal)?;
                (self.position, self.end) = (0, None);
                Ok((response, Some(self.head.insert(head).clone())))
            }
            StatusCode::PARTIAL_CONTENT if range.is_some() => self.join(response),
            _ => Err(self.refused(response, was_used).await),
        }
    }

    /// Checks that a part of the content fits to what is there.
    fn join(&mut self, response: Response) -> Result<(Response, Option<Head>), Failure> {
        let misfit = || {
            let error = Error::answer("the server sent another part than it was asked for");
            Failure::new(error, Cure::BeginAnew)
        };
        let Some(location) = &self.location else { return Err(misfit()) };
        let (_, total) = content_range(response.headers())
            .filter(|(first, _)| *first == self.position)
            .ok_or_else(misfit)?;
        let found = head(&response, location, Some(total)).map_err(Failure::fatal)?;
        match &self.head {
            // It is known to go on, but not how, or the HTTP client decodes each part by itself.
            None if (self.end.is_some_and(|end| end < total) && !found.can_be_continued())
                || !response.headers().contains_key(CONTENT_LENGTH) =>
            {
                Err(misfit())
            }
            None if self.position == 0 => Ok((response, Some(self.head.insert(found).clone()))),
            Some(head)
                if head.total == found.total
                    && head.encoding == found.encoding
                    && (found.etag.is_none() || head.etag.is_none() || head.etag == found.etag) =>
            {
                Ok((response, None))
            }
            _ => Err(misfit()),
        }
    }

    /// Why a server does not give the content, and what to do.
    async fn refused(&self, response: Response, was_used: bool) -> Failure {
        let status = response.status();
        let (cure, says_expired) = refusal(response, self.settings.stall_timeout).await;
        let now = self.client.clock().now();
        let expires = self.location.as_ref().and_then(|location| location.expires);
        let has_expired = expires.is_some_and(|expires| expires.timestamp() <= now);
        let cure = match status {
            StatusCode::FORBIDDEN if has_expired || was_used || says_expired => Cure::NewUrl,
            // No byte of empty content can be asked for.
            StatusCode::RANGE_NOT_SATISFIABLE if self.position > 0 || self.end.is_some() => {
                Cure::BeginAnew
            }
            _ => cure,
        };
        Failure::new(Error::storage(status), cure)
    }
}

/// What helps when storage refuses a request, and whether it says that something has expired.
pub(crate) async fn refusal(mut response: Response, stall_timeout: Duration) -> (Cure, bool) {
    // The status is enough.
    let body = start_of(&mut response, stall_timeout).await;
    let text = String::from_utf8_lossy(&body).to_ascii_lowercase();
    let cure = match response.status() {
        // S3 says so of a connection that was idle.
        StatusCode::BAD_REQUEST if text.contains("<code>requesttimeout</code>") => {
            Cure::Repeat(Duration::ZERO)
        }
        status
            if status.is_server_error()
                || matches!(
                    status,
                    StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
                ) =>
        {
            Cure::Repeat(retry_after(response.headers()).unwrap_or_default())
        }
        _ => Cure::Nothing,
    };
    (cure, text.contains("expired"))
}

/// Asks for content or a part of it, without credentials. Redirects are followed only where anybody may have chosen the URL,
/// or where storage is known for them.
async fn get(
    http: &reqwest::Client,
    location: &Location,
    range: Option<&str>,
    etag: Option<&HeaderValue>,
    stall_timeout: Duration,
) -> Result<Response, Failure> {
    let mut url = location.url.clone();
    for _ in 0..=MAX_REDIRECTS {
        let mut request = Request::new(Method::GET, url.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
        if let Some(Ok(range)) = range.map(HeaderValue::try_from) {
            headers.insert(RANGE, range);
            if let Some(etag) = etag {
                headers.insert(IF_RANGE, etag.clone());
            }
        }
        let response = timeout(stall_timeout, http.execute(request))
            .await
            .map_err(|_| Failure::on_the_way(Error::timeout()))?
            .map_err(|error| Failure::on_the_way(unanswered(error)))?;
        if !response.status().is_redirection() || location.storage == StorageType::Object {
            return Ok(response);
        }
        url = redirect(&url, response.headers()).ok_or_else(|| {
            Failure::fatal(Error::artifact("the server redirects to what is no http or https URL"))
        })?;
    }
    Err(Failure::fatal(Error::artifact("the server redirects without end")))
}

fn redirect(from: &Url, headers: &HeaderMap) -> Option<Url> {
    let to = from.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    matches!(to.scheme(), "http" | "https").then_some(to)
}

fn head(response: &Response, location: &Location, total: Option<u64>) -> Result<Head> {
    let headers = response.headers();
    let length = || text(headers, CONTENT_LENGTH)?.parse().ok();
    Ok(Head {
        content_type: text(headers, CONTENT_TYPE).map(str::to_owned),
        encoding: Encoding::of(headers)?,
        storage: location.storage,
        expected: location.expected.clone(),
        total: total.or_else(length),
        etag: headers.get(ETAG).filter(|etag| etag.as_bytes().starts_with(b"\"")).cloned(),
    })
}

/// The first byte of a part, and the length of the whole.
fn content_range(headers: &HeaderMap) -> Option<(u64, u64)> {
    let range = text(headers, CONTENT_RANGE)?.strip_prefix("bytes ")?;
    let (part, total) = range.split_once('/')?;
    let (first, _) = part.split_once('-')?;
    Some((first.parse().ok()?, total.parse().ok()?))
}
