//! Sending many calls, a limited number at a time.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::iter::{Enumerate, Map};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::StreamExt as _;
use futures_util::future::{Join, Ready, join, ready};
use futures_util::stream::{BufferUnordered, Iter, iter};

use crate::error::{Error, Result};
use crate::runtime::block_on;

/// Sends all calls of an iterator, with a limit of how many are in flight at once.
///
/// ```no_run
/// # async fn f(queue: taskcluster::Queue, ids: Vec<String>) -> Result<(), taskcluster::Error> {
/// use taskcluster::SendAll as _;
///
/// let calls = ids.iter().map(|id| queue.status(id));
/// for answer in calls.send_all(16).await? {
///     println!("{}: {}", answer.status.task_id, answer.status.state);
/// }
/// # Ok(()) }
/// ```
///
/// An iterator can have anything in it that can be awaited and returns a `Result`: calls of all kinds, or `async` blocks that
/// make several calls each.
///
/// ```no_run
/// # async fn f(queue: taskcluster::Queue, ids: Vec<String>) -> Result<(), taskcluster::Error> {
/// # use taskcluster::SendAll as _;
/// let names = ids.iter().map(async |id| {
///     let task = queue.task(id).await?;
///     Ok::<_, taskcluster::Error>(task.metadata.name)
/// });
/// println!("{}", names.send_all(16).await?.join(", "));
/// # Ok(()) }
/// ```
pub trait SendAll: IntoIterator<Item: IntoFuture> + Sized {
    /// Sends the calls, at most `at_once` at a time; 0 counts as 1.
    ///
    /// The result is a future of all responses, in the order of the calls. The first error ends it, and cancels the calls that
    /// are in flight. To have the other results, too, or each as soon as it is there, use [`Calls::results`] or
    /// [`Calls::as_completed`].
    ///
    /// Nothing is sent until it is awaited. A call is taken from the iterator when its turn comes. Dropping the future cancels
    /// the calls in flight.
    fn send_all<T, E>(self, at_once: usize) -> Calls<Self::IntoIter, T>
    where
        Self::Item: IntoFuture<Output = Result<T, E>>,
    {
        let calls = self.into_iter().enumerate().map(numbered as fn(_) -> _);
        Calls { in_flight: iter(calls).buffer_unordered(at_once.max(1)), done: Vec::new() }
    }

    /// Does the same, and blocks until all responses are there, for programs without an async runtime.
    ///
    /// ```no_run
    /// # fn f(queue: taskcluster::Queue, ids: Vec<String>) -> Result<(), taskcluster::Error> {
    /// use taskcluster::SendAll as _;
    ///
    /// let cancelled = ids.iter().map(|id| queue.cancel_task(id)).send_all_blocking(16)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the first error of a call. Inside an async runtime, where it would block other tasks, it returns an error and
    /// sends nothing.
    fn send_all_blocking<T, E: From<Error>>(self, at_once: usize) -> Result<Vec<T>, E>
    where
        Self::Item: IntoFuture<Output = Result<T, E>>,
    {
        block_on(self.send_all(at_once))?
    }
}

impl<I: IntoIterator<Item: IntoFuture>> SendAll for I {}

/// A call in flight, with its place among the calls.
type Numbered<C> = Join<Ready<usize>, <C as IntoFuture>::IntoFuture>;

fn numbered<C: IntoFuture>((place, call): (usize, C)) -> Numbered<C> {
    join(ready(place), call.into_future())
}

type InFlight<I, C> = BufferUnordered<Iter<Map<Enumerate<I>, fn((usize, C)) -> Numbered<C>>>>;

/// Many calls, with a limit of how many are in flight at once; see [`SendAll::send_all`].
#[must_use = "nothing is sent until the calls are awaited"]
pub struct Calls<I: Iterator<Item: IntoFuture>, T> {
    in_flight: InFlight<I, I::Item>,
    done: Vec<(usize, T)>,
}

impl<I, T, E> Calls<I, T>
where
    I: Iterator<Item: IntoFuture<Output = Result<T, E>>>,
{
    /// Sends all calls, whether others fail or not. The results are in the order of the calls.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue, ids: Vec<String>) {
    /// # use taskcluster::SendAll as _;
    /// let results = ids.iter().map(|id| queue.cancel_task(id)).send_all(16).results().await;
    /// for (id, error) in ids.iter().zip(results).filter_map(|(id, result)| Some((id, result.err()?))) {
    ///     eprintln!("{id}: {error}");
    /// }
    /// # }
    /// ```
    pub async fn results(self) -> Vec<Result<T, E>> {
        in_order(self.in_flight.collect().await)
    }

    /// Streams the results as they come, each with the index of its call. An error does not end the stream.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue, ids: Vec<String>) -> Result<(), taskcluster::Error> {
    /// # use taskcluster::SendAll as _;
    /// use futures::StreamExt as _;
    ///
    /// let mut results = ids.iter().map(|id| queue.status(id)).send_all(16).as_completed();
    /// while let Some((index, result)) = results.next().await {
    ///     println!("{}: {}", ids[index], result?.status.state);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn as_completed(self) -> impl Stream<Item = (usize, Result<T, E>)> + Unpin + use<I, T, E> {
        self.in_flight
    }
}

impl<I, T, E> Future for Calls<I, T>
where
    I: Iterator<Item: IntoFuture<Output = Result<T, E>>>,
{
    type Output = Result<Vec<T>, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some((place, result)) = ready!(self.in_flight.poll_next_unpin(context)) {
            self.done.push((place, result?));
        }
        Poll::Ready(Ok(in_order(std::mem::take(&mut self.done))))
    }
}

/// What is done is only stored here.
impl<I: Iterator<Item: IntoFuture>, T> Unpin for Calls<I, T> {}

impl<I: Iterator<Item: IntoFuture>, T> fmt::Debug for Calls<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").finish_non_exhaustive()
    }
}

fn in_order<R>(mut results: Vec<(usize, R)>) -> Vec<R> {
    results.sort_unstable_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}
