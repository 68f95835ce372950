//! Content that can be downloaded, and how.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::download::{Written, blocking, download};
use super::file::{TemporaryFile, check_destination};
use super::hashes::Hashes;
use super::in_parts;
use super::progress::Progress;
use super::raw::{Head, Raw, Settings};
use super::source::{Source, StorageType};
use super::stream::{ArtifactReader, ArtifactStream};
use crate::error::Result;
use crate::runtime::block_on;

/// How much [`Artifact::bytes`] takes into memory unless a limit is set: 64 MiB.
const IN_MEMORY: u64 = 64 * 1024 * 1024;

/// How long nothing may arrive unless set.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Content that can be downloaded: an artifact of a task, or an object.
///
/// Nothing is sent before one of the download methods is called. Each method that sets an option returns a changed copy.
///
/// ```no_run
/// # async fn f(queue: taskcluster::Queue, task_id: &str) -> Result<(), taskcluster::Error> {
/// use taskcluster::artifacts;
///
/// let build = artifacts::latest(&queue, task_id, "public/build/target.tar.gz");
/// let file = build.download_to("target.tar.gz").await?;
/// println!("{} bytes of {:?}, sha256 {}", file.size, file.content_type, file.hashes.sha256);
/// # Ok(()) }
/// ```
///
/// # What is retried
///
/// An attempt that could not connect, broke off, got nothing for the [stall timeout](Self::stall_timeout), or was answered
/// with 408, 429, 5xx or S3's `RequestTimeout` is repeated as the client's [`Retry`](crate::Retry) says. Progress counts as
/// success: retries start from zero after it. The next attempt asks for the rest only, if the server says by which `ETag` it
/// recognizes the content. If a URL has expired, a new one is requested. Other errors, such as a wrong hash, a full disk or
/// 404, are not retried.
///
/// # Hashes
///
/// Objects are verified against every hash that the object service knows, while they are downloaded. Artifacts of type `s3`
/// and `reference` have no known hashes; for them only the length is checked, and the checksum of gzip.
#[derive(Clone)]
#[must_use = "nothing is downloaded yet"]
pub struct Artifact {
    source: Source,
    settings: Settings,
    limit: Option<u64>,
    overwrite: bool,
    resume: bool,
    connections: usize,
}

impl Artifact {
    pub(super) fn new(source: Source) -> Self {
        let settings =
            Settings { managed_only: false, stall_timeout: STALL_TIMEOUT, on_progress: None };
        Self { source, settings, limit: None, overwrite: true, resume: false, connections: 1 }
    }

    /// Limits the size of the content, in bytes after decompression. Larger content is an error as soon as it is noticed.
    ///
    /// By default, [`bytes`](Self::bytes) takes up to 64 MiB; other downloads have no limit.
    ///
    /// ```no_run
    /// # async fn f(artifact: taskcluster::artifacts::Artifact) -> Result<(), taskcluster::Error> {
    /// let small = artifact.limit(10 << 20).bytes().await?;
    /// # Ok(()) }
    /// ```
    pub fn limit(&self, bytes: u64) -> Self {
        Self { limit: Some(bytes), ..self.clone() }
    }

    /// Calls this function after each piece of data, often: it should only note the numbers.
    ///
    /// ```no_run
    /// # async fn f(artifact: taskcluster::artifacts::Artifact) -> Result<(), taskcluster::Error> {
    /// artifact.on_progress(|p| eprintln!("{} of {:?}", p.bytes, p.total)).download_to("x").await?;
    /// # Ok(()) }
    /// ```
    pub fn on_progress(&self, call: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        let mut changed = self.clone();
        changed.settings.on_progress = Some(Arc::new(call));
        changed
    }

    /// Whether [`download_to`](Self::download_to) replaces an existing file; `true` by default. If not, an existing file is
    /// an error, and nothing is downloaded.
    pub fn overwrite(&self, overwrite: bool) -> Self {
        Self { overwrite, ..self.clone() }
    }

    /// Whether [`download_to`](Self::download_to) keeps an unfinished file and continues it; `false` by default.
    ///
    /// The unfinished file has the name of the destination with `.part` appended, and a second one with `.part.json` says
    /// which content it is. The next download to the same path with `resume(true)`, by this process or a later one, asks for
    /// the rest if the server still has the same content, and starts over otherwise. What is there is read once, to verify it
    /// together with the rest.
    ///
    /// ```no_run
    /// # async fn f(artifact: taskcluster::artifacts::Artifact) -> Result<(), taskcluster::Error> {
    /// artifact.resume(true).download_to("image.tar.zst").await?;
    /// # Ok(()) }
    /// ```
    pub fn resume(&self, resume: bool) -> Self {
        Self { resume, ..self.clone() }
    }

    pub(super) fn resumes(&self) -> bool {
        self.resume
    }

    /// Downloads large content over this many connections at once; 1 by default. 0 is treated as 1.
    ///
    /// It takes effect in [`download_to`](Self::download_to), for servers that can send a part of the content, and content of
    /// more than 8 MiB. Each connection fetches 8 MiB at a time. The pieces are verified in their order while others come in;
    /// for that, they are read from the file again, most often from the system's cache.
    ///
    /// ```no_run
    /// # async fn f(artifact: taskcluster::artifacts::Artifact) -> Result<(), taskcluster::Error> {
    /// artifact.parallel(4).download_to("image.tar.zst").await?;
    /// # Ok(()) }
    /// ```
    pub fn parallel(&self, connections: usize) -> Self {
        Self { connections: connections.max(1), ..self.clone() }
    }

    /// Refuses URLs that the deployment has not chosen: artifacts of type `reference`, whose URL the task chose. For programs
    /// in a network where such a URL could reach what the task should not.
    ///
    /// ```no_run
    /// # async fn f(artifact: taskcluster::artifacts::Artifact) -> Result<(), taskcluster::Error> {
    /// let report = artifact.managed_only().bytes().await?;
    /// # Ok(()) }
    /// ```
    pub fn managed_only(&self) -> Self {
        let mut changed = self.clone();
        changed.settings.managed_only = true;
        changed
    }

    /// Sets how long an attempt waits for the next byte; 30 seconds by default. There is no limit on the whole.
    pub fn stall_timeout(&self, timeout: Duration) -> Self {
        let mut changed = self.clone();
        changed.settings.stall_timeout = timeout;
        changed
    }

    /// Downloads into memory, at most 64 MiB unless another [`limit`](Self::limit) is set.
    ///
    /// # Errors
    ///
    /// If the artifact does not exist or is an error artifact (then its reason is the error's [code](crate::Error::code)), no
    /// attempt succeeds, the content is larger than the limit, or its hash is wrong.
    pub async fn bytes(&self) -> Result<Bytes> {
        let limit = self.limit.unwrap_or(IN_MEMORY);
        let mut raw = self.raw();
        Ok(download(&mut raw, limit, || Ok(Vec::new())).await?.out.into())
    }

    /// Downloads to this path. The file appears there when it is complete and verified.
    ///
    /// Until then it has a temporary name in the same folder, which must exist. The temporary file is removed if the download
    /// fails or its future is dropped, except with [`resume`](Self::resume). A link at the path is replaced; what it leads to
    /// stays as it is.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes), and if the file cannot be written; the error names the path. A path of a folder or a device
    /// is an error before anything is fetched.
    pub async fn download_to(&self, path: impl AsRef<Path>) -> Result<DownloadedFile> {
        let path = path.as_ref();
        check_destination(path, self.overwrite)?;
        if self.resume || self.connections > 1 {
            let job = in_parts::Job {
                source: &self.source,
                settings: &self.settings,
                path,
                overwrite: self.overwrite,
                limit: self.size_limit(),
                resume: self.resume,
                connections: self.connections,
            };
            let (head, size, hashes) = in_parts::download(&job).await?;
            return Ok(DownloadedFile::new(path, head, size, hashes));
        }
        let mut raw = self.raw();
        let written = download(&mut raw, self.size_limit(), || TemporaryFile::create(path)).await?;
        let Written { head, out, size, hashes } = written;
        let overwrite = self.overwrite;
        blocking(move || out.persist(overwrite)).await?;
        Ok(DownloadedFile::new(path, head, size, hashes))
    }

    /// Streams the content. The end of the stream is an error if a hash is wrong.
    ///
    /// What the stream has given away cannot be taken back. If the content has to begin anew and is another one then, the
    /// stream ends with an error.
    ///
    /// ```no_run
    /// # async fn f(artifact: taskcluster::artifacts::Artifact) -> Result<(), taskcluster::Error> {
    /// use futures::TryStreamExt as _;
    ///
    /// let mut stream = artifact.stream().await?;
    /// println!("{:?}", stream.content_type());
    /// while let Some(bytes) = stream.try_next().await? {
    ///     println!("{} bytes", bytes.len());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes), before the first byte. Later errors are items of the stream.
    pub async fn stream(&self) -> Result<ArtifactStream> {
        ArtifactStream::open(self.raw(), self.size_limit()).await
    }

    /// Downloads into memory, blocking; see [`bytes`](Self::bytes).
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes), and inside an async runtime.
    pub fn bytes_blocking(&self) -> Result<Bytes> {
        block_on(self.bytes())?
    }

    /// Downloads to this path, blocking; see [`download_to`](Self::download_to).
    ///
    /// # Errors
    ///
    /// As [`download_to`](Self::download_to), and inside an async runtime.
    pub fn download_to_blocking(&self, path: impl AsRef<Path>) -> Result<DownloadedFile> {
        block_on(self.download_to(path))?
    }

    /// Returns a reader of the content that blocks; see [`stream`](Self::stream).
    ///
    /// ```no_run
    /// # fn f(artifact: taskcluster::artifacts::Artifact) -> Result<(), Box<dyn std::error::Error>> {
    /// std::io::copy(&mut artifact.reader_blocking()?, &mut std::io::stdout())?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`stream`](Self::stream), and inside an async runtime.
    pub fn reader_blocking(&self) -> Result<ArtifactReader> {
        block_on(self.stream())?.map(ArtifactReader::new)
    }

    fn raw(&self) -> Raw {
        Raw::new(&self.source, &self.settings)
    }

    /// The limit of what does not stay in memory.
    fn size_limit(&self) -> u64 {
        self.limit.unwrap_or(u64::MAX)
    }
}

/// Shows what is downloaded, without URLs of storage.
impl fmt::Debug for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Artifact").field("source", &self.source).finish_non_exhaustive()
    }
}

/// A file that was downloaded and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadedFile {
    /// Where the file is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its digests.
    pub hashes: Hashes,
    /// The content type that the server gave.
    pub content_type: Option<String>,
    /// Where it came from.
    pub storage: StorageType,
}

impl DownloadedFile {
    fn new(path: &Path, head: Head, size: u64, hashes: Hashes) -> Self {
        let Head { content_type, storage, .. } = head;
        Self { path: path.to_owned(), size, hashes, content_type, storage }
    }
}
