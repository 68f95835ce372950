//! One upload to storage: as many attempts as it takes, with as many URLs.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http_body::{Body, Frame, SizeHint};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};
use reqwest::{Method, Request, Response, StatusCode, Url};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::debug;

use super::hashes::Hashes;
use super::input::Input;
use super::progress::Progress;
use super::raw::{Cure, Failure, Settings, refusal};
use crate::client::Client;
use crate::client::http::unanswered;
use crate::error::{Error, Result};

/// How many pieces wait to be sent.
const WAITING: usize = 4;

/// Where to put content. The URL is a secret.
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) expires: DateTime<Utc>,
}

/// Something that gives URLs to upload to, again and again.
pub(crate) trait Place: Sync {
    /// Asks for a URL.
    fn target(&self) -> impl Future<Output = Result<Target>> + Send;
}

/// Uploads content, and returns the hashes of what was sent in the attempt that succeeded.
pub(crate) async fn put(
    client: &Client,
    place: &impl Place,
    input: &Input,
    length: u64,
    settings: &Settings,
) -> Result<Hashes> {
    let http = client.storage_http()?;
    let mut delays = client.settings().retry.delays();
    let mut target = place.target().await?;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let Failure { error, cure } =
            match attempt(&http, &target, input, length, settings, attempts).await {
                Ok(hashes) => {
                    debug!(bytes = length, attempts, "content uploaded");
                    return Ok(hashes);
                }
                Err(failure) => failure,
            };
        let error = error.with_attempts(attempts);
        debug!(%error, attempt = attempts, "upload failed");
        let has_expired = target.expires.timestamp() <= client.clock().now();
        let after = match cure {
            // The URL may have expired between attempts, by the server's clock.
            Cure::NewUrl => Duration::ZERO,
            Cure::Repeat(after) => after,
            Cure::Nothing if has_expired && error.status() == Some(StatusCode::FORBIDDEN) => {
                Duration::ZERO
            }
            Cure::BeginAnew | Cure::Nothing => return Err(error),
        };
        let Some(delay) = delays.next() else { return Err(error) };
        client.timer().start().reach(client.settings().retry.wait(delay, after)).await;
        if !matches!(cure, Cure::Repeat(_)) || target.expires.timestamp() <= client.clock().now() {
            target = place.target().await?;
        }
    }
}

async fn attempt(
    http: &reqwest::Client,
    target: &Target,
    input: &Input,
    length: u64,
    settings: &Settings,
    attempt: u32,
) -> Result<Hashes, Failure> {
    let (pieces, receiver) = mpsc::channel(WAITING);
    let moved = Arc::<AtomicU64>::default();
    let reading = {
        let (input, moved) = (input.clone(), moved.clone());
        spawn_blocking(move || {
            let result = input.read(length, &moved, |piece| {
                pieces.blocking_send(Ok(piece)).map_err(|_| Error::disconnected("not wanted"))
            });
            if result.is_err() {
                // Content that is not whole must not look whole to the storage.
                let _ = pieces.blocking_send(Err(io::ErrorKind::InvalidData.into()));
            }
            result
        })
    };
    let body = Pieces {
        receiver,
        length,
        sent: 0,
        moved: moved.clone(),
        report: settings.on_progress.clone().map(|report| (report, attempt)),
    };
    let mut request = Request::new(Method::PUT, target.url.clone());
    *request.headers_mut() = target.headers.clone();
    // The body says how long it is, unless it is empty.
    request.headers_mut().remove(CONTENT_LENGTH);
    if length == 0 {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    *request.body_mut() = Some(reqwest::Body::wrap(body));
    let answered = within(settings.stall_timeout, &moved, http.execute(request)).await;
    let answered = match answered {
        Some(answered) => answered.map_err(|error| Failure::on_the_way(unanswered(error))),
        None => Err(Failure::on_the_way(Error::timeout())),
    };
    match answered {
        Ok(response) if response.status().is_success() => {
            let read = timeout(settings.stall_timeout, reading).await;
            let read = read.map_err(|_| Failure::on_the_way(Error::timeout()))?;
            read.map_err(|error| Failure::fatal(lost(error)))?.map_err(Failure::fatal)
        }
        Ok(response) => Err(refused(response, settings.stall_timeout).await),
        // A source that gives nothing may do so for ever.
        Err(failure) => match timeout(settings.stall_timeout, reading).await {
            // What cannot be read is why nothing could be sent.
            Ok(Ok(Err(error))) if !error.is_transport() => Err(Failure::fatal(error)),
            _ => Err(failure),
        },
    }
}

async fn refused(response: Response, stall_timeout: Duration) -> Failure {
    let status = response.status();
    let (cure, says_expired) = refusal(response, stall_timeout).await;
    let is_expired = says_expired && status == StatusCode::FORBIDDEN;
    let cure = if is_expired { Cure::NewUrl } else { cure };
    Failure::new(Error::storage(status), cure)
}

/// Waits as long as bytes are read or sent, and for this time after the last of them.
pub(super) async fn within<T>(
    limit: Duration,
    moved: &AtomicU64,
    doing: impl Future<Output = T>,
) -> Option<T> {
    let mut doing = std::pin::pin!(doing);
    loop {
        let before = moved.load(Ordering::Relaxed);
        match timeout(limit, &mut doing).await {
            Ok(done) => return Some(done),
            Err(_) if moved.load(Ordering::Relaxed) != before => {}
            Err(_) => return None,
        }
    }
}

fn lost(error: tokio::task::JoinError) -> Error {
    Error::file("the content to upload could not be read").because(error)
}

/// The body of an upload, of a length that is known.
struct Pieces {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    length: u64,
    sent: u64,
    /// All bytes that were read or sent: whether anything moves.
    moved: Arc<AtomicU64>,
    report: Option<(super::progress::OnProgress, u32)>,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = self.receiver.poll_recv(context);
        if let Poll::Ready(Some(Ok(piece))) = &next {
            let new = piece.len() as u64;
            self.moved.fetch_add(new, Ordering::Relaxed);
            self.sent += new;
            if let Some((report, attempt)) = &self.report {
                report(Progress { bytes: self.sent, total: Some(self.length), attempt: *attempt });
            }
        }
        next.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.length == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length.saturating_sub(self.sent))
    }
}
