//! A worker: claims tasks, carries them out by a function of yours, and reports them (feature `worker`).
//!
//! ```no_run
//! use std::collections::HashMap;
//! use taskcluster::Client;
//! use taskcluster::worker::{ClaimedTask, Outcome, Worker};
//!
//! # async fn build(payload: HashMap<String, String>) -> &'static str { "out.bin" }
//! # async fn shutdown_signal() {}
//! # async fn f() -> Result<(), taskcluster::Error> {
//! let client = Client::from_env()?;
//! let work = Worker::new(&client, "proj/queue", "group", "id").capacity(4).run(|task: ClaimedTask| async move {
//!     task.log("hello\n").await?;
//!     let out = build(task.payload::<HashMap<String, String>>()?).await;
//!     task.upload("public/out.bin").file(out).await?;
//!     Ok(Outcome::Completed)
//! });
//! let tally = work.shutdown_on(shutdown_signal()).await?; // such as tokio::signal::ctrl_c()
//! println!("{} tasks completed", tally.completed);
//! # Ok(()) }
//! ```
//!
//! The client needs the scopes `queue:claim-work:<taskQueueId>` and `queue:worker-id:<workerGroup>/<workerId>`, and, to know its
//! own reports again, `queue:status:<taskId>`, which deployments usually grant to everybody. Everything else about a task is called
//! with the credentials that come with its claim.
//!
//! # What you can rely on
//!
//! **Each run is reported once.** If the connection breaks before the queue has answered a report, it is repeated; if the queue
//! then says that the run is resolved, the worker asks how, and knows its own report again. What the function returns after
//! that changes nothing.
//!
//! **Claims are renewed** 3 minutes before they end, with the claim's own credentials. The new ones are used at once by all calls
//! of the task, uploads under way included. The time is measured from the claim, by the queue's dates: it does not matter if
//! this machine's clock is wrong, is set, or stands still while the machine sleeps.
//!
//! **A lost task stops.** If the queue refuses to renew a claim, because the task was cancelled or its deadline has passed, or if
//! a claim ends because the deployment cannot be reached, then the future of the task is dropped, and nothing more is sent for
//! it. See [`ClaimedTask::cancelled`].
//!
//! **A deployment may be away.** The worker goes on trying, after 5 seconds at first and after a minute in the end: to claim
//! tasks, to renew claims, to upload logs (for 10 minutes), to report. A run that could not be renewed in time is not lost
//! either: its claim expires, and the queue starts another run, as long as the task has retries left. The same happens if the
//! response to a call of `claimWork` is lost, so that the worker never hears of its tasks.
//!
//! **It is polite.** The queue holds a call of `claimWork` for 20 seconds if there is no task. If it answers sooner than that,
//! as a faulty one may, the worker waits until 5 seconds have passed since the call. What
//! ends it is a refusal by the queue, three times in a row, such as a missing scope: it then waits for its tasks and returns the
//! error.
//!
//! **A panic is an exception**, `internal-error`, and not the end of the worker. An error is an outcome by a rule that you can
//! [set](Worker::on_error).
//!
//! # Testing a worker
//!
//! In an embedded deployment, a worker waits by the deployment's clock:
//! [`Deployment::advance`](crate::testing::Deployment::advance) makes it renew claims, and try again, at once. See the [example
//! of a test](crate::testing#a-worker).

mod lease;
mod life;
mod log;
mod outcome;
mod report;
mod task;
mod work;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

pub use self::outcome::{MalformedPayload, Outcome, Reason, TaskError, TimeUp};
pub use self::task::ClaimedTask;
pub use self::work::{Run, Shutdown, Tally};

use self::life::{OnError, Trade};
use self::task::ConfigureUpload;
use self::work::Post;
use crate::artifacts::UploadBuilder;
use crate::client::Client;

/// The most bytes of a task's log, unless set.
const LOG_LIMIT: u64 = 100 * 1024 * 1024;

/// A worker of a task queue. See the module's page for what you can [rely on](crate::worker#what-you-can-rely-on).
#[must_use = "a worker does nothing until `run` is awaited"]
pub struct Worker {
    client: Client,
    post: Post,
    on_error: Box<OnError>,
    configure_upload: ConfigureUpload,
    log_limit: u64,
}

impl Worker {
    /// Creates a worker that carries out one task at a time. No two workers of a task queue may have the same group and id.
    pub fn new(
        client: &Client,
        task_queue_id: impl Into<String>,
        worker_group: impl Into<String>,
        worker_id: impl Into<String>,
    ) -> Self {
        let post = Post {
            task_queue_id: task_queue_id.into(),
            worker_group: worker_group.into(),
            worker_id: worker_id.into(),
            capacity: 1,
            shutdown: Shutdown::default(),
        };
        Self {
            client: client.clone(),
            post,
            on_error: Box::new(Outcome::of_error),
            configure_upload: Arc::new(|upload| upload),
            log_limit: LOG_LIMIT,
        }
    }

    /// Sets how many tasks the worker carries out at once. 0 is treated as 1.
    pub fn capacity(mut self, tasks: usize) -> Self {
        self.post.capacity = tasks.max(1);
        self
    }

    /// Sets how long the worker waits for its tasks when it [shuts down](Run::shutdown_on); by default, until they have ended.
    ///
    /// ```no_run
    /// # fn f(worker: taskcluster::worker::Worker) {
    /// use std::time::Duration;
    /// use taskcluster::worker::Shutdown;
    ///
    /// // A cloud gives two minutes' notice.
    /// let worker = worker.on_shutdown(Shutdown::Within(Duration::from_secs(60)));
    /// # }
    /// ```
    pub fn on_shutdown(mut self, shutdown: Shutdown) -> Self {
        self.post.shutdown = shutdown;
        self
    }

    /// Sets the rule for tasks whose function returns an error; by default, [`Outcome::of_error`]. In any case, the text of the
    /// error is added to the log of the task, which everybody can read.
    ///
    /// ```no_run
    /// # fn f(worker: taskcluster::worker::Worker) {
    /// use taskcluster::worker::{Outcome, Reason};
    ///
    /// // A call that failed even after all retries is no fault of the task.
    /// let worker = worker.on_error(|error| match error.downcast_ref::<taskcluster::Error>() {
    ///     Some(error) if error.is_transport() => Outcome::Exception(Reason::IntermittentTask),
    ///     _ => Outcome::of_error(error),
    /// });
    /// # }
    /// ```
    pub fn on_error(
        mut self,
        rule: impl Fn(&(dyn StdError + Send + Sync + 'static)) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        self.on_error = Box::new(rule);
        self
    }

    /// Sets options of each upload: of those by [`ClaimedTask::upload`], and of logs.
    ///
    /// ```no_run
    /// # fn f(worker: taskcluster::worker::Worker) {
    /// // For a deployment without an object service.
    /// let worker = worker.uploads(|upload| upload.s3());
    /// # }
    /// ```
    pub fn uploads(
        mut self,
        configure: impl Fn(UploadBuilder) -> UploadBuilder + Send + Sync + 'static,
    ) -> Self {
        self.configure_upload = Arc::new(configure);
        self
    }

    /// Limits the log of a task, in bytes; 100 MiB by default. The end of a log that was cut off says so.
    pub fn log_limit(mut self, bytes: u64) -> Self {
        self.log_limit = bytes;
        self
    }

    /// Carries out tasks by this function. Await the result, inside a tokio runtime.
    ///
    /// The function is called with each task that was claimed. The future that it returns runs in a tokio task of its own. Its
    /// error can be of any type.
    ///
    /// # Errors
    ///
    /// The future returns an error if the queue refuses to give tasks to this worker, once the tasks that it has have ended. It
    /// never returns otherwise, unless it [shuts down](Run::shutdown_on).
    pub fn run<F, R>(self, run: F) -> Run
    where
        F: Fn(ClaimedTask) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Outcome, TaskError>> + Send + 'static,
    {
        let Self { client, post, on_error, configure_upload, log_limit } = self;
        let run = Box::new(move |task| Box::pin(run(task)) as life::Work);
        Run::new(post, Trade { client, run, on_error, configure_upload, log_limit })
    }
}

/// Shows the task queue and the worker.
impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.post.fmt(f)
    }
}
