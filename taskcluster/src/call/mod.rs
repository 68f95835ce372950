//! A call as a value: what the endpoint methods return, and the ways to use it.

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

/// How long signed URLs live in other Taskcluster clients unless told otherwise: 15 minutes.
pub const SIGNED_URL_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// A call of one endpoint, with its answer's type. Nothing is sent until it is awaited or one of the `send` methods is.
///
/// A call may be sent more than once. What is wrong with its arguments shows when it is used.
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

    /// Sends the call and decodes the answer into a type of the caller's choice.
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
    /// As [`send`](Self::send).
    pub async fn send_as<U: DeserializeOwned>(&self) -> Result<U> {
        decode(&send(&self.request).await?)
    }

    /// Sends the call, decodes the answer into a type of the caller's choice, and waits; see
    /// [`send_blocking`](Self::send_blocking).
    ///
    /// # Errors
    ///
    /// As [`send_blocking`](Self::send_blocking).
    pub fn send_as_blocking<U: DeserializeOwned>(&self) -> Result<U> {
        block_on(self.send_as())?
    }

    /// Sends the call and returns the HTTP response as it came, its body not yet read; 3xx included, which are never
    /// followed. For answers that are not JSON, such as a redirect to an artifact or a badge, and for large ones: the
    /// client's timeout ends with the answer's head.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), but for the answer's content.
    pub async fn send_raw(&self) -> Result<reqwest::Response> {
        send_raw(&self.request).await
    }

    /// The URL that the call is for, without a signature.
    ///
    /// # Errors
    ///
    /// If an argument is not one.
    pub fn url(&self) -> Result<Url> {
        self.request.url()
    }

    /// The scopes that a caller needs for this call, by the reference and the call's arguments; an empty `AllOf` where
    /// anybody may call.
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
    /// If an argument is not one, or the scopes depend on something that only the service knows, such as the scheduler
    /// of a task that exists.
    pub fn required_scopes(&self) -> Result<Expression> {
        required_scopes(&self.request)
    }

    /// An URL with a bewit: anybody who has it may `GET` it for so long, with the rights of this client.
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
    /// If an argument is not one, the endpoint is not a `GET` one, or the client has no credentials.
    pub fn signed_url(&self, lifetime: Duration) -> Result<Url> {
        let Request { service, endpoint, .. } = &self.request;
        let mut url = self.request.url()?;
        if endpoint.method != Method::GET {
            return Err(Error::input(format!(
                "{} is a {} endpoint; only GET ones can be called by a signed URL",
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
        // URL-safe base64 needs no escaping, and what was signed stays as it is.
        let query =
            url.query().map_or(format!("bewit={bewit}"), |query| format!("{query}&bewit={bewit}"));
        url.set_query(Some(&query));
        Ok(url)
    }
}

impl<T: DeserializeOwned> Call<T> {
    /// Sends the call; `call.await` is the same. To send it from elsewhere than where it was made, as with `spawn` or
    /// `join_all`, take its `into_future()`, which owns the call.
    ///
    /// # Errors
    ///
    /// An argument that cannot be sent; no connection, after all repetitions; an error status; an answer that is not
    /// what the reference promises. See [`Error::kind`].
    pub async fn send(&self) -> Result<T> {
        self.send_as().await
    }

    /// Sends the call and waits, in a program without an asynchronous runtime.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); inside an asynchronous runtime, where it would block other tasks, an error without
    /// anything being sent.
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

/// The part of a call under way that is the same for all answer types.
fn sending(request: Request) -> Pin<Box<dyn Future<Output = Result<Answer>> + Send>> {
    Box::pin(async move { send(&request).await })
}

/// A call under way: the future of an awaited [`Call`]. Dropping it ends the call.
///
/// All calls share the code of one inner future; only decoding is made for each answer type.
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

/// A call of an endpoint that answers in pages, with the types of a page and of an item.
///
/// Sent like any [`Call`] it fetches one page; [`pages`](Self::pages) and [`items`](Self::items) fetch them all.
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

    /// The same call, whose listings end after so many pages.
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

    /// All pages, one after the other, from the one that `continuation_token` names or the first.
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

    /// All pages, blocking the thread for each.
    pub fn pages_blocking(&self) -> BlockingIter<Pages<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        BlockingIter::new(self.pages())
    }

    /// The items of all pages.
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

    /// The items of all pages, blocking the thread for each page.
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

    /// The items of all pages, decoded into a type of the caller's choice, which may leave out what it does not need.
    pub fn items_as<U: DeserializeOwned + Send + 'static>(&self) -> Items<U> {
        Items::new(self.call.request.clone(), self.max_pages)
    }

    /// The items of all pages, decoded into a type of the caller's choice, blocking the thread for each page.
    pub fn items_as_blocking<U: DeserializeOwned + Send + 'static>(
        &self,
    ) -> BlockingIter<Items<U>> {
        BlockingIter::new(self.items_as())
    }
}

/// A page is got like any answer.
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
