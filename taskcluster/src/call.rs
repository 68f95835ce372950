//! Calls as values: what endpoint methods return, and the ways to send them.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use reqwest::{Method, Url};
use serde_core::de::DeserializeOwned;
use serde_json::Value;

use crate::blocking::{BlockingIter, block_on};
use crate::error::{Error, Result};
use crate::hawk::Target;
use crate::paging::{Items, Pages};
use crate::request::Request;
use crate::required_scopes::required_scopes;
use crate::scopes::Expression;
use crate::send::{Answer, decode, send, send_raw};

/// How long signed URLs are valid by default in other Taskcluster clients: 15 minutes.
pub const SIGNED_URL_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// A call to one endpoint, with `T` as the type of the response.
///
/// Nothing is sent until you await the call or use one of its `send` methods. You can send a call more than once. If an
/// argument is invalid, every use of the call returns an error.
///
/// ```no_run
/// # async fn f(queue: taskcluster::Queue) -> Result<(), taskcluster::Error> {
/// let call = queue.status("fN1SbArXTPSVFNUvaOlinQ");
/// println!("{}", call.url()?);
/// let status = call.await?;
/// println!("{}", status.status.state);
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent until the call is awaited or sent"]
pub struct Call<T = Value> {
    pub(crate) request: Request,
    answer: PhantomData<fn() -> T>,
}

impl<T> Call<T> {
    pub(crate) fn new(request: Request) -> Self {
        Self { request, answer: PhantomData }
    }

    /// Sends the call and decodes the response as a type of your choice.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue) -> Result<(), taskcluster::Error> {
    /// use std::collections::HashMap;
    ///
    /// let counts = queue.pending_tasks("prov/work").send_as::<HashMap<String, taskcluster::Value>>().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`send`](Self::send).
    pub async fn send_as<U: DeserializeOwned>(&self) -> Result<U> {
        decode(&send(&self.request).await?)
    }

    /// Sends the call, blocks until the response is there, and decodes it as a type of your choice; see
    /// [`send_blocking`](Self::send_blocking).
    ///
    /// # Errors
    ///
    /// Same as [`send_blocking`](Self::send_blocking).
    pub fn send_as_blocking<U: DeserializeOwned>(&self) -> Result<U> {
        block_on(self.send_as())?
    }

    /// Sends the call and returns the HTTP response, without reading its body.
    ///
    /// Use this for responses that are not JSON, such as a badge or a redirect to an artifact, and for large ones.
    /// Redirects (3xx) are returned, never followed. The client's timeout covers the status and headers only, not the
    /// body.
    ///
    /// # Errors
    ///
    /// Same as [`send`](Self::send), except that the content of the response is not checked.
    pub async fn send_raw(&self) -> Result<reqwest::Response> {
        send_raw(&self.request).await
    }

    /// Returns the URL of the call, without a signature.
    ///
    /// # Errors
    ///
    /// If an argument is invalid.
    pub fn url(&self) -> Result<Url> {
        self.request.url()
    }

    /// Returns the scopes that this call requires, according to the reference and the call's arguments.
    ///
    /// If anyone may call the endpoint, this is an empty `AllOf`.
    ///
    /// ```
    /// use taskcluster::queue::{CreateTaskRequest, TaskMetadata, TaskPriority};
    /// use taskcluster::{from_now, json, scopes::satisfies};
    /// # let client = taskcluster::Client::builder("https://tc.example.com").build()?;
    /// # let queue = taskcluster::Queue::new(&client);
    ///
    /// let metadata = TaskMetadata::new("Builds it.", "build", "me@example.com", "https://example.com/repo");
    /// let mut task = CreateTaskRequest::new(from_now("0 seconds")?, from_now("2 hours")?, metadata, json!({}));
    /// task.task_queue_id = Some("proj/builds".to_owned());
    /// task.priority = Some(TaskPriority::Low);
    /// task.routes = Some(vec!["index.proj.latest".to_owned()]);
    /// let needed = queue.create_task("fN1SbArXTPSVFNUvaOlinQ", &task).required_scopes()?;
    /// let held = ["queue:create-task:*", "queue:scheduler-id:-", "queue:route:index.proj.*"];
    /// assert!(satisfies(&held, &needed));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If an argument is invalid, or if the scopes depend on something that only the service knows, such as the
    /// scheduler of an existing task.
    pub fn required_scopes(&self) -> Result<Expression> {
        required_scopes(&self.request)
    }

    /// Returns a URL signed with a bewit: until `lifetime` has passed, anyone who has the URL can `GET` it with the scopes
    /// of this client.
    ///
    /// ```
    /// # let client = taskcluster::Client::builder("https://tc.example.com")
    /// #     .credentials(taskcluster::Credentials::new("project/builds", "no-secret")).build()?;
    /// # let queue = taskcluster::Queue::new(&client);
    /// let url = queue
    ///     .get_latest_artifact("fN1SbArXTPSVFNUvaOlinQ", "private/log.txt")
    ///     .signed_url(taskcluster::SIGNED_URL_LIFETIME)?;
    /// assert!(url.query().unwrap().starts_with("bewit="));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If an argument is invalid, if the endpoint's method is not `GET`, or if the client has no credentials.
    pub fn signed_url(&self, lifetime: Duration) -> Result<Url> {
        let Request { service, endpoint, .. } = &self.request;
        let mut url = self.request.url()?;
        if endpoint.method != Method::GET {
            return Err(Error::input(format!(
                "{} is a {} endpoint; only GET endpoints can have signed URLs",
                endpoint.name, endpoint.method
            )));
        }
        let target = Target {
            method: "GET",
            resource: self.request.resource(&url),
            host: service.host(),
            port: service.port(),
        };
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let expires = service.client().clock().now().saturating_add(lifetime);
        let bewit = service.client().signer_at_once()?.bewit(&target, expires);
        // URL-safe base64 needs no escaping, so the signed part of the URL does not change.
        let query =
            url.query().map_or(format!("bewit={bewit}"), |query| format!("{query}&bewit={bewit}"));
        url.set_query(Some(&query));
        Ok(url)
    }
}

impl<T: DeserializeOwned> Call<T> {
    /// Sends the call and decodes the response; `call.await` does the same.
    ///
    /// The future returned by `send` borrows the call. To move the call elsewhere, as with `spawn` or `join_all`, use
    /// `into_future()`, which owns it.
    ///
    /// # Errors
    ///
    /// If an argument is invalid, if no response arrives after all retries, if the service answers with an error
    /// status, or if the response does not match the reference. [`Error::kind`] tells these apart.
    pub async fn send(&self) -> Result<T> {
        self.send_as().await
    }

    /// Sends the call and blocks until the response is there, for programs without an async runtime.
    ///
    /// # Errors
    ///
    /// Same as [`send`](Self::send). Inside an async runtime, where it would block other tasks, it returns an error and
    /// sends nothing.
    pub fn send_blocking(&self) -> Result<T> {
        self.send_as_blocking()
    }
}

impl<T: DeserializeOwned> IntoFuture for Call<T> {
    type Output = Result<T>;
    type IntoFuture = CallFuture<T>;

    fn into_future(self) -> CallFuture<T> {
        CallFuture { answer: sending(self.request), decoded: self.answer }
    }
}

impl<T> Clone for Call<T> {
    fn clone(&self) -> Self {
        Self::new(self.request.clone())
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(f)
    }
}

/// The part of a call in flight that is the same for all response types.
fn sending(request: Request) -> Pin<Box<dyn Future<Output = Result<Answer>> + Send>> {
    Box::pin(async move { send(&request).await })
}

/// The future of an awaited [`Call`]. Dropping it cancels the call.
///
/// All calls share one inner future; only decoding is compiled for each response type.
pub struct CallFuture<T> {
    answer: Pin<Box<dyn Future<Output = Result<Answer>> + Send>>,
    decoded: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Future for CallFuture<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        Poll::Ready(ready!(self.answer.as_mut().poll(context)).and_then(|answer| decode(&answer)))
    }
}

impl<T> fmt::Debug for CallFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFuture").finish_non_exhaustive()
    }
}

/// A call to a paged endpoint, with `T` as the type of a page and `I` as the type of an item.
///
/// Sent like any other [`Call`], it fetches one page. [`pages`](Self::pages) and [`items`](Self::items) fetch all of
/// them.
#[must_use = "nothing is sent until the call is awaited or sent"]
pub struct Paged<T = Value, I = Value> {
    call: Call<T>,
    max_pages: usize,
    item: PhantomData<fn() -> I>,
}

impl<T, I> Paged<T, I> {
    pub(crate) fn new(call: Call<T>) -> Self {
        Self { call, max_pages: usize::MAX, item: PhantomData }
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
        self.items_as()
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
        Items::new(self.call.request.clone(), self.max_pages)
    }

    /// Iterates over the items of all pages, decoded as a type of your choice, blocking the thread for each page.
    pub fn items_as_blocking<U: DeserializeOwned + Send + 'static>(
        &self,
    ) -> BlockingIter<Items<U>> {
        BlockingIter::new(self.items_as())
    }
}

/// Gives access to the methods of [`Call`], which fetch a single page.
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
        self.call.into_future()
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

impl<T> Call<T> {
    #[doc(hidden)]
    pub fn set_query(&mut self, name: &'static str, value: &dyn fmt::Display) {
        self.request.set_query(name, value);
    }
}
