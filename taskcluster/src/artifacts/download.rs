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

/// Fetches everything into what `begin` returns, which is called again whenever the content begins anew.
pub(crate) async fn download<W: Write + Send + 'static>(
    raw: &mut Raw,
    limit: u64,
    begin: impl FnMut() -> Result<W>,
) -> Result<Written<W>> {
    fetch(raw, limit, begin).await.map_err(|error| raw.explain(error))
}

async fn fetch<W: Write + Send + 'static>(
    raw: &mut Raw,
    limit: u64,
    mut begin: impl FnMut() -> Result<W>,
) -> Result<Written<W>> {
    let mut work = None;
    let mut batch = Vec::new();
    let mut size = 0;
    loop {
        match raw.next().await? {
            Event::Begin(head) => {
                batch.clear();
                size = 0;
                // What is written so far goes before its successor comes.
                drop(work.take());
                let content = Content::new(head.encoding, head.expected.clone(), limit, begin()?);
                work = Some((head, Worker::Idle(Box::new(content))));
            }
            Event::Data(bytes) => {
                size += bytes.len();
                batch.push(bytes);
                if size >= BATCH
                    && let Some((_, worker)) = &mut work
                {
                    worker.give(mem::take(&mut batch)).await?;
                    size = 0;
                }
            }
            Event::End => {
                let (head, mut worker) =
                    work.ok_or_else(|| Error::answer("the content ends before it begins"))?;
                worker.give(batch).await?;
                let content = worker.content().await?;
                let (out, size, hashes) =
                    spawn_blocking(|| content.finish()).await.map_err(lost)??;
                return Ok(Written { head, out, size, hashes });
            }
        }
    }
}

/// Content, here or on a thread where it may block.
enum Worker<W: Write> {
    Idle(Box<Content<W>>),
    Busy(JoinHandle<Result<Content<W>>>),
    Failed,
}

impl<W: Write + Send + 'static> Worker<W> {
    /// Waits for the batch before, and hands over the next.
    async fn give(&mut self, batch: Vec<Bytes>) -> Result<()> {
        let mut content = mem::replace(self, Self::Failed).content().await?;
        *self = Self::Busy(spawn_blocking(move || {
            for bytes in batch {
                content.push(&bytes)?;
            }
            Ok(content)
        }));
        Ok(())
    }

    async fn content(self) -> Result<Content<W>> {
        match self {
            Self::Idle(content) => Ok(*content),
            Self::Busy(handle) => handle.await.map_err(lost)?,
            Self::Failed => Err(Error::file("the content could not be written")),
        }
    }
}

/// The runtime has gone, or the thread was lost.
fn lost(error: tokio::task::JoinError) -> Error {
    Error::file("the content could not be written").because(error)
}
