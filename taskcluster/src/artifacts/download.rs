//! From a source to content that is whole and verified.

use std::io::Write;
use std::mem;

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use super::content::Content;
use super::hashes::Hashes;
use super::raw::{Event, Head, Raw};
use crate::error::{Error, Result};

/// How many bytes are decoded, hashed and written at once, while the next ones are on their way.
const BATCH: usize = 256 * 1024;

/// Content that has been written.
pub(crate) struct Written<W> {
    pub(crate) head: Head,
    pub(crate) out: W,
    pub(crate) size: u64,
    pub(crate) hashes: Hashes,
}

/// Takes encoded bytes in their order. It may block.
pub(crate) trait Take: Send + Sized + 'static {
    fn take(&mut self, bytes: &[u8]) -> Result<()>;
}

impl<W: Write + Send + 'static> Take for Content<W> {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.push(bytes)
    }
}

/// Fetches everything into what `begin` returns, which is called again whenever the content begins anew.
pub(crate) async fn download<W: Write + Send + 'static>(
    raw: &mut Raw,
    limit: u64,
    mut begin: impl FnMut() -> Result<W>,
) -> Result<Written<W>> {
    let written = async {
        let begin =
            |head: &Head| Ok(Content::new(head.encoding, head.expected.clone(), limit, begin()?));
        let (head, content) = fetch(raw, None, begin).await?;
        let (out, size, hashes) = blocking(|| content.finish()).await?;
        Ok(Written { head, out, size, hashes })
    };
    let written = written.await;
    written.map_err(|error| raw.explain(error))
}

/// Fetches everything, or the rest, into what has begun already or what `begin` returns.
pub(crate) async fn fetch<T: Take>(
    raw: &mut Raw,
    begun: Option<(Head, T)>,
    mut begin: impl FnMut(&Head) -> Result<T>,
) -> Result<(Head, T)> {
    let mut work = begun.map(|(head, taker)| (head, Worker::Idle(Box::new(taker))));
    let mut batch = Batch::default();
    loop {
        let event = match raw.next().await {
            Ok(event) => event,
            Err(error) => {
                // What has come is not lost to those who continue.
                if let Some((_, mut worker)) = work {
                    let _ = worker.give(batch).await;
                    let _ = worker.idle().await;
                }
                return Err(error);
            }
        };
        match event {
            Event::Begin(head) => {
                batch = Batch::default();
                // What is written so far goes before its successor comes.
                if let Some((_, worker)) = work.take() {
                    drop(worker.idle().await);
                }
                let taker = begin(&head)?;
                work = Some((head, Worker::Idle(Box::new(taker))));
            }
            Event::Data(bytes) => {
                batch.push(bytes);
                if batch.size >= BATCH
                    && let Some((_, worker)) = &mut work
                {
                    worker.give(mem::take(&mut batch)).await?;
                }
            }
            Event::End => {
                let (head, mut worker) =
                    work.ok_or_else(|| Error::answer("the content ends before it begins"))?;
                worker.give(batch).await?;
                return Ok((head, worker.idle().await?));
            }
        }
    }
}

/// Bytes that are to be written.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) pieces: Vec<Bytes>,
    pub(crate) size: usize,
}

impl Batch {
    pub(crate) fn push(&mut self, bytes: Bytes) {
        self.size += bytes.len();
        self.pieces.push(bytes);
    }
}

/// What takes content, here or on a thread where it may block.
enum Worker<T> {
    Idle(Box<T>),
    Busy(JoinHandle<Result<Box<T>>>),
    Failed,
}

impl<T: Take> Worker<T> {
    /// Waits for the batch before, and hands over the next.
    async fn give(&mut self, batch: Batch) -> Result<()> {
        let mut taker = mem::replace(self, Self::Failed).wait().await?;
        *self = Self::Busy(spawn_blocking(move || {
            for bytes in batch.pieces {
                taker.take(&bytes)?;
            }
            Ok(taker)
        }));
        Ok(())
    }

    async fn idle(self) -> Result<T> {
        Ok(*self.wait().await?)
    }

    async fn wait(self) -> Result<Box<T>> {
        match self {
            Self::Idle(taker) => Ok(taker),
            Self::Busy(handle) => handle.await.map_err(lost)?,
            Self::Failed => Err(Error::file("the content could not be written")),
        }
    }
}

/// Does what may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    spawn_blocking(work).await.map_err(lost)?
}

/// The runtime has gone, or the thread was lost.
fn lost(error: tokio::task::JoinError) -> Error {
    Error::file("the content could not be written").because(error)
}
