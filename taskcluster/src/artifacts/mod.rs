//! Downloads and uploads of artifacts and objects (feature `artifacts`): verified, resumed, with progress.
//!
//! ```no_run
//! # async fn f(client: taskcluster::Client, task_id: &str) -> Result<(), taskcluster::Error> {
//! use taskcluster::{Queue, artifacts, from_now};
//!
//! let queue = Queue::new(&client);
//! let build = artifacts::latest(&queue, task_id, "public/build/target.tar.gz");
//! let build = build.on_progress(|progress| eprintln!("{} bytes", progress.bytes));
//! let file = build.download_to("target.tar.gz").await?;
//! println!("{} bytes, sha256 {}", file.size, file.hashes.sha256);
//!
//! artifacts::upload(&queue, task_id, 0, "public/report.json")
//!     .content_type("application/json")
//!     .expires(from_now("30 days")?)
//!     .file("report.json")
//!     .await?;
//! # Ok(()) }
//! ```
//!
//! # Downloads
//!
//! [`latest`], [`of_run`] and [`indexed`] find artifacts of tasks, [`objects::named`] finds objects of
//! the object service. They return an [`Artifact`], which can be downloaded to a file, into memory, or as a stream.
//! [`download_all`] downloads many artifacts of a task at once.
//!
//! - All storage types work: `s3`, `object`, `reference`, and links. An `error` artifact is an error with the reason as its
//!   [`code`](crate::Error::code) and the message that the worker gave.
//! - Content that is stored with `Content-Encoding: gzip` is decompressed, and with the features `brotli` and `zstd`, content with
//!   `br` and `zstd`. Zstandard may need 8 MiB of memory, the most that HTTP allows; content that needs more is an error.
//! - Objects are verified against their hashes.
//! - Failed attempts are retried and continue where they broke off; see [`Artifact`](Artifact#what-is-retried).
//! - A file appears when it is complete and verified, or not at all.
//!
//! # Uploads
//!
//! [`upload`] creates an artifact with content, [`reference`](self::reference()), [`link`] and [`error`](self::error()) create those that have
//! none. [`objects::upload`] creates an object that is not an artifact.
//!
//! # What others get to see
//!
//! Credentials are sent to Taskcluster only, never to storage or to URLs that a task chose. Signed URLs do not appear in logs,
//! errors or `Debug` output. Storage is reached through the client's HTTP client, if you
//! [set one](crate::ClientBuilder::http_client), so that your proxy and TLS settings apply. If that one decompresses responses on
//! its own, compressed content cannot be continued and begins anew.
//!
//! Inside a task with the proxy feature, [`Client::from_env`](crate::Client::from_env) works: everything goes through the proxy
//! except the content itself and the calls that an artifact's own credentials sign.

mod artifact;
#[cfg(feature = "brotli")]
mod brotli;
mod content;
mod declare;
mod download;
mod encoding;
mod file;
mod filling;
mod hashes;
mod in_parts;
mod input;
mod many;
pub mod objects;
mod part;
mod progress;
mod put;
mod raw;
mod source;
mod stream;
mod upload;
#[cfg(feature = "zstd")]
mod zstd;

use std::fmt::Display;

pub use self::artifact::{Artifact, DownloadedFile};
pub use self::declare::Declaration;
pub use self::hashes::Hashes;
pub use self::many::DownloadAll;
pub use self::progress::Progress;
pub use self::source::StorageType;
pub use self::stream::{ArtifactReader, ArtifactStream};
pub use self::upload::{Upload, UploadBuilder, Uploaded};

use self::declare::Kind;
use self::source::Source;
use self::upload::Destination;
use crate::call::Call;
use crate::client::service::Service;
use crate::services::queue::PostArtifactRequestErrorReason;
use crate::services::{Index, Queue};

/// The artifact of this name of the latest run of a task.
///
/// ```no_run
/// # async fn f(client: taskcluster::Client, task_id: &str) -> Result<(), taskcluster::Error> {
/// use taskcluster::{Queue, artifacts};
///
/// let log = artifacts::latest(&Queue::new(&client), task_id, "public/logs/live.log").bytes().await?;
/// # Ok(()) }
/// ```
///
/// `queue` is a [`Queue`], or one of 2017 (`legacy::Queue`). Artifacts that are not public need the scope
/// `queue:get-artifact:<name>`.
pub fn latest(queue: &impl AsRef<Service>, task_id: impl Display, name: impl Display) -> Artifact {
    found(queue.as_ref(), ["latestArtifact", "getLatestArtifact"], &[&task_id, &name])
}

/// The artifact of this name of one run of a task.
///
/// ```no_run
/// # fn f(queue: taskcluster::Queue, task_id: &str) -> Result<(), taskcluster::Error> {
/// use taskcluster::artifacts;
///
/// artifacts::of_run(&queue, task_id, 0, "public/logs/live.log").download_to_blocking("live.log")?;
/// # Ok(()) }
/// ```
pub fn of_run(
    queue: &impl AsRef<Service>,
    task_id: impl Display,
    run_id: u32,
    name: impl Display,
) -> Artifact {
    found(queue.as_ref(), ["artifact", "getArtifact"], &[&task_id, &run_id, &name])
}

/// The artifact of this name of the latest run of the task that the index has at this path.
///
/// ```no_run
/// # async fn f(client: taskcluster::Client) -> Result<(), taskcluster::Error> {
/// use taskcluster::{Index, artifacts};
///
/// let index = Index::new(&client);
/// let build = artifacts::indexed(&index, "project.latest.linux64", "public/build/target.tar.gz");
/// build.download_to("target.tar.gz").await?;
/// # Ok(()) }
/// ```
pub fn indexed(index: &Index, path: impl Display, name: impl Display) -> Artifact {
    let queue = Queue::new(index.as_ref().client());
    Artifact::new(Source::Indexed { task: index.find_task(path), queue, name: name.to_string() })
}

/// Downloads those artifacts of a task whose names `choose` accepts, several at once.
///
/// Each goes to a file of its name below the folder; `/` in a name makes a folder. Await it to download; the result has the
/// files in the order of the queue's list.
///
/// ```no_run
/// # async fn f(queue: taskcluster::Queue, task_id: &str) -> Result<(), taskcluster::Error> {
/// use taskcluster::artifacts;
///
/// let files = artifacts::download_all(&queue, task_id, |name| name.starts_with("public/"))
///     .to("artifacts")
///     .concurrency(8)
///     .await?;
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// Before anything is downloaded: if the artifacts cannot be listed; if a name leads out of the folder (`..`, an absolute
/// path, a link that exists there) or cannot be a file's; if two names are the same file because the file system ignores
/// case, if one is the folder of another, or if one is the unfinished file of another with `resume(true)`. Then the first
/// error of a download, which cancels the others. Files that were complete by then stay.
pub fn download_all(
    queue: &Queue,
    task_id: impl Display,
    choose: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> DownloadAll {
    DownloadAll::new(queue, task_id.to_string(), choose)
}

/// An upload of an artifact of a run, by the client of `queue`: the task's own credentials, or others with the scope
/// `queue:create-artifact:<taskId>/<runId>`.
///
/// ```no_run
/// # async fn f(client: taskcluster::Client, task_id: &str) -> Result<(), taskcluster::Error> {
/// use taskcluster::{Queue, artifacts, from_now};
///
/// let queue = Queue::new(&client);
/// artifacts::upload(&queue, task_id, 0, "public/report.json")
///     .content_type("application/json")
///     .expires(from_now("30 days")?)
///     .file("report.json")
///     .await?;
/// # Ok(()) }
/// ```
///
/// The future resolves when the artifact can be downloaded.
///
/// # Errors
///
/// If the content cannot be read or does not have the length that it should have, a call is refused, or no attempt to upload
/// succeeds.
pub fn upload(
    queue: &Queue,
    task_id: impl Display,
    run_id: u32,
    name: impl Display,
) -> UploadBuilder {
    UploadBuilder::new(Destination::Artifact {
        queue: queue.clone(),
        task_id: task_id.to_string(),
        run_id,
        name: name.to_string(),
    })
}

/// An artifact whose content is kept elsewhere, at a URL. Whoever downloads it gets the content from there.
///
/// ```no_run
/// # async fn f(queue: taskcluster::Queue, task_id: &str) -> Result<(), taskcluster::Error> {
/// use taskcluster::artifacts;
///
/// artifacts::reference(&queue, task_id, 0, "public/docs", "https://docs.example.com/").await?;
/// # Ok(()) }
/// ```
pub fn reference(
    queue: &Queue,
    task_id: impl Display,
    run_id: u32,
    name: impl Display,
    url: impl Display,
) -> Declaration {
    let kind = Kind::Reference { url: url.to_string() };
    Declaration::new(queue, task_id.to_string(), run_id, name.to_string(), kind)
}

/// Another name for an artifact of the same run.
///
/// ```no_run
/// # async fn f(queue: taskcluster::Queue, task_id: &str) -> Result<(), taskcluster::Error> {
/// use taskcluster::artifacts;
///
/// artifacts::link(&queue, task_id, 0, "public/latest.log", "public/logs/live_backing.log").await?;
/// # Ok(()) }
/// ```
pub fn link(
    queue: &Queue,
    task_id: impl Display,
    run_id: u32,
    name: impl Display,
    to: impl Display,
) -> Declaration {
    let kind = Kind::Link { to: to.to_string() };
    Declaration::new(queue, task_id.to_string(), run_id, name.to_string(), kind)
}

/// An artifact that says why a file that was expected does not exist.
///
/// ```no_run
/// # async fn f(queue: taskcluster::Queue, task_id: &str) -> Result<(), taskcluster::Error> {
/// use taskcluster::artifacts;
/// use taskcluster::queue::PostArtifactRequestErrorReason::FileMissingOnWorker;
///
/// artifacts::error(&queue, task_id, 0, "public/a.log", FileMissingOnWorker, "never written").await?;
/// # Ok(()) }
/// ```
pub fn error(
    queue: &Queue,
    task_id: impl Display,
    run_id: u32,
    name: impl Display,
    reason: PostArtifactRequestErrorReason,
    message: impl Display,
) -> Declaration {
    let kind = Kind::Error { reason, message: message.to_string() };
    Declaration::new(queue, task_id.to_string(), run_id, name.to_string(), kind)
}

/// An artifact by the first of these endpoints that the queue has: the first says where the content is, the second, which
/// is older, redirects there.
fn found(queue: &Service, [current, older]: [&str; 2], args: &[&dyn Display]) -> Artifact {
    let reference = queue.reference();
    let source = match (reference.find_endpoint(current), reference.find_endpoint(older)) {
        (Ok(endpoint), _) => Source::Artifact(Call::of(queue, endpoint, args)),
        (Err(_), Ok(endpoint)) => Source::Redirect(Call::of(queue, endpoint, args)),
        (Err(error), Err(_)) => {
            Source::Wrong { service: queue.clone(), problem: error.message().to_owned() }
        }
    };
    Artifact::new(source)
}
