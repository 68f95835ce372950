//! Doing something to each task of a group.

use std::fmt;
use std::future::ready;

use futures_util::TryStreamExt as _;

use super::known::is_resolved;
use crate::error::{Error, Result};
use crate::services::Queue;
use crate::services::queue::{TaskDefinitionAndStatus, TaskState};

/// What came of doing something to each task of a group.
#[derive(Debug)]
#[non_exhaustive]
pub struct Each<E = Error> {
    /// For how many tasks it worked.
    pub done: usize,
    /// The ids of the tasks for which it did not, with the errors.
    pub failures: Vec<(String, E)>,
}

impl Queue {
    /// Calls a function with each task of a group, for up to `at_once` tasks at a time; 0 is treated as 1.
    ///
    /// The tasks are listed page by page meanwhile. An error of the function does not end it: the errors are in the result, with
    /// the ids of their tasks.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue, group: &str) -> Result<(), taskcluster::Error> {
    /// let each = queue.for_each_task(group, 16, |task| {
    ///     let queue = queue.clone();
    ///     async move { queue.schedule_task(&task.status.task_id).await.map(drop) }
    /// });
    /// for (task_id, error) in each.await?.failures {
    ///     println!("{task_id}: {error}");
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the tasks cannot be listed. Calls that are under way are then cancelled.
    pub async fn for_each_task<F, R, E>(
        &self,
        task_group_id: impl fmt::Display,
        at_once: usize,
        call: F,
    ) -> Result<Each<E>>
    where
        F: FnMut(TaskDefinitionAndStatus) -> R,
        R: Future<Output = Result<(), E>>,
    {
        self.for_each_of(task_group_id, at_once, |_| true, call).await
    }

    /// Cancels each task of a group that is not resolved, up to `at_once` at a time. The group need not be sealed, as it must be
    /// for [`cancel_task_group`](Self::cancel_task_group); tasks that are added meanwhile may be left.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue, group: &str) -> Result<(), taskcluster::Error> {
    /// let each = queue.cancel_tasks(group, 16).await?;
    /// println!("{} cancelled, {} not", each.done, each.failures.len());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the tasks cannot be listed.
    pub async fn cancel_tasks(
        &self,
        task_group_id: impl fmt::Display,
        at_once: usize,
    ) -> Result<Each> {
        let is_open = |state: &TaskState| !is_resolved(state);
        self.for_each_of(task_group_id, at_once, is_open, |task| async move {
            self.cancel_task(&task.status.task_id).await.map(drop)
        })
        .await
    }

    /// Runs each task of a group again that failed or is an exception, up to `at_once` at a time.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue, group: &str) -> Result<(), taskcluster::Error> {
    /// let each = queue.rerun_failed_tasks(group, 16).await?;
    /// println!("{} are run again", each.done);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the tasks cannot be listed.
    pub async fn rerun_failed_tasks(
        &self,
        task_group_id: impl fmt::Display,
        at_once: usize,
    ) -> Result<Each> {
        let has_failed = |state: &TaskState| is_resolved(state) && *state != TaskState::Completed;
        self.for_each_of(task_group_id, at_once, has_failed, |task| async move {
            self.rerun_task(&task.status.task_id).await.map(drop)
        })
        .await
    }

    async fn for_each_of<F, R, E>(
        &self,
        task_group_id: impl fmt::Display,
        at_once: usize,
        choose: impl Fn(&TaskState) -> bool,
        mut call: F,
    ) -> Result<Each<E>>
    where
        F: FnMut(TaskDefinitionAndStatus) -> R,
        R: Future<Output = Result<(), E>>,
    {
        let mut each = Each { done: 0, failures: Vec::new() };
        let tasks = self.list_task_group(task_group_id).items();
        let mut results = tasks
            .try_filter(|task| ready(choose(&task.status.state)))
            .map_ok(|task| {
                let task_id = task.status.task_id.clone();
                let result = call(task);
                async move { Ok((task_id, result.await)) }
            })
            .try_buffer_unordered(at_once.max(1));
        while let Some((task_id, result)) = results.try_next().await? {
            match result {
                Ok(()) => each.done += 1,
                Err(error) => each.failures.push((task_id, error)),
            }
        }
        Ok(each)
    }
}
