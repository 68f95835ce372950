//! Calls to paged endpoints.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::ops::Deref;

use serde_core::de::DeserializeOwned;
use serde_json::Value;

use super::blocking::BlockingIter;
use super::paging::{Items, Pages};
use super::{Call, CallFuture};
use crate::client::service::Service;
use crate::error::Result;
use crate::model::View;
use crate::reference::Endpoint;

/// A call to a paged endpoint, with `T` as the type of a page and `I` as the type of an item.
///
/// Sent like any other [`Call`], it fetches one page. [`pages`](Self::pages) and [`items`](Self::items) fetch all of
/// them, each with the call's [own settings](Call#settings-of-one-call).
#[must_use = "nothing is sent until the call is awaited or sent"]
pub struct Paged<T = Value, I = Value> {
    call: Call<T>,
    max_pages: usize,
    item: PhantomData<fn() -> I>,
}

impl<T, I> Paged<T, I> {
    pub(super) fn new(call: Call<T>) -> Self {
        Self { call, max_pages: usize::MAX, item: PhantomData }
    }

    /// Creates a call to an endpoint with these arguments, for expansions of the macro.
    #[doc(hidden)]
    pub fn of(service: &Service, endpoint: &'static Endpoint, args: &[&dyn fmt::Display]) -> Self {
        Self::new(Call::of(service, endpoint, args))
    }

    /// Same as [`of`](Self::of), with a payload.
    #[doc(hidden)]
    pub fn with_payload(
        service: &Service,
        endpoint: &'static Endpoint,
        args: &[&dyn fmt::Display],
        payload: View<'_>,
    ) -> Self {
        Self::new(Call::with_payload(service, endpoint, args, payload))
    }

    #[doc(hidden)]
    pub fn set_query(&mut self, name: &'static str, value: &dyn fmt::Display) {
        self.call.set_query(name, value);
    }

    /// Limits [`pages`](Self::pages) and [`items`](Self::items) to at most this many pages.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue) -> Result<(), taskcluster::Error> {
    /// use futures::TryStreamExt as _;
    ///
    /// let group = queue.list_task_group("fN1SbArXTPSVFNUvaOlinQ").limit(100);
    /// let at_most_300: Vec<_> = group.max_pages(3).items().try_collect().await?;
    /// # Ok(()) }
    /// ```
    pub fn max_pages(&self, pages: usize) -> Self {
        Self { max_pages: pages, ..self.clone() }
    }

    /// Streams all pages, starting from the one that `continuation_token` names, or else from the first.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue) -> Result<(), taskcluster::Error> {
    /// use futures::TryStreamExt as _;
    ///
    /// let mut pages = queue.list_task_group("fN1SbArXTPSVFNUvaOlinQ").limit(500).pages();
    /// while let Some(page) = pages.try_next().await? {
    ///     println!("{} tasks", page.tasks.len());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn pages(&self) -> Pages<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        Pages::new(self.call.request.clone(), self.max_pages)
    }

    /// Iterates over all pages, blocking the thread for each.
    pub fn pages_blocking(&self) -> BlockingIter<Pages<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        BlockingIter::new(self.pages())
    }

    /// Streams the items of all pages.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue) -> Result<(), taskcluster::Error> {
    /// use futures::TryStreamExt as _;
    ///
    /// let tasks: Vec<_> = queue.list_task_group("fN1SbArXTPSVFNUvaOlinQ").items().try_collect().await?;
    /// # Ok(()) }
    /// ```
    pub fn items(&self) -> Items<I>
    where
        I: DeserializeOwned + Send + 'static,
    {
        Items::new(self.call.request.clone(), self.max_pages, true)
    }

    /// Iterates over the items of all pages, blocking the thread for each page.
    ///
    /// ```no_run
    /// # fn f(auth: taskcluster::Auth) -> Result<(), taskcluster::Error> {
    /// for client in auth.list_clients().items_blocking() {
    ///     println!("{}", client?.client_id);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn items_blocking(&self) -> BlockingIter<Items<I>>
    where
        I: DeserializeOwned + Send + 'static,
    {
        BlockingIter::new(self.items())
    }

    /// Streams the items of all pages, decoded as a type of your choice, which can omit fields that you do not need.
    pub fn items_as<U: DeserializeOwned + Send + 'static>(&self) -> Items<U> {
        Items::new(self.call.request.clone(), self.max_pages, false)
    }

    /// Iterates over the items of all pages, decoded as a type of your choice, blocking the thread for each page.
    pub fn items_as_blocking<U: DeserializeOwned + Send + 'static>(
        &self,
    ) -> BlockingIter<Items<U>> {
        BlockingIter::new(self.items_as())
    }
}

__forward!([T: DeserializeOwned, I] Paged<T, I>, call, T);

/// Gives access to the methods of [`Call`] that only look at it.
impl<T, I> Deref for Paged<T, I> {
    type Target = Call<T>;

    fn deref(&self) -> &Call<T> {
        &self.call
    }
}

impl<T: DeserializeOwned, I> IntoFuture for Paged<T, I> {
    type Output = Result<T>;
    type IntoFuture = CallFuture<T>;

    fn into_future(self) -> CallFuture<T> {
        self.send()
    }
}

impl<T, I> Clone for Paged<T, I> {
    fn clone(&self) -> Self {
        Self { max_pages: self.max_pages, ..Self::new(self.call.clone()) }
    }
}

impl<T, I> fmt::Debug for Paged<T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}
