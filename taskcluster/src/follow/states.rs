//! The stream of states: looking, hearing, and knowing when it is over.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use futures_util::future::{Either, select};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tracing::warn;

use super::known::{Known, Target, is_resolved};
use crate::call::blocking::BlockingIter;
use crate::client::timer::Stopwatch;
use crate::error::Result;
use crate::patience::{Patience, is_refused};
use crate::services::Queue;
use crate::services::queue::{TaskState, TaskStatus, TasksRequest};

/// How many tasks one call of `statuses` is about.
const IN_A_CALL: usize = 500;

/// Every how many looks a group is listed, to find new tasks.
const LOOKS_TO_LIST: u32 = 10;

/// The time between two looks, at first and the longest.
const PACE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// Statuses from messages.
pub(super) type Heard = Pin<Box<dyn Stream<Item = Result<TaskStatus>> + Send>>;

/// What to follow, and how.
pub(super) struct Plan {
    pub(super) queue: Queue,
    pub(super) target: Target,
    pub(super) pace: (Duration, Duration),
    pub(super) hearing: Option<Pin<Box<dyn Future<Output = Result<Heard>> + Send>>>,
}

impl Plan {
    pub(super) fn new(queue: Queue, target: Target) -> Self {
        Self { queue, target, pace: PACE, hearing: None }
    }
}

/// The states of a task or of the tasks of a group: a `Stream` of [`TaskStatus`] that ends when all are resolved. Created by
/// [`Follow::states`](super::Follow::states).
#[must_use = "nothing is sent until it is polled"]
pub struct States {
    stream: Pin<Box<dyn Stream<Item = Result<TaskStatus>> + Send>>,
    seen: Known,
}

impl States {
    pub(super) fn new(plan: Plan) -> Self {
        let stream = stream::try_unfold(Follower::new(plan), Follower::next);
        Self { stream: Box::pin(stream), seen: Known::default() }
    }

    /// Returns the latest status of each task that the stream has yielded so far, by task id.
    pub fn tasks(&self) -> impl Iterator<Item = &TaskStatus> {
        self.seen.all()
    }

    /// Returns the tasks that did not complete: those that failed or are exceptions, as of what the stream has yielded so far.
    pub fn failed_tasks(&self) -> impl Iterator<Item = &TaskStatus> {
        self.tasks().filter(|task| is_resolved(&task.state) && task.state != TaskState::Completed)
    }

    /// Waits for the end of the stream.
    ///
    /// # Errors
    ///
    /// Returns the error that the stream ends with.
    pub async fn resolved(&mut self) -> Result<()> {
        while self.try_next().await?.is_some() {}
        Ok(())
    }

    /// Iterates over the states, blocking the thread for each.
    ///
    /// ```no_run
    /// # fn f(queue: taskcluster::Queue, group: &str) -> Result<(), taskcluster::Error> {
    /// for status in queue.follow_group(group).states().blocking() {
    ///     println!("{}", status?.state);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn blocking(self) -> BlockingIter<Self> {
        BlockingIter::new(self)
    }
}

impl Stream for States {
    type Item = Result<TaskStatus>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.stream.as_mut().poll_next(context));
        if let Some(Ok(status)) = &next {
            self.seen.learn(status.clone());
        }
        Poll::Ready(next)
    }
}

/// Shows the ids of the tasks so far.
impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tasks().map(|task| &task.task_id)).finish()
    }
}

/// The state of a stream.
struct Follower {
    plan: Plan,
    heard: Option<Heard>,
    known: Known,
    /// What is still to be yielded.
    news: VecDeque<TaskStatus>,
    patience: Patience,
    /// Since the last look, and how long to wait for the next.
    looked: Option<(Stopwatch, Duration)>,
    looks_to_list: u32,
    is_over: bool,
}

impl Follower {
    fn new(plan: Plan) -> Self {
        Self {
            patience: Patience::new(plan.pace.0, plan.pace.1),
            plan,
            heard: None,
            known: Known::default(),
            news: VecDeque::new(),
            looked: None,
            looks_to_list: 0,
            is_over: false,
        }
    }

    async fn next(mut self) -> Result<Option<(TaskStatus, Self)>> {
        loop {
            if let Some(status) = self.news.pop_front() {
                return Ok(Some((status, self)));
            }
            if self.is_over {
                return Ok(None);
            }
            if let Some(hearing) = self.plan.hearing.take() {
                // Before the first look, so that nothing is missed in between.
                self.heard = Some(hearing.await?);
            }
            if !self.is_time_to_look().await {
                continue;
            }
            let open = match self.look().await {
                Ok(()) => self.known.open().len(),
                Err(error) if is_refused(&error) => return Err(error),
                Err(error) => {
                    warn!(%error, "cannot look at the tasks now; trying again");
                    0
                }
            };
            if !self.news.is_empty() {
                let (first, longest) = self.plan.pace;
                self.patience = Patience::new(first, longest);
            }
            let calls = u32::try_from(open / IN_A_CALL).unwrap_or(u32::MAX).saturating_add(1);
            let delay = self.patience.next().saturating_mul(calls);
            self.looked = Some((self.plan.queue.as_ref().client().timer().start(), delay));
        }
    }

    /// Waits until it is time, or until something is heard. Returns whether to look.
    async fn is_time_to_look(&mut self) -> bool {
        let Some((since, delay)) = &self.looked else { return true };
        let due = pin!(since.reach(*delay));
        let Some(heard) = &mut self.heard else {
            due.await;
            return true;
        };
        match select(due, heard.next()).await {
            Either::Left(_) => true,
            Either::Right((Some(Ok(status)), _)) => {
                self.news.extend(self.known.learn(status));
                // The last task of those that are known: now to those that are not.
                self.known.open().is_empty()
            }
            Either::Right((ended, _)) => {
                if let Some(Err(error)) = ended {
                    warn!(%error, "cannot hear of tasks any more; looking at them");
                }
                self.heard = None;
                self.patience = Patience::new(PACE.0, PACE.1);
                true
            }
        }
    }

    async fn look(&mut self) -> Result<()> {
        let queue = self.plan.queue.clone();
        let open = self.known.open();
        match &self.plan.target {
            Target::Task(task_id) => {
                let status = queue.status(task_id).await?.status;
                self.is_over = is_resolved(&status.state);
                self.news.extend(self.known.learn(status));
            }
            Target::Group(group) if self.looks_to_list == 0 || open.is_empty() => {
                let mut tasks = queue.list_task_group(group).items();
                while let Some(task) = tasks.try_next().await? {
                    self.news.extend(self.known.learn(task.status));
                }
                self.looks_to_list = LOOKS_TO_LIST;
                self.is_over = self.known.open().is_empty();
            }
            Target::Group(_) => {
                self.looks_to_list -= 1;
                for task_ids in open.chunks(IN_A_CALL) {
                    self.look_at(&queue, task_ids).await?;
                }
            }
        }
        Ok(())
    }

    async fn look_at(&mut self, queue: &Queue, task_ids: &[String]) -> Result<()> {
        let mut missing: BTreeSet<&String> = task_ids.iter().collect();
        let mut request = TasksRequest::new();
        request.task_ids = Some(task_ids.to_vec());
        let mut tasks = queue.statuses(&request).items();
        while let Some(task) = tasks.try_next().await? {
            missing.remove(&task.task_id);
            self.news.extend(self.known.learn(task.status));
        }
        for task_id in missing {
            warn!(%task_id, "the task does not exist any more");
            self.known.forget(task_id);
        }
        Ok(())
    }
}
