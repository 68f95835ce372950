//! Content as it comes in.

use std::fmt;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use futures_core::Stream;
use futures_util::StreamExt as _;
use futures_util::stream::try_unfold;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, ReadBuf};

use super::content::Content;
use super::encoding::Encoding;
use super::raw::{Event, Head, Raw};
use super::source::StorageType;
use crate::error::{Error, Result};
use crate::runtime::block_on;

/// The content of an artifact as it comes in: a stream of [`Bytes`], and an [`AsyncRead`].
///
/// Use content as such only when the stream has ended: a wrong hash is the error at its end.
#[must_use = "nothing is fetched until the stream is polled"]
pub struct ArtifactStream {
    pieces: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
    /// What a reader had no room for.
    rest: Bytes,
    head: Head,
}

impl ArtifactStream {
    /// Waits until the content begins.
    pub(crate) async fn open(raw: Raw, limit: u64) -> Result<Self> {
        let mut streaming = Streaming::new(raw, limit);
        let head = streaming.begin().await?;
        let pieces = try_unfold(streaming, async |mut streaming| match streaming.next().await {
            Ok(Some(bytes)) => Ok(Some((bytes, streaming))),
            Ok(None) => Ok(None),
            Err(error) => Err(streaming.raw.explain(error)),
        });
        Ok(Self { pieces: Box::pin(pieces), rest: Bytes::new(), head })
    }

    /// The content type that the server gave.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.head.content_type.as_deref()
    }

    /// The size of the content in bytes, if it is known beforehand: it is not for compressed content.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.head.total.filter(|_| self.head.encoding == Encoding::Identity)
    }

    /// Where the content comes from.
    #[must_use]
    pub fn storage(&self) -> StorageType {
        self.head.storage
    }
}

impl Stream for ArtifactStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.rest))));
        }
        self.pieces.as_mut().poll_next(context)
    }
}

impl AsyncRead for ArtifactStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.rest.is_empty() {
            match ready!(self.pieces.as_mut().poll_next(context)) {
                Some(Ok(bytes)) => self.rest = bytes,
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.rest.len().min(into.remaining());
        into.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for ArtifactStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArtifactStream").finish_non_exhaustive()
    }
}

/// The content of an artifact as it comes in, for programs without an async runtime. Each read may block.
#[derive(Debug)]
#[must_use = "nothing is fetched until it is read"]
pub struct ArtifactReader(ArtifactStream);

impl ArtifactReader {
    pub(crate) fn new(stream: ArtifactStream) -> Self {
        Self(stream)
    }
}

impl Read for ArtifactReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut bytes = match block_on(self.0.next()).map_err(io::Error::other)? {
            Some(bytes) => bytes.map_err(io::Error::other)?,
            None => return Ok(0),
        };
        let length = bytes.len().min(into.len());
        bytes.copy_to_slice(&mut into[..length]);
        self.0.rest = bytes;
        Ok(length)
    }
}

/// What a stream is in the middle of.
struct Streaming {
    raw: Raw,
    limit: u64,
    content: Option<Content<Vec<u8>>>,
    /// Encoded bytes that came in.
    encoded: Bytes,
    given: Given,
    is_over: bool,
}

/// What has been given away, which cannot be taken back when the content begins anew.
#[derive(Default)]
struct Given {
    size: u64,
    digest: Sha256,
    /// How much of the content that began anew was there before, and its digest.
    repeated: Option<(u64, Sha256)>,
}

impl Streaming {
    fn new(raw: Raw, limit: u64) -> Self {
        Self {
            raw,
            limit,
            content: None,
            encoded: Bytes::new(),
            given: Given::default(),
            is_over: false,
        }
    }

    /// Waits until the content begins.
    async fn begin(&mut self) -> Result<Head> {
        match self.raw.next().await? {
            Event::Begin(head) => {
                self.begin_with(&head);
                Ok(head)
            }
            _ => Err(Error::answer("the content goes on before it begins")),
        }
    }

    fn begin_with(&mut self, head: &Head) {
        let expected = head.expected.clone();
        self.content = Some(Content::new(head.encoding, expected, self.limit, Vec::new()));
        self.given.begin_anew();
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        while !self.is_over {
            if let Some(content) = &mut self.content
                && !self.encoded.is_empty()
            {
                let taken = content.push_some(&self.encoded)?;
                self.encoded.advance(taken.min(self.encoded.len()));
                let bytes = self.given.take(std::mem::take(content.out()).into())?;
                if !bytes.is_empty() {
                    return Ok(Some(bytes));
                }
                continue;
            }
            match self.raw.next().await? {
                Event::Begin(head) => self.begin_with(&head),
                Event::Data(bytes) => self.encoded = bytes,
                Event::End => {
                    self.is_over = true;
                    let Some(content) = self.content.take() else { break };
                    let (out, ..) = content.finish()?;
                    let bytes = self.given.take(out.into())?;
                    self.given.check_end()?;
                    if !bytes.is_empty() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
        Ok(None)
    }
}

impl Given {
    fn begin_anew(&mut self) {
        self.repeated = (self.size > 0).then(Default::default);
    }

    /// Takes the next bytes of the content and returns those that have not been given away before.
    fn take(&mut self, mut bytes: Bytes) -> Result<Bytes> {
        if let Some((repeated, digest)) = &mut self.repeated {
            let left = usize::try_from(self.size - *repeated).unwrap_or(usize::MAX);
            let again = bytes.split_to(left.min(bytes.len()));
            digest.update(&again);
            *repeated += again.len() as u64;
            if *repeated < self.size {
                return Ok(Bytes::new());
            }
            if digest.clone().finalize() != self.digest.clone().finalize() {
                return Err(changed());
            }
            self.repeated = None;
        }
        self.digest.update(&bytes);
        self.size += bytes.len() as u64;
        Ok(bytes)
    }

    /// Refuses content that ends before what was given away.
    fn check_end(&self) -> Result<()> {
        if self.repeated.is_some() { Err(changed()) } else { Ok(()) }
    }
}

fn changed() -> Error {
    Error::artifact("the content changed while it was read, and a part of it is given away already")
}
