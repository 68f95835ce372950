//! Calls as values: what endpoint methods return, and the ways to send them.

mod answer;
pub(crate) mod argument;
pub(crate) mod blocking;
mod body;
pub(crate) mod by_name;
#[macro_use]
mod forward;
pub(crate) mod hints;
pub(crate) mod many;
mod noting;
mod observed;
mod overrides;
pub(crate) mod paged;
pub(crate) mod paging;
mod redirect;
pub(crate) mod request;
pub(crate) mod required_scopes;
pub(crate) mod send;
mod trace;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use reqwest::{Method, Url};
use serde_core::de::DeserializeOwned;
use serde_json::Value;

use self::answer::{Answer, decode};
use self::request::Request;
use self::required_scopes::required_scopes;
use self::send::{send, send_raw};
#[cfg(feature = "artifacts")]
use crate::client::Client;
use crate::client::retry::Retry;
use crate::client::service::Service;
use crate::error::{Error, Result};
use crate::hawk::Target;
use crate::model::{Strictness, View};
use crate::reference::Endpoint;
use crate::runtime::block_on;
use crate::scopes::Expression;

/// How long signed URLs are valid by default in other Taskcluster clients: 15 minutes.
pub const SIGNED_URL_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// A call to one endpoint, with `T` as the type of the response.
///
/// Nothing is sent until you await the call or use one of its `send` methods. These take the call; to send it more than once,
/// clone it, which is cheap: clones share the payload. If an argument is invalid, every use of the call returns an error.
///
/// # Many calls
///
/// `call.await` is enough for one call. Functions that take a future, such as `tokio::spawn` and `join_all`, take
/// [`call.send()`](Self::send), which owns everything it needs. To send many calls, but not all at once, use
/// [`send_all`](crate::SendAll::send_all).
///
/// ```no_run
/// # async fn f(queue: taskcluster::Queue, ids: Vec<String>) -> Result<(), Box<dyn std::error::Error>> {
/// let (task, status) = tokio::try_join!(queue.task(&ids[0]), queue.status(&ids[0]))?;
/// let in_the_background = tokio::spawn(queue.status(&ids[0]).send());
/// let statuses = futures::future::join_all(ids.iter().map(|id| queue.status(id).send())).await;
/// # Ok(()) }
/// ```
///
/// # Settings of one call
///
/// A call has its client's settings, unless you set its own: [`timeout`](Self::timeout), [`retry`](Self::retry),
/// [`header`](Self::header) and [`bearer`](Self::bearer). They also apply to all pages of a paged call.
///
/// ```no_run
/// # async fn f(queue: taskcluster::Queue) -> Result<(), taskcluster::Error> {
/// use std::time::Duration;
///
/// let work = taskcluster::queue::ClaimWorkRequest::new("group", "id", 1);
/// let claims = queue.claim_work("proj/builds", &work).timeout(Duration::from_secs(60)).await?;
/// # Ok(()) }
/// ```
///
/// # Responses
///
/// A response is an error if its status is, if it is not JSON, or if a property has the wrong type: text for a number, `null` for
/// a property that cannot be `null`. The error says where, down to the element of a list.
///
/// It is not an error if it
///
/// - has properties or values that this version does not know: unknown properties are ignored, and unknown values of an
///   enum are `Unknown`;
/// - lacks a required property: the property gets the empty value of its type, with a warning, unless the client is
///   [strict](crate::ClientBuilder::strict_answers);
/// - breaks other rules of its schema, such as patterns and lengths;
/// - begins with a byte-order mark, writes an integer as `1.0` or `1e3`, or a date without time zone, which counts as UTC.
///
/// These rules hold for the type that the endpoint promises. [`send_as`](Self::send_as) decodes a type of your choice, where a
/// missing property is an error unless the type says otherwise.
///
/// ```no_run
/// # async fn f(queue: taskcluster::Queue) -> Result<(), taskcluster::Error> {
/// let call = queue.status("fN1SbArXTPSVFNUvaOlinQ");
/// println!("{}", call.url()?);
/// let status = call.await?;
/// println!("{}", status.status.state);
/// # Ok(()) }
/// ```
///
/// # What is an error, and what is not
///
/// - A 2xx response is a success if it is the JSON that the reference promises. A 204, or anything else, is an
///   [`Answer`](crate::ErrorKind::Answer) error.
/// - If the reference promises no answer, every 2xx response is a success: the call has been carried out, and a retry might
///   send a mail twice. The result is the body if it is JSON, and `null` otherwise. [`send_raw`](Self::send_raw) returns
///   the text.
/// - A redirect is an `Answer` error that names the host it leads to. It is a success only from endpoints that exist to
///   redirect (302 or 303): `getArtifact`, `getLatestArtifact`, `findArtifactFromTask`, the object service's `download` and
///   github's `latest`. The first two send JSON with the URL; for the others use `send_raw`, which returns the headers of any
///   redirect. Redirects are never followed.
/// - Every other status is an [`Api`](crate::ErrorKind::Api) error. 429 and 5xx are retried first, as are attempts that
///   time out or break off; see [`Retry`](crate::Retry).
/// - A response that is larger than [`max_body`](crate::ClientBuilder::max_body) is an `Answer` error.
#[must_use = "nothing is sent until the call is awaited or sent"]
pub struct Call<T = Value> {
    request: Request,
    answer: PhantomData<fn() -> T>,
    /// Nothing: the compiler names this field to who looks for one of the response.
    #[cfg_attr(doc, doc(hidden))]
    pub r#await: (),
}

impl<T> Call<T> {
    fn new(request: Request) -> Self {
        Self { request, answer: PhantomData, r#await: () }
    }

    /// Creates a call to an endpoint with these arguments, for expansions of the macro.
    #[doc(hidden)]
    pub fn of(service: &Service, endpoint: &'static Endpoint, args: &[&dyn fmt::Display]) -> Self {
        Self::new(Request::new(service, endpoint).with_args(args))
    }

    /// Same as [`of`](Self::of), with a payload.
    #[doc(hidden)]
    pub fn with_payload(
        service: &Service,
        endpoint: &'static Endpoint,
        args: &[&dyn fmt::Display],
        payload: View<'_>,
    ) -> Self {
        Self::new(Request::new(service, endpoint).with_args(args).with_typed(payload))
    }

    #[doc(hidden)]
    pub fn set_query(&mut self, name: &'static str, value: &dyn fmt::Display) {
        self.request.set_query(name, value);
    }

    /// The client that the call was made with.
    #[cfg(feature = "artifacts")]
    pub(crate) fn client(&self) -> &Client {
        self.request.service.client()
    }

    /// Sends the call and decodes the response as a type of your choice.
    ///
    /// Nothing is filled in: if the response lacks a property that the type requires, this returns an error.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue) -> Result<(), taskcluster::Error> {
    /// use std::collections::HashMap;
    ///
    /// let call = queue.pending_tasks("prov/work");
    /// let counts: HashMap<String, taskcluster::Value> = call.send_as().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send`](Self::send).
    pub fn send_as<U: DeserializeOwned>(self) -> CallFuture<U> {
        CallFuture::new(self.request, false)
    }

    /// Sends the call, blocks until the response is there, and decodes it as a type of your choice; see
    /// [`send_blocking`](Self::send_blocking).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send_blocking`](Self::send_blocking).
    pub fn send_as_blocking<U: DeserializeOwned>(self) -> Result<U> {
        block_on(self.send_as())?
    }

    /// Sends the call and returns the HTTP response, without reading its body.
    ///
    /// Use this for responses that are not JSON, such as a badge or a redirect to an artifact, and for large ones.
    /// Redirects (3xx) are returned, never followed. You read the body without the client's timeout and without
    /// [`max_body`](crate::ClientBuilder::max_body).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send`](Self::send), except that redirects are not errors and the content of the response
    /// is not checked.
    pub fn send_raw(self) -> impl Future<Output = Result<reqwest::Response>> + Send + use<T> {
        let request = self.request;
        async move { send_raw(&request).await }
    }

    /// Limits the duration of one attempt of this call, in place of the client's [`timeout`](crate::ClientBuilder::timeout).
    ///
    /// To limit a call with all its retries, pass it to `tokio::time::timeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request.set_timeout(timeout);
        self
    }

    /// Sets how often this call is retried, and after what delays, in place of the client's
    /// [`retry`](crate::ClientBuilder::retry).
    pub fn retry(mut self, retry: Retry) -> Self {
        self.request.set_retry(retry);
        self
    }

    /// Adds a header to the requests of this call. If it is set twice, the last value wins. The value is never shown.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue) -> Result<(), taskcluster::Error> {
    /// use taskcluster::StatusCode;
    ///
    /// // The queue redirects to the content itself, not to a cache of it.
    /// let call = queue.get_latest_artifact("fN1SbArXTPSVFNUvaOlinQ", "public/log.txt");
    /// let response = call.header("x-taskcluster-skip-cache", true).send_raw().await?;
    /// assert_eq!(response.status(), StatusCode::SEE_OTHER);
    /// # Ok(()) }
    /// ```
    ///
    /// Signatures do not cover headers. A header that the client sets itself (`content-type`, `host`, the trace id, and those
    /// about the connection) is an error when the call is used. So is `authorization` if the client signs its calls.
    pub fn header(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.request.set_header(name, &value);
        self
    }

    /// Sends this token (`Authorization: Bearer <token>`) in place of a signature, even if the client has credentials.
    ///
    /// This is for `oidcCredentials` of the login service, which exchanges the access token of an identity provider for
    /// Taskcluster credentials, and for services of your own. The token is never shown. White space around it is dropped. Signed
    /// URLs are signed all the same.
    ///
    /// ```no_run
    /// # #[cfg(feature = "legacy")]
    /// # async fn f(client: taskcluster::Client, token: &str) -> Result<(), taskcluster::Error> {
    /// use taskcluster::legacy::Login;
    ///
    /// let answer = Login::new(&client).oidc_credentials("mozilla-auth0").bearer(token).await?;
    /// # Ok(()) }
    /// ```
    pub fn bearer(mut self, token: impl AsRef<str>) -> Self {
        self.request.set_bearer(token.as_ref());
        self
    }

    /// Returns the URL of the call, without a signature.
    ///
    /// # Errors
    ///
    /// Returns an error if an argument is invalid.
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
    /// let metadata =
    ///     TaskMetadata::new("build", "Builds it.", "me@example.com", "https://example.com/repo");
    /// let (created, deadline) = (from_now("0 seconds")?, from_now("2 hours")?);
    /// let task = CreateTaskRequest::new(created, deadline, json!({}), metadata)
    ///     .task_queue_id("proj/builds")
    ///     .priority(TaskPriority::Low)
    ///     .route("index.proj.latest");
    /// let needed = queue.create_task("fN1SbArXTPSVFNUvaOlinQ", &task).required_scopes()?;
    /// let held = ["queue:create-task:*", "queue:scheduler-id:-", "queue:route:index.proj.*"];
    /// assert!(satisfies(&held, &needed));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if an argument is invalid, or if the scopes depend on something that only the service knows,
    /// such as the scheduler of an existing task.
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
    /// Returns an error if an argument is invalid, if the endpoint's method is not `GET`, or if the client has no
    /// credentials.
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
    /// The future owns the call. Dropping it cancels the call.
    ///
    /// # Errors
    ///
    /// Returns an error if an argument is invalid, if no response arrives after all retries, if the service answers
    /// with an error status, or if the response does not match the reference. [`Error::kind`] tells these apart.
    pub fn send(self) -> CallFuture<T> {
        CallFuture::new(self.request, true)
    }

    /// Sends the call and blocks until the response is there, for programs without an async runtime.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`send`](Self::send). Inside an async runtime, where it would block other tasks, it
    /// returns an error and sends nothing.
    pub fn send_blocking(self) -> Result<T> {
        block_on(self.send())?
    }
}

impl<T: DeserializeOwned> IntoFuture for Call<T> {
    type Output = Result<T>;
    type IntoFuture = CallFuture<T>;

    fn into_future(self) -> CallFuture<T> {
        self.send()
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

/// The future of a [`Call`] that was sent. Dropping it cancels the call.
///
/// All calls share one inner future; only decoding is compiled for each response type.
#[must_use = "nothing is sent until the future is awaited"]
pub struct CallFuture<T> {
    answer: Pin<Box<dyn Future<Output = Result<Answer>> + Send>>,
    /// Whether `T` is the type that the reference promises.
    promised: bool,
    decoded: PhantomData<fn() -> T>,
    /// Nothing: the compiler names this field to who looks for one of the response.
    #[cfg_attr(doc, doc(hidden))]
    pub r#await: (),
}

impl<T> CallFuture<T> {
    fn new(request: Request, promised: bool) -> Self {
        Self { answer: sending(request), promised, decoded: PhantomData, r#await: () }
    }
}

/// The part of a call in flight that is the same for all response types.
fn sending(request: Request) -> Pin<Box<dyn Future<Output = Result<Answer>> + Send>> {
    Box::pin(async move { send(&request).await })
}

impl<T: DeserializeOwned> Future for CallFuture<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let answer = ready!(self.answer.as_mut().poll(context))?;
        let strictness = if self.promised { answer.strictness() } else { Strictness::Answer };
        Poll::Ready(decode(&answer, strictness))
    }
}

impl<T> fmt::Debug for CallFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::reference::{Reference, Stability};

    /// How much the usual allocators serve from their small bins.
    const SMALL: usize = 1032;

    fn request() -> Request {
        static PUT: Endpoint = Endpoint {
            name: "put",
            title: "Put",
            method: Method::PUT,
            route: "/",
            args: &[],
            query: &[],
            input: Some("any"),
            output: None,
            scopes: None,
            stability: Stability::Stable,
            paging: None,
            patterns: &[],
            query_patterns: &[],
            secrets: &[],
        };
        static REFERENCE: Reference = Reference {
            service: "test",
            version: "v1",
            base_url: None,
            exchange_prefix: "",
            endpoints: &[],
            exchanges: &[],
        };
        let client = Client::builder("https://tc.example.com").build().unwrap();
        Request::new(&Service::new(&client, &REFERENCE), &PUT).with_payload("a payload")
    }

    #[test]
    fn a_call_in_flight_is_small() {
        let future = sending(request());
        assert!(size_of_val(&*future) <= SMALL, "{}", size_of_val(&*future));
    }

    #[test]
    fn clones_share_the_payload() {
        let request = request();
        let start = |request: &Request| request.payload.as_ref().unwrap().as_ptr();
        assert_eq!(start(&request.clone()), start(&request));
    }
}
