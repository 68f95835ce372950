//! A claimed task, as the function that carries it out sees it.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use serde_core::de::DeserializeOwned;
use tokio::sync::watch;

use super::lease::Lease;
use super::log::Log;
use super::outcome::{MalformedPayload, TimeUp};
use crate::artifacts::{self, UploadBuilder};
use crate::client::Client;
use crate::error::Result;
use crate::services::Queue;
use crate::services::queue::{Task, TaskStatus};

/// What the worker does to each upload.
pub(super) type ConfigureUpload = Arc<dyn Fn(UploadBuilder) -> UploadBuilder + Send + Sync>;

/// A run of a task that this worker has claimed.
///
/// Clones are handles to the same run. Once it is reported or lost, its client makes no more calls, and its log takes no more
/// text.
#[derive(Clone)]
pub struct ClaimedTask(Arc<Inner>);

struct Inner {
    lease: Arc<Lease>,
    definition: Task,
    client: Client,
    log: Log,
    configure_upload: ConfigureUpload,
    /// Closes when nobody waits for the outcome any more.
    wanted: watch::Receiver<()>,
}

impl ClaimedTask {
    pub(super) fn new(
        lease: Arc<Lease>,
        definition: Task,
        log: Log,
        configure_upload: ConfigureUpload,
        wanted: watch::Receiver<()>,
    ) -> Self {
        let mut scopes = definition.scopes.clone();
        scopes.push(format!("queue:create-artifact:{}/{}", lease.task_id, lease.run_id));
        let client = lease.client(scopes);
        Self(Arc::new(Inner { lease, definition, client, log, configure_upload, wanted }))
    }

    /// Returns the id of the task.
    #[must_use]
    pub fn task_id(&self) -> &str {
        &self.0.lease.task_id
    }

    /// Returns the id of the run.
    #[must_use]
    pub fn run_id(&self) -> u32 {
        self.0.lease.run_id
    }

    /// Returns the definition of the task.
    #[must_use]
    pub fn definition(&self) -> &Task {
        &self.0.definition
    }

    /// Decodes the payload of the task.
    ///
    /// ```no_run
    /// # fn f(task: taskcluster::worker::ClaimedTask) -> Result<(), taskcluster::worker::TaskError> {
    /// let payload = task.payload::<std::collections::HashMap<String, Vec<String>>>()?;
    /// println!("{:?}", payload["command"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the payload does not have the form of this type. A function that returns it reports the task as an
    /// exception, `malformed-payload`.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, MalformedPayload> {
        self.0.definition.payload.decode().map_err(MalformedPayload)
    }

    /// Returns the status of the task, as of the claim or its last renewal.
    #[must_use]
    pub fn status(&self) -> Arc<TaskStatus> {
        self.0.lease.status()
    }

    /// Returns a client with the task's own credentials. It is limited to the scopes of the task, and may create artifacts of
    /// this run. When the claim is renewed, it uses the new credentials at once.
    ///
    /// ```no_run
    /// # async fn f(task: taskcluster::worker::ClaimedTask) -> Result<(), taskcluster::Error> {
    /// use taskcluster::Secrets;
    ///
    /// let secret = Secrets::new(task.client()).get("project/builds/key").await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Adds text to the log of the task.
    ///
    /// At the end of the task, the log is uploaded as `public/logs/live_backing.log`, and `public/logs/live.log` becomes a link
    /// to it. Until then, up to 64 KiB are kept in memory, and what is longer in a temporary file. A task that logs nothing gets
    /// no log.
    ///
    /// ```no_run
    /// # async fn f(task: taskcluster::worker::ClaimedTask) -> Result<(), taskcluster::Error> {
    /// task.log("building\n").await?;
    /// task.log([0x68, 0x69, 0x0a]).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written, or if the task has ended.
    pub async fn log(&self, text: impl AsRef<[u8]>) -> Result<()> {
        self.0.log.write(text.as_ref()).await
    }

    /// Uploads an artifact of this run. It expires with the task unless you set another time.
    ///
    /// ```no_run
    /// # async fn f(task: taskcluster::worker::ClaimedTask) -> Result<(), taskcluster::Error> {
    /// task.upload("public/report.json").content_type("application/json").bytes("{}").await?;
    /// # Ok(()) }
    /// ```
    pub fn upload(&self, name: impl fmt::Display) -> UploadBuilder {
        let queue = Queue::new(&self.0.client);
        let upload = artifacts::upload(&queue, self.task_id(), self.run_id(), name);
        let upload = match self.0.definition.expires {
            Some(expires) => upload.expires(expires),
            None => upload,
        };
        (self.0.configure_upload)(upload)
    }

    /// Waits until nobody wants the outcome any more: the task was cancelled, its deadline has passed, its claim could not be
    /// renewed, or the worker shuts down. Also when it has ended.
    ///
    /// The future of the task is dropped then, so it needs this only for what does not end with the future, such as other tokio
    /// tasks and processes.
    ///
    /// ```no_run
    /// # async fn f(task: taskcluster::worker::ClaimedTask, mut process: std::process::Child) {
    /// tokio::spawn(async move {
    ///     task.cancelled().await;
    ///     let _ = process.kill();
    /// });
    /// # }
    /// ```
    pub async fn cancelled(&self) {
        let mut wanted = self.0.wanted.clone();
        // Nothing is ever sent.
        while wanted.changed().await.is_ok() {}
    }

    /// Whether nobody wants the outcome any more; see [`cancelled`](Self::cancelled).
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.wanted.has_changed().is_err()
    }

    /// Returns how long it is until the deadline of the task, by the queue's clock. The queue resolves the task then.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.0.lease.until(self.0.definition.deadline)
    }

    /// Awaits a future, but no longer than this, counted from the claim, and not beyond the deadline of the task.
    ///
    /// ```no_run
    /// # async fn build() {}
    /// # async fn f(task: taskcluster::worker::ClaimedTask) -> Result<(), taskcluster::worker::TaskError> {
    /// let max_run_time = std::time::Duration::from_secs(3600);
    /// task.within(max_run_time, build()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the time is up. The future is dropped.
    pub async fn within<F: Future>(&self, limit: Duration, future: F) -> Result<F::Output, TimeUp> {
        let claimed = &self.0.lease.claimed;
        let limit = limit.min(claimed.steady().saturating_add(self.time_left()));
        match select(pin!(future), pin!(claimed.reach_steadily(limit))).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(_) => Err(TimeUp),
        }
    }
}

/// Shows task and run.
impl fmt::Debug for ClaimedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimedTask")
            .field("task_id", &self.task_id())
            .field("run_id", &self.run_id())
            .finish_non_exhaustive()
    }
}
