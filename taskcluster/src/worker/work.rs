//! The loop that claims tasks.

use std::convert::Infallible;
use std::fmt;
use std::future::{IntoFuture, pending};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tracing::{error, warn};

use super::life::{Stage, Trade, live};
use super::outcome::Outcome;
use crate::client::retry::Retry;
use crate::error::Result;
use crate::patience::{Patience, is_refused};
use crate::services::Queue;
use crate::services::queue::{ClaimWorkRequest, ClaimWorkTask};

/// How long the queue waits for a task before it answers with none.
const LONG_POLL: Duration = Duration::from_secs(20);

/// The least time from one call that brings no task to the next.
const PAUSE: Duration = Duration::from_secs(5);

/// How many tasks the queue gives at most in one response.
const MOST: usize = 32;

/// How many times in a row the queue has to refuse before the worker ends: a refusal may be a mistake that is mended.
const REFUSALS: u32 = 3;

/// When a worker that shuts down stops waiting for its tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shutdown {
    /// Never: it ends when its last task has ended.
    #[default]
    Wait,
    /// After this time. It then drops the futures of its tasks, and reports `worker-shutdown` for them, so that another worker
    /// can take them at once. It still waits for these reports, for as long as a claim lasts if the deployment is away.
    Within(Duration),
}

/// How many runs a worker has carried out, by their outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Runs that were reported as completed.
    pub completed: u64,
    /// Runs that were reported as failed.
    pub failed: u64,
    /// Runs that were reported as exceptions.
    pub exceptions: u64,
    /// Runs whose outcome the queue did not want: they were cancelled, or their deadlines or claims had passed.
    pub lost: u64,
}

/// Where a worker works.
pub(super) struct Post {
    pub(super) task_queue_id: String,
    pub(super) worker_group: String,
    pub(super) worker_id: String,
    pub(super) capacity: usize,
    pub(super) shutdown: Shutdown,
}

/// A worker that is about to work; created by [`Worker::run`](super::Worker::run). Await it.
///
/// Dropping the future drops the futures of all tasks, without a report: their claims expire after up to 20 minutes, and the
/// queue then starts other runs.
#[must_use = "nothing is claimed until it is awaited"]
pub struct Run {
    post: Post,
    trade: Trade,
    signal: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Run {
    pub(super) fn new(post: Post, trade: Trade) -> Self {
        Self { post, trade, signal: Box::pin(pending()) }
    }

    /// Shuts the worker down when this future is ready, whatever its output.
    ///
    /// The worker claims no more tasks, and ends when its tasks have ended or the time of its [`Shutdown`] is up. It waits for
    /// the response to a call of `claimWork` that is under way, for up to 20 seconds, and reports `worker-shutdown` for tasks
    /// that still come with it.
    ///
    /// ```no_run
    /// # async fn f(worker: taskcluster::worker::Worker) -> Result<(), taskcluster::Error> {
    /// use taskcluster::worker::{ClaimedTask, Outcome};
    ///
    /// # async fn shutdown_signal() {}
    /// let run = worker.run(|task: ClaimedTask| async move { Ok(Outcome::Completed) });
    /// run.shutdown_on(shutdown_signal()).await?; // such as tokio::signal::ctrl_c()
    /// # Ok(()) }
    /// ```
    pub fn shutdown_on(mut self, signal: impl Future + Send + 'static) -> Self {
        self.signal = Box::pin(async move {
            signal.await;
        });
        self
    }

    async fn work(self) -> Result<Tally> {
        let Self { post, trade, signal } = self;
        let timer = trade.client.timer().clone();
        let stage = watch::Sender::new(Stage::Working);
        let watching = async {
            select(signal, pin!(ending(&stage))).await;
            stage.send_replace(Stage::Draining);
            if let Shutdown::Within(time) = post.shutdown {
                timer.start().reach(time).await;
                stage.send_replace(Stage::Stopping);
            }
            pending::<Infallible>().await
        };
        match select(pin!(work(&post, Arc::new(trade), &stage)), pin!(watching)).await {
            Either::Left((result, _)) => result,
            Either::Right((never, _)) => match never {},
        }
    }
}

/// Waits until the worker takes no more tasks.
async fn ending(stage: &watch::Sender<Stage>) {
    // The sender is there.
    let _ = stage.subscribe().wait_for(|stage| *stage != Stage::Working).await.is_ok();
}

/// Claims and carries out tasks until the worker ends, then waits for those that are left.
async fn work(post: &Post, trade: Arc<Trade>, stage: &watch::Sender<Stage>) -> Result<Tally> {
    let timer = trade.client.timer().clone();
    let queue = Queue::new(&trade.client);
    let mut lives = JoinSet::new();
    let mut tally = Tally::default();
    let mut failure = None;
    let (mut patience, mut refusals) = (Patience::default(), 0);
    let mut next = (timer.start(), Duration::ZERO);
    while *stage.borrow() == Stage::Working {
        while let Some(ended) = lives.try_join_next() {
            tally.add(ended);
        }
        let free = post.capacity.saturating_sub(lives.len());
        if free == 0 {
            if let Either::Left((Some(ended), _)) =
                select(pin!(lives.join_next()), pin!(ending(stage))).await
            {
                tally.add(ended);
            }
            continue;
        }
        let (since, pause) = &next;
        if let Either::Right(_) = select(pin!(since.reach(*pause)), pin!(ending(stage))).await {
            break;
        }
        let asked = timer.start();
        // Not interrupted: with the response, the tasks in it would be lost until their claims expire.
        match claim(post, &trade, &queue, free).await {
            Ok(tasks) => {
                (patience, refusals) = (Patience::default(), 0);
                next = (asked, if tasks.is_empty() { PAUSE } else { Duration::ZERO });
                for task in tasks {
                    lives.spawn(live(trade.clone(), task, stage.subscribe()));
                }
            }
            Err(error) if is_refused(&error) && refusals + 1 == REFUSALS => {
                error!(%error, "the queue refuses to give this worker tasks; it ends");
                failure = Some(error);
                stage.send_replace(Stage::Draining);
            }
            Err(error) => {
                warn!(%error, "no tasks could be claimed; trying again");
                refusals = if is_refused(&error) { refusals + 1 } else { 0 };
                next = (timer.start(), patience.next());
            }
        }
    }
    while let Some(ended) = lives.join_next().await {
        tally.add(ended);
    }
    failure.map_or(Ok(tally), Err)
}

async fn claim(
    post: &Post,
    trade: &Trade,
    queue: &Queue,
    free: usize,
) -> Result<Vec<ClaimWorkTask>> {
    let tasks = i64::try_from(free.min(MOST)).unwrap_or(1);
    let request = ClaimWorkRequest::new(&*post.worker_group, &*post.worker_id, tasks);
    let timeout = trade.client.settings().timeout.saturating_add(LONG_POLL);
    let call = queue.claim_work(&post.task_queue_id, &request).timeout(timeout);
    // Attempts are counted and spaced by the loop.
    Ok(call.retry(Retry::never()).await?.tasks)
}

impl Tally {
    fn add(&mut self, ended: Result<Option<Outcome>, JoinError>) {
        let count = match ended {
            Ok(Some(Outcome::Completed)) => &mut self.completed,
            Ok(Some(Outcome::Failed)) => &mut self.failed,
            Ok(Some(Outcome::Exception(_))) => &mut self.exceptions,
            Ok(None) => &mut self.lost,
            Err(error) => {
                error!(%error, "a task was lost");
                &mut self.lost
            }
        };
        *count += 1;
    }
}

impl IntoFuture for Run {
    type Output = Result<Tally>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.work())
    }
}

/// Shows where the worker works.
impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.post.fmt(f)
    }
}

/// Shows the task queue and the worker.
impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("task_queue_id", &self.task_queue_id)
            .field("worker_group", &self.worker_group)
            .field("worker_id", &self.worker_id)
            .finish_non_exhaustive()
    }
}
