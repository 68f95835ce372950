//! The life of one task, from its claim to its report.

use std::error::Error as StdError;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::lease::Lease;
use super::log::Log;
use super::outcome::{Outcome, Reason, TaskError};
use super::report::report;
use super::task::{ClaimedTask, ConfigureUpload};
use crate::artifacts::{self, Upload};
use crate::client::Client;
use crate::error::Result;
use crate::patience::{Patience, is_refusal};
use crate::services::Queue;
use crate::services::queue::ClaimWorkTask;

const BACKING_LOG: &str = "public/logs/live_backing.log";
const LIVE_LOG: &str = "public/logs/live.log";
const LOG_TYPE: &str = "text/plain; charset=utf-8";

/// How long the upload of a log is tried again before the task is reported without it.
const LOG_PATIENCE: Duration = Duration::from_secs(10 * 60);

/// The future of a task.
pub(super) type Work = Pin<Box<dyn Future<Output = Result<Outcome, TaskError>> + Send>>;

/// The outcome of a task whose future returned an error.
pub(super) type OnError = dyn Fn(&(dyn StdError + Send + Sync + 'static)) -> Outcome + Send + Sync;

/// How far the end of a worker has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Working,
    /// It takes no more tasks.
    Draining,
    /// It waits for none of its tasks any more.
    Stopping,
}

/// How a worker carries out its tasks.
pub(super) struct Trade {
    pub(super) client: Client,
    pub(super) run: Box<dyn Fn(ClaimedTask) -> Work + Send + Sync>,
    pub(super) on_error: Box<OnError>,
    pub(super) configure_upload: ConfigureUpload,
    pub(super) log_limit: u64,
}

/// Carries out a claimed task. Returns its outcome, or `None` if it was lost.
pub(super) async fn live(
    trade: Arc<Trade>,
    claim: ClaimWorkTask,
    stage: watch::Receiver<Stage>,
) -> Option<Outcome> {
    let task_id = claim.status.task_id.clone();
    let Ok(run_id) = u32::try_from(claim.run_id) else {
        error!(%task_id, run_id = claim.run_id, "the queue gave a task with a run that cannot be");
        return None;
    };
    info!(%task_id, run_id, "claimed a task");
    let lease = Arc::new(Lease::new(&trade.client, &claim, run_id));
    let queue = Queue::new(&trade.client);
    let outcome = if *stage.borrow() == Stage::Working {
        carry_out(trade, &lease, &queue, claim, stage).await
    } else {
        let outcome = Outcome::Exception(Reason::WorkerShutdown);
        report(&lease, &queue, outcome).await.then_some(outcome)
    };
    lease.end();
    match outcome {
        Some(outcome) => info!(%task_id, run_id, ?outcome, "the task has ended"),
        None => info!(%task_id, run_id, "the task was lost"),
    }
    outcome
}

async fn carry_out(
    trade: Arc<Trade>,
    lease: &Arc<Lease>,
    queue: &Queue,
    claim: ClaimWorkTask,
    stage: watch::Receiver<Stage>,
) -> Option<Outcome> {
    let (wanting, wanted) = watch::channel(());
    let log = Log::new(trade.log_limit);
    let configure = trade.configure_upload.clone();
    let task = ClaimedTask::new(lease.clone(), claim.task, log.clone(), configure, wanted);
    let mut work = Running::start(trade, task.clone(), wanting);
    let ending = async {
        let stopping =
            async { stage.clone().wait_for(|stage| *stage == Stage::Stopping).await.is_ok() };
        let outcome = match select(&mut work.future, pin!(stopping)).await {
            Either::Left((Ok(outcome), _)) => outcome,
            Either::Left((Err(error), _)) => {
                error!(task_id = %lease.task_id, run_id = lease.run_id, %error, "the code for the task panicked");
                Outcome::Exception(Reason::InternalError)
            }
            Either::Right(_) => {
                work.stop().await;
                Outcome::Exception(Reason::WorkerShutdown)
            }
        };
        if outcome != Outcome::Exception(Reason::WorkerShutdown) {
            upload_log(lease, &task, &log, &stage).await;
            return report(lease, queue, outcome).await.then_some(outcome);
        }
        // Another worker may begin at once; the queue takes artifacts after an exception, too.
        let told = report(lease, queue, outcome).await;
        if told {
            upload_log(lease, &task, &log, &stage).await;
        }
        told.then_some(outcome)
    };
    let outcome = match select(pin!(ending), pin!(lease.keep())).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => None,
    };
    // Nothing more is sent for a lost task, even by what its future left behind.
    lease.end();
    work.stop().await;
    outcome
}

/// The future of a task, in a tokio task of its own, which ends when this is dropped.
struct Running {
    future: JoinHandle<Outcome>,
    /// Dropped to tell the task that nobody wants its outcome.
    wanting: Option<watch::Sender<()>>,
}

impl Running {
    fn start(trade: Arc<Trade>, task: ClaimedTask, wanting: watch::Sender<()>) -> Self {
        let future = tokio::spawn(async move {
            match (trade.run)(task.clone()).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    warn!(task_id = task.task_id(), run_id = task.run_id(), %error, "the task returned an error");
                    // The task does not fail for its log.
                    let _ = task.log(format!("{error}\n")).await;
                    (trade.on_error)(&*error)
                }
            }
        });
        Self { future, wanting: Some(wanting) }
    }

    /// Drops the future, if it still runs.
    async fn stop(&mut self) {
        self.wanting = None;
        if !self.future.is_finished() {
            self.future.abort();
            // However it ends.
            let _ = (&mut self.future).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.future.abort();
    }
}

/// Uploads the log of a task, if there is one. A task is not lost for its log.
async fn upload_log(lease: &Lease, task: &ClaimedTask, log: &Log, stage: &watch::Receiver<Stage>) {
    let (task_id, run_id) = (task.task_id(), task.run_id());
    let upload = match log.close(task.upload(BACKING_LOG).content_type(LOG_TYPE)).await {
        Ok(Some(upload)) => upload,
        Ok(None) => return,
        Err(error) => return warn!(%task_id, run_id, %error, "the log of the task is lost"),
    };
    let timer = task.client().timer();
    let (begun, mut patience) = (timer.start(), Patience::default());
    while let Err(error) = send_log(task, &upload).await {
        let is_late = begun.elapsed() > LOG_PATIENCE || *stage.borrow() == Stage::Stopping;
        if is_refusal(&error) || lease.is_over() || is_late {
            return warn!(%task_id, run_id, %error, "the log of the task could not be uploaded");
        }
        patience.wait(timer).await;
    }
}

async fn send_log(task: &ClaimedTask, upload: &Upload) -> Result<()> {
    upload.clone().await?;
    let queue = Queue::new(task.client());
    let link = artifacts::link(&queue, task.task_id(), task.run_id(), LIVE_LOG, BACKING_LOG);
    let link = match task.definition().expires {
        Some(expires) => link.expires(expires),
        None => link,
    };
    link.content_type(LOG_TYPE).await
}
