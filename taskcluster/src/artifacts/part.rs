//! Unfinished files, which are filled in several goes or by several connections, and then verified.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::content::{Content, Encoding};
use super::file::{TemporaryFile, failed, move_to};
use super::hashes::{Expected, Hashes};
use super::progress::{OnProgress, Progress};
use super::raw::{Event, Head, Raw, Settings};
use super::source::{Source, StorageType};
use crate::error::{Error, ErrorKind, Result};
use crate::slugid;

/// What one connection fetches at a time, in bytes.
const PIECE: u64 = 8 * 1024 * 1024;

/// How many bytes are written at once.
const BATCH: usize = 256 * 1024;

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

/// Downloads the encoded bytes to an unfinished file, then verifies it and gives it its name.
pub(super) async fn download(job: &Job<'_>) -> Result<(Head, u64, Hashes)> {
    let part = Arc::new(Part::new(job.path, job.source.id(), job.resume)?);
    let mut raw = Raw::new(job.source, job.settings);
    if let Some((head, position)) = part.known() {
        raw = raw.continue_at(head, position);
    }
    let head = match job.connections {
        1 => fill(&part, &mut raw).await?,
        _ => fill_in_pieces(job, &part, raw).await?,
    };
    let (overwrite, limit) = (job.overwrite, job.limit);
    let finishing = {
        let (part, head, path) = (part.clone(), head.clone(), job.path.to_owned());
        move || part.finish(&head, limit, &path, overwrite)
    };
    let (size, hashes) = blocking(finishing).await?;
    Ok((head, size, hashes))
}

/// Fetches everything that is not there yet.
async fn fill(part: &Arc<Part>, raw: &mut Raw) -> Result<Head> {
    let mut head = part.known().map(|(head, _)| head);
    let mut batch = Batch::default();
    let mut position = part.known().map_or(0, |(_, position)| position);
    loop {
        let event = match raw.next().await {
            Ok(event) => event,
            Err(error) => {
                // What has come is not lost.
                if head.is_some() {
                    batch.write(part, position).await?;
                }
                return Err(error);
            }
        };
        match event {
            Event::Begin(new) => {
                let (part, begun) = (part.clone(), new.clone());
                blocking(move || part.begin(&begun)).await?;
                batch = Batch::default();
                position = 0;
                head = Some(new);
            }
            Event::Data(bytes) => {
                position += bytes.len() as u64;
                batch.push(bytes);
                if batch.size >= BATCH {
                    batch.write(part, position).await?;
                }
            }
            Event::End => {
                batch.write(part, position).await?;
                return head.ok_or_else(|| Error::answer("the content ends before it begins"));
            }
        }
    }
}

/// Fetches the first piece, which says how much there is, then all others over several connections.
async fn fill_in_pieces(job: &Job<'_>, part: &Arc<Part>, raw: Raw) -> Result<Head> {
    let there = part.known().map_or(0, |(_, position)| position);
    let first = (there / PIECE + 1) * PIECE;
    let mut raw = raw.stop_at(first);
    let head = fill(part, &mut raw).await?;
    let total = head.total.unwrap_or_default();
    if !raw.is_part() || total <= first || !head.can_be_continued() {
        return Ok(head);
    }
    part.describe(&head, Some(first))?;
    let order = Arc::new(Mutex::new(Order { complete: first, ahead: BTreeMap::new() }));
    let received = Arc::new(AtomicU64::new(first));
    let starts = (0..).map(|n| first + n * PIECE).take_while(|start| *start < total);
    stream::iter(starts)
        .map(|start| {
            let mut settings = job.settings.clone();
            settings.on_progress =
                settings.on_progress.map(|report| summed(report, start, received.clone()));
            let (head, order) = (head.clone(), order.clone());
            async move {
                let end = (start + PIECE).min(total);
                let raw = Raw::new(job.source, &settings);
                let mut raw = raw.continue_at(head.clone(), start).stop_at(end);
                fill_piece(part, &mut raw, start).await?;
                let complete = order.lock().unwrap_or_else(PoisonError::into_inner).add(start, end);
                part.describe(&head, Some(complete))
            }
        })
        .buffer_unordered(job.connections)
        .try_for_each(async |()| Ok(()))
        .await?;
    Ok(head)
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
    let mut batch = Batch::default();
    let mut position = start;
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
                position += bytes.len() as u64;
                batch.push(bytes);
                if batch.size >= BATCH {
                    batch.write(part, position).await?;
                }
            }
            Event::End => return batch.write(part, position).await,
        }
    }
}

/// Bytes that are to be written.
#[derive(Default)]
struct Batch {
    pieces: Vec<Bytes>,
    size: usize,
}

impl Batch {
    fn push(&mut self, bytes: Bytes) {
        self.size += bytes.len();
        self.pieces.push(bytes);
    }

    /// Writes everything, so that it ends at this position.
    async fn write(&mut self, part: &Arc<Part>, end: u64) -> Result<()> {
        let Self { pieces, size } = std::mem::take(self);
        let part = part.clone();
        blocking(move || part.write(end - size as u64, &pieces)).await
    }
}

/// An unfinished file, and a second one that says what it is.
struct Part {
    path: PathBuf,
    about: PathBuf,
    /// What it is a part of.
    source: String,
    /// Whether it stays if it is not finished.
    stays: bool,
}

impl Part {
    fn new(destination: &Path, source: String, stays: bool) -> Result<Self> {
        let mut name = OsString::from(destination.file_name().ok_or_else(|| {
            Error::file(format!("{} is not the path of a file", destination.display()))
        })?);
        if !stays {
            name = OsString::from(".");
            name.push(slugid::v4());
        }
        name.push(".part");
        let path = destination.with_file_name(&name);
        name.push(".json");
        let about = destination.with_file_name(name);
        Ok(Self { path, about, source, stays })
    }

    /// What is there of an earlier attempt: the content, and how much of it.
    fn known(&self) -> Option<(Head, u64)> {
        let about: Value = serde_json::from_slice(&fs::read(&self.about).ok()?).ok()?;
        if about["source"] != self.source.as_str() {
            return None;
        }
        let text = |name: &str| about[name].as_str().map(str::to_owned);
        let head = Head {
            content_type: text("contentType"),
            encoding: match about["encoding"].as_str()? {
                "gzip" => Encoding::Gzip,
                _ => Encoding::Identity,
            },
            storage: match about["storage"].as_str()? {
                "s3" => StorageType::S3,
                "object" => StorageType::Object,
                "reference" => StorageType::Reference,
                _ => StorageType::Unknown,
            },
            expected: Expected { sha256: text("sha256"), sha512: text("sha512") },
            total: about["total"].as_u64(),
            etag: text("etag").and_then(|etag| HeaderValue::try_from(etag).ok()),
        };
        let length = fs::metadata(&self.path).ok()?.len();
        let there = about["complete"].as_u64().unwrap_or(length).min(length);
        let fits = head.total.is_some_and(|total| there < total);
        (head.can_be_continued() && fits && there > 0).then_some((head, there))
    }

    /// Begins with the first byte.
    fn begin(&self, head: &Head) -> Result<()> {
        self.forget();
        File::create(&self.path).map_err(|error| failed("create", &self.path, error))?;
        self.describe(head, None)
    }

    fn describe(&self, head: &Head, complete: Option<u64>) -> Result<()> {
        let about = json!({
            "source": self.source,
            "contentType": head.content_type,
            "encoding": match head.encoding {
                Encoding::Identity => "identity",
                Encoding::Gzip => "gzip",
            },
            "storage": match head.storage {
                StorageType::S3 => "s3",
                StorageType::Object => "object",
                StorageType::Reference => "reference",
                StorageType::Unknown => "unknown",
            },
            "sha256": head.expected.sha256,
            "sha512": head.expected.sha512,
            "total": head.total,
            "etag": head.etag.as_ref().and_then(|etag| etag.to_str().ok()),
            "complete": complete,
        });
        fs::write(&self.about, about.to_string())
            .map_err(|error| failed("write", &self.about, error))
    }

    /// Writes bytes to their place: whoever else fills the file with the same content does no harm.
    fn write(&self, start: u64, pieces: &[Bytes]) -> Result<()> {
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).open(&self.path)?;
            file.seek(SeekFrom::Start(start))?;
            pieces.iter().try_for_each(|bytes| file.write_all(bytes))
        };
        write().map_err(|error| failed("write", &self.path, error))
    }

    /// Verifies the file and gives it its name.
    fn finish(
        &self,
        head: &Head,
        limit: u64,
        destination: &Path,
        overwrite: bool,
    ) -> Result<(u64, Hashes)> {
        let read = |error| failed("read", &self.path, error);
        let mut file = File::open(&self.path).map_err(read)?;
        let verified = match head.encoding {
            Encoding::Identity => {
                let (_, size, hashes) = self.verify(head, limit, &mut file, io::sink())?;
                move_to(&self.path, destination, overwrite)?;
                (size, hashes)
            }
            Encoding::Gzip => {
                let out = TemporaryFile::create(destination)?;
                let (out, size, hashes) = self.verify(head, limit, &mut file, out)?;
                out.persist(overwrite)?;
                (size, hashes)
            }
        };
        self.forget();
        Ok(verified)
    }

    /// Decodes the file. What is wrong is not kept to be continued.
    fn verify<W: Write>(
        &self,
        head: &Head,
        limit: u64,
        file: &mut File,
        out: W,
    ) -> Result<(W, u64, Hashes)> {
        let mut content = Content::new(head.encoding, head.expected.clone(), limit, out);
        let mut buffer = vec![0; BATCH];
        let mut length = 0;
        loop {
            let read = file.read(&mut buffer).map_err(|e| failed("read", &self.path, e))?;
            if read == 0 {
                break;
            }
            length += read as u64;
            content.push(&buffer[..read]).inspect_err(|error| self.forget_if_wrong(error))?;
        }
        if head.total.is_some_and(|total| total != length) {
            self.forget();
            return Err(Error::file(format!("another program changed {}", self.path.display())));
        }
        content.finish().inspect_err(|error| self.forget_if_wrong(error))
    }

    /// A full disk leaves the part as it is, to be continued later.
    fn forget_if_wrong(&self, error: &Error) {
        if error.kind() == ErrorKind::Artifact {
            self.forget();
        }
    }

    fn forget(&self) {
        // What is not there need not be removed; what cannot be is found to be of no use by the next attempt.
        let _ = fs::remove_file(&self.about);
        let _ = fs::remove_file(&self.path);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.stays {
            self.forget();
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    spawn_blocking(work)
        .await
        .map_err(|error| Error::file("the file could not be written").because(error))?
}
