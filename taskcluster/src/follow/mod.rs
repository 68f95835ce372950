//! Following tasks and task groups until they are resolved, and doing something to each task of a group (feature `follow`).
//!
//! ```no_run
//! use futures::TryStreamExt as _;
//! use taskcluster::{Client, Queue};
//!
//! # async fn f(task_id: &str, group: &str) -> Result<(), taskcluster::Error> {
//! let queue = Queue::new(&Client::from_env()?);
//! let status = queue.wait_for(task_id).await?;
//! println!("the task is {}", status.state);
//!
//! let mut states = queue.follow_group(group).states();
//! while let Some(status) = states.try_next().await? {
//!     println!("{} is {}", status.task_id, status.state);
//! }
//! for status in states.failed_tasks() {
//!     println!("{} did not complete", status.task_id);
//! }
//! # Ok(()) }
//! ```
//!
//! # What you can rely on
//!
//! [`States`] yields each task as it is at first, then whenever its state changes or it gets another run, never back in time, and
//! ends when all tasks are resolved. A state that lasts for less than the time between two looks may be left out.
//!
//! It looks at what can still change: at a task by `status`, at a group by `statuses`, many tasks in a call, and by
//! `listTaskGroup` for new tasks: at first, at every tenth look, and before it ends. The time between two looks begins at 2
//! seconds, doubles up to a minute while nothing changes, and is longer for groups that take more than one call. Both can be
//! [set](Follow::look_every). With a Pulse listener, [`hearing`](Follow::hearing), it learns of changes at once and looks
//! rarely; the items are the same.
//!
//! This takes the scopes `queue:status:<taskId>` of each task and, for a group, `queue:list-task-group:<taskGroupId>`.
//!
//! If the deployment is away, it goes on trying. What ends it is a refusal: the task or group does not exist, or a scope is
//! missing.
//!
//! A group can get new tasks, and tasks can be rerun, after this has ended. To be sure that none is added, seal the group.
//!
//! Tasks that depend on one that failed are not resolved before their deadline, since somebody may rerun it. If nobody will,
//! cancel what is left, and the stream ends:
//!
//! ```no_run
//! use futures::TryStreamExt as _;
//! use taskcluster::queue::TaskState;
//!
//! # async fn f(queue: taskcluster::Queue, group: &str) -> Result<(), taskcluster::Error> {
//! let mut states = queue.follow_group(group).states();
//! while let Some(status) = states.try_next().await? {
//!     if status.state == TaskState::Failed {
//!         queue.cancel_tasks(group, 16).await?;
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! In an embedded deployment, it waits by the deployment's clock:
//! [`Deployment::advance`](crate::testing::Deployment::advance) makes it look at once.
//!
//! # All tasks of a group
//!
//! [`Queue::for_each_task`] calls a function with each task of a group, several at once; [`Queue::cancel_tasks`] and
//! [`Queue::rerun_failed_tasks`] are what it is most often used for.

mod each;
#[cfg(feature = "pulse")]
mod hear;
mod known;
mod states;

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

pub use self::each::Each;
pub use self::states::States;

use self::known::Target;
use self::states::Plan;
use crate::error::{Error, Result};
#[cfg(feature = "pulse")]
use crate::pulse::Listener;
use crate::runtime::block_on;
use crate::services::Queue;
use crate::services::queue::TaskStatus;

impl Queue {
    /// Waits until a task is resolved: completed, failed, or an exception without another run. Await it, or follow its
    /// [`states`](Follow::states). See [`follow`](crate::follow).
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue, task_id: &str) -> Result<(), taskcluster::Error> {
    /// use taskcluster::queue::TaskState;
    ///
    /// let status = queue.wait_for(task_id).await?;
    /// println!("{}", status.state == TaskState::Completed);
    /// # Ok(()) }
    /// ```
    pub fn wait_for(&self, task_id: impl fmt::Display) -> Follow<TaskStatus> {
        Follow::new(self, Target::Task(task_id.to_string()))
    }

    /// Follows the tasks of a group until all are resolved. Await it, or follow their [`states`](Follow::states). See
    /// [`follow`](crate::follow).
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue, group: &str) -> Result<(), taskcluster::Error> {
    /// let states = queue.follow_group(group).await?;
    /// println!("{} of {} tasks did not complete", states.failed_tasks().count(), states.tasks().count());
    /// # Ok(()) }
    /// ```
    pub fn follow_group(&self, task_group_id: impl fmt::Display) -> Follow<States> {
        Follow::new(self, Target::Group(task_group_id.to_string()))
    }
}

/// A task or a group to follow; created by [`Queue::wait_for`] and [`Queue::follow_group`]. `T` is what awaiting it returns.
#[must_use = "nothing is sent until it is awaited"]
pub struct Follow<T> {
    plan: Plan,
    returned: PhantomData<fn() -> T>,
}

impl<T> Follow<T> {
    fn new(queue: &Queue, target: Target) -> Self {
        Self { plan: Plan::new(queue.clone(), target), returned: PhantomData }
    }

    /// Sets the time between two looks: at first, and the longest, to which it doubles while nothing changes. By default, these
    /// are 2 seconds and a minute.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue, task_id: &str) -> Result<(), taskcluster::Error> {
    /// use std::time::Duration;
    ///
    /// let (first, longest) = (Duration::from_secs(10), Duration::from_secs(600));
    /// let status = queue.wait_for(task_id).look_every(first, longest).await?;
    /// # Ok(()) }
    /// ```
    pub fn look_every(mut self, first: Duration, longest: Duration) -> Self {
        self.plan.pace = (first, longest.max(first));
        self
    }

    /// Hears of changes by this listener, which must have no bindings and no queue of its own. In case messages get lost, it looks
    /// by itself, after a minute at first and after 10 minutes in the end, or as [`look_every`](Self::look_every) sets after
    /// this. If the listener ends with an error, it looks as it does without one. In a test, take the listener of the embedded
    /// deployment, [`Deployment::listener`](crate::testing::Deployment::listener).
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue, group: &str) -> Result<(), taskcluster::Error> {
    /// use taskcluster::pulse::{Listener, PulseCredentials};
    ///
    /// let listener = Listener::connect(PulseCredentials::from_env()?);
    /// let states = queue.follow_group(group).hearing(listener).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The first item of the stream is an error if the listener cannot [listen](Listener::listen).
    #[cfg(feature = "pulse")]
    pub fn hearing(mut self, listener: Listener) -> Self {
        self.plan.hearing = Some(Box::pin(hear::hear(listener, self.plan.target.clone())));
        self.plan.pace = (Duration::from_secs(60), Duration::from_secs(600));
        self
    }

    /// Returns a stream of the states.
    ///
    /// # Errors
    ///
    /// The stream ends with an error if the queue refuses to tell: the task or the group does not exist, or a scope is missing.
    pub fn states(self) -> States {
        States::new(self.plan)
    }
}

impl Follow<TaskStatus> {
    async fn run(self) -> Result<TaskStatus> {
        let mut states = self.states();
        states.resolved().await?;
        let status = states.tasks().next().cloned();
        status.ok_or_else(|| Error::answer("the queue did not say what has become of the task"))
    }

    /// Waits, blocking.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`states`](Self::states), and an error inside an async runtime.
    pub fn send_blocking(self) -> Result<TaskStatus> {
        block_on(self.run())?
    }
}

impl Follow<States> {
    async fn run(self) -> Result<States> {
        let mut states = self.states();
        states.resolved().await?;
        Ok(states)
    }

    /// Follows the group to its end, blocking.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`states`](Self::states), and an error inside an async runtime.
    pub fn send_blocking(self) -> Result<States> {
        block_on(self.run())?
    }
}

impl IntoFuture for Follow<TaskStatus> {
    type Output = Result<TaskStatus>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl IntoFuture for Follow<States> {
    type Output = Result<States>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Shows the task or the group.
impl<T> fmt::Debug for Follow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Follow").field(&self.plan.target).finish()
    }
}
