//! Downloads that may go on later, and those over several connections.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::watch;

use super::download::{Batch, blocking, fetch};
use super::filling::Filling;
use super::hashes::Hashes;
use super::part::Part;
use super::progress::{OnProgress, Progress};
use super::raw::{Event, Head, Raw, Settings};
use super::source::Source;
use crate::error::{Error, Result};

/// What one connection fetches at a time, in bytes.
const PIECE: u64 = 8 * 1024 * 1024;

/// How many bytes are written at once. Every connection holds so many, and the HTTP library's buffers that they are in.
const BATCH: usize = 64 * 1024;

/// What to download, and how.
pub(super) struct Job<'a> {
    pub(super) source: &'a Source,
    pub(super) settings: &'a Settings,
    pub(super) path: &'a Path,
    pub(super) overwrite: bool,
    pub(super) limit: u64,
    /// Whether an unfinished file is continued, and stays.
    pub(super) resume: bool,
    pub(super) connections: usize,
}

/// Downloads to an unfinished file, which gets its name when it is whole and verified.
pub(super) async fn download(job: &Job<'_>) -> Result<(Head, u64, Hashes)> {
    let part = Arc::new(Part::new(job.path, job.source.id(), job.resume)?);
    let mut raw = Raw::new(job.source, job.settings);
    let begun = match part.known() {
        Some((head, there)) => {
            let (part, limit, known) = (part.clone(), job.limit, head.clone());
            let filling = blocking(move || Filling::resume(&part, &known, limit, there)).await?;
            raw.continue_at(head.clone(), there);
            Some((head, filling))
        }
        None => None,
    };
    let downloaded = match job.connections {
        1 => fetch(&mut raw, begun, |head| Filling::begin(&part, head, job.limit)).await,
        _ => fetch_in_pieces(job, &part, &mut raw, begun).await,
    };
    let overwrite = job.overwrite;
    let finished = async {
        let (head, filling) = downloaded?;
        let (size, hashes) = blocking(move || filling.finish(overwrite)).await?;
        Ok((head, size, hashes))
    };
    let finished = finished.await;
    finished.map_err(|error| raw.explain(error))
}

/// Fetches the first piece, which says how much there is, then all others over several connections.
async fn fetch_in_pieces(
    job: &Job<'_>,
    part: &Arc<Part>,
    raw: &mut Raw,
    begun: Option<(Head, Filling)>,
) -> Result<(Head, Filling)> {
    let there = begun.as_ref().map_or(0, |(_, filling)| filling.position());
    let first = (there / PIECE + 1) * PIECE;
    raw.stop_at(first);
    let begin = |head: &Head| Filling::begin(part, head, job.limit);
    let (head, filling) = fetch(raw, begun, begin).await?;
    let total = head.total.unwrap_or_default();
    if !raw.is_part() || total <= first {
        return Ok((head, filling));
    }
    part.describe(&head, Some(first))?;
    let (complete, grown) = watch::channel(first);
    let order = Mutex::new(Order { complete: first, ahead: BTreeMap::new() });
    let received = Arc::new(AtomicU64::new(first));
    // Connections that have nothing to do, with the URLs that they found.
    let idle: Mutex<Vec<Raw>> = Mutex::default();
    let fetch_piece = async |start: u64| {
        let end = (start + PIECE).min(total);
        let mut raw = lock(&idle).pop().unwrap_or_else(|| Raw::new(job.source, job.settings));
        let report = job.settings.on_progress.clone();
        raw.report_to(report.map(|report| summed(report, start, received.clone())));
        raw.continue_at(head.clone(), start);
        raw.stop_at(end);
        fill_piece(part, &mut raw, start).await?;
        lock(&idle).push(raw);
        complete.send_replace(lock(&order).add(start, end));
        Ok(())
    };
    let starts = (0..).map(|n| first + n * PIECE).take_while(|start| *start < total);
    let pieces = stream::iter(starts)
        .map(fetch_piece)
        .buffer_unordered(job.connections)
        .try_for_each(async |()| Ok(()));
    let followed = follow(filling, part, &head, total, grown);
    let ((), filling) = try_join(pieces, followed).await?;
    Ok((head, filling))
}

/// Decodes and hashes pieces in their order, as soon as nothing before them is missing.
async fn follow(
    mut filling: Filling,
    part: &Arc<Part>,
    head: &Head,
    total: u64,
    mut grown: watch::Receiver<u64>,
) -> Result<Filling> {
    while filling.position() < total {
        let gone = |_| Error::file("the content could not be written");
        grown.changed().await.map_err(gone)?;
        let complete = *grown.borrow_and_update();
        let (part, head) = (part.clone(), head.clone());
        filling = blocking(move || {
            part.describe(&head, Some(complete))?;
            filling.catch_up(complete)?;
            Ok(filling)
        })
        .await?;
    }
    Ok(filling)
}

/// Reports the bytes of all connections, of which one fetches the piece that begins here.
fn summed(report: OnProgress, start: u64, received: Arc<AtomicU64>) -> OnProgress {
    let farthest = AtomicU64::new(start);
    Arc::new(move |progress| {
        let before = farthest.fetch_max(progress.bytes, Ordering::Relaxed);
        let new = progress.bytes.saturating_sub(before);
        let bytes = received.fetch_add(new, Ordering::Relaxed) + new;
        report(Progress { bytes, ..progress });
    })
}

/// In what order pieces came.
struct Order {
    /// Everything before this byte is there.
    complete: u64,
    /// Pieces behind a hole: their ends, by their starts.
    ahead: BTreeMap<u64, u64>,
}

impl Order {
    /// Adds a piece and returns how much is complete.
    fn add(&mut self, start: u64, end: u64) -> u64 {
        self.ahead.insert(start, end);
        while let Some(end) = self.ahead.remove(&self.complete) {
            self.complete = end;
        }
        self.complete
    }
}

async fn fill_piece(part: &Arc<Part>, raw: &mut Raw, start: u64) -> Result<()> {
    let mut file = part.open_at(start)?;
    let mut batch = Batch::default();
    loop {
        match raw.next().await? {
            Event::Begin(_) => {
                part.forget();
                return Err(raw.explain(Error::artifact(
                    "the content changed while several connections fetched it, or the server \
                     does not always send the part that it is asked for",
                )));
            }
            Event::Data(bytes) => {
                batch.push(bytes);
                if batch.size >= BATCH {
                    file = write(part, file, std::mem::take(&mut batch)).await?;
                }
            }
            Event::End => return write(part, file, batch).await.map(drop),
        }
    }
}

async fn write(part: &Arc<Part>, mut file: File, batch: Batch) -> Result<File> {
    let part = part.clone();
    blocking(move || {
        let written = batch.pieces.iter().try_for_each(|bytes| file.write_all(bytes));
        written.map_err(|error| part.failed("write", error))?;
        Ok(file)
    })
    .await
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
