//! How a task ends.

use std::error::Error as StdError;
use std::fmt;

use crate::error::Error;
use crate::services::queue::TaskExceptionReason;

/// How the run of a task ended, as a worker reports it to the queue.
///
/// ```
/// use taskcluster::worker::{Outcome, Reason};
///
/// fn outcome(exit_code: Option<i32>) -> Outcome {
///     match exit_code {
///         Some(0) => Outcome::Completed,
///         Some(_) => Outcome::Failed,
///         None => Outcome::Exception(Reason::IntermittentTask),
///     }
/// }
/// assert_eq!(outcome(Some(1)), Outcome::Failed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The task did what it should. Tasks that depend on it may start.
    Completed,
    /// The task ran, and what it ran failed.
    Failed,
    /// The task could not be carried out properly.
    Exception(Reason),
}

/// Why a task could not be carried out properly.
///
/// After `WorkerShutdown` and `IntermittentTask`, the queue starts another run if the task has retries left. The others resolve
/// the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The worker shuts down. Another one should carry out the task.
    WorkerShutdown,
    /// The payload of the task is not what this worker takes.
    MalformedPayload,
    /// Something that the task needs does not exist or cannot be reached, and a retry would not help.
    ResourceUnavailable,
    /// Something went wrong in the worker.
    InternalError,
    /// The task asked to be run again.
    IntermittentTask,
}

impl From<Reason> for TaskExceptionReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::WorkerShutdown => Self::WorkerShutdown,
            Reason::MalformedPayload => Self::MalformedPayload,
            Reason::ResourceUnavailable => Self::ResourceUnavailable,
            Reason::InternalError => Self::InternalError,
            Reason::IntermittentTask => Self::IntermittentTask,
        }
    }
}

/// Any error of the function that carries out tasks. Every error type converts to it by `?`, and so does text.
pub type TaskError = Box<dyn StdError + Send + Sync>;

impl Outcome {
    /// The outcome of a task whose function returned this error, unless the worker has
    /// [another rule](super::Worker::on_error): [`MalformedPayload`] is an exception with this reason, and any other error means
    /// that the task failed.
    ///
    /// ```
    /// use taskcluster::worker::{Outcome, TimeUp};
    ///
    /// assert_eq!(Outcome::of_error(&TimeUp), Outcome::Failed);
    /// ```
    #[must_use]
    pub fn of_error(error: &(dyn StdError + Send + Sync + 'static)) -> Self {
        match error.is::<MalformedPayload>() {
            true => Self::Exception(Reason::MalformedPayload),
            false => Self::Failed,
        }
    }
}

/// The payload of a task does not have the form that [`ClaimedTask::payload`](super::ClaimedTask::payload) was asked for.
#[derive(Debug)]
pub struct MalformedPayload(pub(super) Error);

impl fmt::Display for MalformedPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the payload of the task is malformed: {}", self.0)
    }
}

impl StdError for MalformedPayload {}

/// The time of [`ClaimedTask::within`](super::ClaimedTask::within) is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeUp;

impl fmt::Display for TimeUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task took longer than it may")
    }
}

impl StdError for TimeUp {}
