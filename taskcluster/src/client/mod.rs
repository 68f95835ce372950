//! The client: one connection pool, one identity, any number of services.

pub(crate) mod attempt;
pub(crate) mod base_url;
pub(crate) mod clock;
pub(crate) mod connections;
mod environment;
pub(crate) mod http;
mod identity;
pub(crate) mod retry;
pub(crate) mod service;
#[cfg(any(feature = "artifacts", feature = "follow"))]
pub(crate) mod timer;
#[cfg(any(feature = "pulse", all(feature = "rustls", not(feature = "native-tls"))))]
pub(crate) mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use self::attempt::{Attempt, Hooks};
use self::clock::Clock;
use self::connections::{Connections, Source};
use self::identity::{Identity, no_credentials_to_limit};
use self::retry::Retry;
#[cfg(any(feature = "artifacts", feature = "follow"))]
use self::timer::Timer;
use crate::credentials::Credentials;
use crate::credentials::provider::CredentialsProvider;
use crate::error::Result;
use crate::hawk::Signer;
use crate::model::Corrections;

/// The default limit of a response's size, in bytes. The largest pages of real deployments have a few MB.
const MAX_BODY: usize = 128 * 1024 * 1024;

/// How far a service's clock may differ from this machine's, by default.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(24 * 60 * 60);

/// Calls the services of one deployment, with at most one set of credentials.
///
/// A client is cheap to clone. Clones and derived clients share their connections.
///
/// ```
/// use taskcluster::{Auth, Client, Credentials, Queue};
///
/// let client = Client::builder("https://tc.example.com")
///     .credentials(Credentials::new("project/builds", "no-secret"))
///     .build()?;
/// let (queue, auth) = (Queue::new(&client), Auth::new(&client));
/// # Ok::<(), taskcluster::Error>(())
/// ```
///
/// # Threads, runtimes, processes
///
/// A client can be used by any number of threads and tokio runtimes at once, and by blocking calls beside asynchronous
/// ones. It has a pool of connections for each runtime that uses it, because only the runtime that opened a connection can
/// drive it, so no call waits for a runtime that does not make progress. A pool is dropped with its runtime. All blocking
/// calls of a process share one background runtime, and so one pool.
///
/// In the child of a `fork`, blocking calls use a new runtime and new connections. The parent's runtimes do not work in the
/// child, so asynchronous calls need a new one there. Fork while no other thread makes calls.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    connections: Arc<Connections>,
    /// `None` if each service has a URL of its own.
    root: Option<Url>,
    identity: Identity,
    settings: Settings,
    hooks: Hooks,
    corrections: Arc<Corrections>,
    clock: Arc<Clock>,
    #[cfg(any(feature = "artifacts", feature = "follow"))]
    timer: Timer,
    #[cfg(feature = "artifacts")]
    storage: Storage,
}

/// What reaches stored content.
#[cfg(feature = "artifacts")]
#[derive(Clone)]
struct Storage {
    /// They give content as it is encoded: to continue a download, one has to know how many bytes came.
    connections: Arc<Connections>,
    /// Where the deployment is, if the client's root URL is that of a proxy.
    direct_root: Option<Url>,
}

/// How calls are made, whoever makes them.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// The maximum duration of one attempt.
    pub(crate) timeout: Duration,
    pub(crate) retry: Retry,
    /// Whether arguments and payloads are validated before they are sent.
    pub(crate) validate: bool,
    /// The maximum size of a response, in bytes.
    pub(crate) max_body: usize,
    /// Whether a response that lacks a required property is an error.
    pub(crate) strict_answers: bool,
}

impl Client {
    /// Returns a builder for a client of the deployment at this root URL. The URL may have a path and trailing slashes.
    pub fn builder(root_url: impl Into<String>) -> ClientBuilder {
        Self::build_with(Some(root_url.into()))
    }

    /// Returns a builder for a client of the services of 2017, each at the `baseUrl` of its reference.
    ///
    /// ```
    /// use taskcluster::{Client, legacy::Queue};
    ///
    /// let queue = Queue::new(&Client::legacy().build()?);
    /// assert_eq!(queue.ping().url()?.as_str(), "https://queue.taskcluster.net/v1/ping");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// A service whose reference has no `baseUrl` is called at `https://<service>.taskcluster.net/<version>`, as in 2017.
    pub fn legacy() -> ClientBuilder {
        Self::build_with(None)
    }

    fn build_with(root_url: Option<String>) -> ClientBuilder {
        ClientBuilder {
            root_url,
            #[cfg(feature = "artifacts")]
            direct_root_url: None,
            identity: None,
            authorized_scopes: None,
            settings: Settings {
                timeout: Duration::from_secs(30),
                retry: Retry::default(),
                validate: cfg!(debug_assertions),
                max_body: MAX_BODY,
                strict_answers: false,
            },
            hooks: Hooks::default(),
            max_clock_skew: MAX_CLOCK_SKEW,
            #[cfg(any(feature = "artifacts", feature = "follow"))]
            timer: Timer::default(),
            http: Source::Own(Arc::new(|http| http)),
        }
    }

    /// Returns a client with other credentials and the same connections, settings and authorized scopes.
    ///
    /// # Errors
    ///
    /// Returns an error if these credentials cannot sign; see [`Signer::new`].
    pub fn with_credentials(&self, credentials: Credentials) -> Result<Self> {
        Ok(self.derive(self.0.identity.with_credentials(credentials)?))
    }

    /// Returns a client that asks this provider for credentials, with the same connections, settings and authorized scopes.
    ///
    /// ```
    /// # let client = taskcluster::Client::builder("https://tc.example.com").build()?;
    /// use taskcluster::{Credentials, SharedCredentials};
    ///
    /// let credentials = SharedCredentials::new(Credentials::new("task/one", "no-secret"));
    /// let of_the_task = client.with_credentials_provider(credentials.clone());
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    #[must_use]
    pub fn with_credentials_provider(&self, provider: impl CredentialsProvider) -> Self {
        self.derive(self.0.identity.with_provider(Arc::new(provider)))
    }

    /// Returns a client without credentials, with the same connections and settings. It does not sign its calls.
    #[must_use]
    pub fn without_credentials(&self) -> Self {
        self.derive(Identity::nobody())
    }

    /// Returns a client whose calls are limited to these scopes, which replace earlier authorized scopes. Its credentials must
    /// satisfy them.
    ///
    /// ```
    /// # let client = taskcluster::Client::builder("https://tc.example.com")
    /// #     .credentials(taskcluster::Credentials::new("project/builds", "no-secret")).build()?;
    /// let for_a_user = client.with_authorized_scopes(["queue:create-task:low:*"])?;
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the client has no credentials.
    pub fn with_authorized_scopes<S: Into<String>>(
        &self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let scopes = scopes.into_iter().map(Into::into).collect();
        Ok(self.derive(self.0.identity.with_authorized_scopes(scopes)?))
    }

    fn derive(&self, identity: Identity) -> Self {
        self.derive_at(self.0.root.clone(), identity)
    }

    fn derive_at(&self, root: Option<Url>, identity: Identity) -> Self {
        let Inner { connections, settings, hooks, corrections, clock, .. } = &*self.0;
        Self(Arc::new(Inner {
            connections: connections.clone(),
            root,
            identity,
            settings: *settings,
            hooks: hooks.clone(),
            corrections: corrections.clone(),
            clock: clock.clone(),
            #[cfg(any(feature = "artifacts", feature = "follow"))]
            timer: self.0.timer.clone(),
            #[cfg(feature = "artifacts")]
            storage: self.0.storage.clone(),
        }))
    }

    /// Returns the deployment's root URL without trailing slashes, or `None` for a client of [`legacy`](Self::legacy) services.
    #[must_use]
    pub fn root_url(&self) -> Option<&str> {
        self.0.root.as_ref().map(|root| root.as_str().trim_end_matches('/'))
    }

    /// Returns the client id that calls are signed with, or `None` if the client has no credentials or gets them from a
    /// provider.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.0.identity.client_id()
    }

    /// The HTTP client of the current runtime.
    pub(crate) fn http(&self) -> Result<reqwest::Client> {
        self.0.connections.here()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What is called after each attempt.
    pub(crate) fn hooks(&self) -> &Hooks {
        &self.0.hooks
    }

    /// Whether this client signs its calls.
    pub(crate) fn signs(&self) -> bool {
        self.0.identity.signs()
    }

    /// The corrected responses that this client, and those derived from it, have warned about.
    pub(crate) fn corrections(&self) -> &Corrections {
        &self.0.corrections
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    #[cfg(any(feature = "artifacts", feature = "follow"))]
    pub(crate) fn timer(&self) -> &Timer {
        &self.0.timer
    }

    /// Returns the current runtime's HTTP client for storage, which decodes nothing.
    #[cfg(feature = "artifacts")]
    pub(crate) fn storage_http(&self) -> Result<reqwest::Client> {
        self.0.storage.connections.here()
    }

    /// Returns a client for the object service with credentials for one object, which the scopes of this client do not limit.
    /// It avoids a proxy that would replace the credentials.
    #[cfg(feature = "artifacts")]
    pub(crate) fn to_object_service(&self, credentials: Credentials) -> Result<Self> {
        let root = self.0.storage.direct_root.as_ref().or(self.0.root.as_ref());
        Ok(self.derive_at(root.cloned(), Identity::fixed(credentials, None)?))
    }

    /// Returns the signer of the next attempt, or `None` for a client without credentials.
    pub(crate) async fn signer(&self) -> Result<Option<Arc<Signer>>> {
        self.0.identity.signer().await
    }

    /// Returns the signer of a URL, without waiting.
    pub(crate) fn signer_at_once(&self) -> Result<Arc<Signer>> {
        self.0.identity.signer_at_once()
    }
}

/// Shows root URL and client id.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Client");
        if let Some(root_url) = self.root_url() {
            out.field("root_url", &root_url);
        }
        if let Some(client_id) = self.client_id() {
            out.field("client_id", &client_id);
        }
        out.finish_non_exhaustive()
    }
}

/// Configures a [`Client`]. Created by [`Client::builder`] or [`Client::legacy`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    root_url: Option<String>,
    #[cfg(feature = "artifacts")]
    direct_root_url: Option<String>,
    identity: Option<Chosen>,
    authorized_scopes: Option<Vec<String>>,
    settings: Settings,
    hooks: Hooks,
    max_clock_skew: Duration,
    #[cfg(any(feature = "artifacts", feature = "follow"))]
    timer: Timer,
    http: Source,
}

enum Chosen {
    Credentials(Credentials),
    Provider(Arc<dyn CredentialsProvider>),
}

impl ClientBuilder {
    /// Signs every call with these credentials.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.identity = Some(Chosen::Credentials(credentials));
        self
    }

    /// Signs every call with the credentials that this provider returns for it.
    pub fn credentials_provider(mut self, provider: impl CredentialsProvider) -> Self {
        self.identity = Some(Chosen::Provider(Arc::new(provider)));
        self
    }

    /// Limits the client's calls to these scopes, which its credentials must satisfy.
    pub fn authorized_scopes<S: Into<String>>(
        mut self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        self.authorized_scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Limits the duration of one attempt, from connecting to the last byte of the body; 30 seconds by default.
    ///
    /// The time that a credentials provider takes does not count. For [`send_raw`](crate::Call::send_raw), where you read
    /// the body yourself, the limit covers the status, the headers, and the body of an error.
    ///
    /// `queue.claimWork` waits up to 20 seconds for work before it answers, so a worker needs a longer limit than that.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Sets the root URL of the deployment itself, if the client's own root URL is that of a proxy that signs requests, such as
    /// a task's `TASKCLUSTER_PROXY_URL`. [`Client::from_env`] sets it from `TASKCLUSTER_ROOT_URL`.
    ///
    /// Artifacts of type `object` come with their own credentials, which such a proxy would replace. The module `artifacts`
    /// therefore sends calls with these credentials to this URL.
    ///
    /// ```
    /// let client = taskcluster::Client::builder("http://taskcluster")
    ///     .direct_root_url("https://tc.example.com")
    ///     .build()?;
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    #[cfg(feature = "artifacts")]
    pub fn direct_root_url(mut self, root_url: impl Into<String>) -> Self {
        self.direct_root_url = Some(root_url.into());
        self
    }

    /// Sets how often, and after what delays, failed attempts are retried.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.settings.retry = retry;
        self
    }

    /// Sets whether calls are checked against the schemas before anything is sent. This is the default in debug builds, and for
    /// the clients of an embedded deployment in all builds. In release builds, it is off by default, because the service makes the
    /// same checks.
    ///
    /// Typed payloads are checked as by their `validate()`, which reports all mistakes at once, and path arguments and query
    /// options against [their patterns](crate::taskcluster_api#patterns). Slug ids, such as those of tasks, and integers are
    /// checked whatever this setting is.
    ///
    /// ```
    /// let client = taskcluster::Client::builder("https://tc.example.com").validate(true).build()?;
    /// let error = taskcluster::Queue::new(&client).task_queue_counts("no-queue").url().unwrap_err();
    /// assert!(error.message().contains("argument `taskQueueId` does not match"), "{error}");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn validate(mut self, validate: bool) -> Self {
        self.settings.validate = validate;
        self
    }

    /// Sets whether a response that lacks a required property is an error; off by default.
    ///
    /// A deployment that is older or newer than this crate's references may not have the property. By default, it gets the
    /// empty value of its type: empty text, 0, `false`, an empty list or map, 1970-01-01, `Unknown` for an enum, and a struct of
    /// such values. A warning is logged through `tracing`, once for each endpoint and property. Values of the wrong type are
    /// always errors.
    ///
    /// ```
    /// let client = taskcluster::Client::builder("https://tc.example.com").strict_answers(true).build()?;
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn strict_answers(mut self, strict: bool) -> Self {
        self.settings.strict_answers = strict;
        self
    }

    /// Limits the size of a response's body, after decompression; 128 MiB by default.
    ///
    /// A larger response is an error, and no more of it is read. The limit does not apply to
    /// [`send_raw`](crate::Call::send_raw), where you read the body yourself.
    ///
    /// ```
    /// let client = taskcluster::Client::builder("https://tc.example.com").max_body(1024 * 1024).build()?;
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.settings.max_body = bytes;
        self
    }

    /// Limits how far the client follows a service whose clock differs from this machine's; one day by default.
    ///
    /// If a service rejects a signature as stale, the client signs again by the time in the service's response. Once the
    /// service has accepted that signature, the client uses the corrected time for later calls and signed URLs, and logs a
    /// `tracing` warning. If the clocks differ by more than this limit plus a minute for rounding, the call fails with the
    /// service's error.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let client = taskcluster::Client::builder("https://tc.example.com")
    ///     .max_clock_skew(Duration::from_secs(60 * 60))
    ///     .build()?;
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn max_clock_skew(mut self, skew: Duration) -> Self {
        self.max_clock_skew = skew;
        self
    }

    /// Calls a function after each attempt of each call, for metrics. Clients derived from this one call it, too.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// let retries = Arc::new(AtomicU32::new(0));
    /// let counter = retries.clone();
    /// let client = taskcluster::Client::builder("https://tc.example.com")
    ///     .on_attempt(move |attempt| {
    ///         if attempt.retry_after.is_some() {
    ///             counter.fetch_add(1, Ordering::Relaxed);
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// The function runs on the thread that drives the call, so it should be quick and must not block. An attempt that the
    /// program cancels, by dropping the call's future, is not reported; neither are transfers from and to storage by the module
    /// `artifacts`. If you set several functions, all are called.
    ///
    /// # Panics
    ///
    /// If the function panics, the panic is caught and logged through `tracing` at error level, and the call goes on: it may have
    /// created something, and its result must not be lost. (In a program built with `panic = "abort"`, nothing is caught.)
    pub fn on_attempt(mut self, hook: impl Fn(&Attempt<'_>) + Send + Sync + 'static) -> Self {
        self.hooks.add(hook);
        self
    }

    /// Changes the settings of the HTTP client: a proxy, for example, or the limits of its connections.
    ///
    /// The function receives the result of [`http_client_builder`](crate::http_client_builder) and adds settings to it. It is
    /// called once for each runtime, when that runtime makes its first call; invalid settings make that call fail. If you set
    /// several functions, they run one after the other.
    ///
    /// Do not turn on redirects, because signatures do not cover them: a response from any other URL than the requested one
    /// is an error.
    ///
    /// ```
    /// use taskcluster::{Client, reqwest::Proxy};
    ///
    /// let proxy = Proxy::https("http://proxy.example.com:8080")?;
    /// let client = Client::builder("https://tc.example.com")
    ///     .configure_http(move |http| http.proxy(proxy.clone()))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn configure_http(
        mut self,
        settings: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.http = Source::Own(match self.http {
            Source::Own(earlier) => Arc::new(move |http| settings(earlier(http))),
            Source::Given(_) => Arc::new(settings),
        });
        self
    }

    /// Sends calls through this HTTP client, to share connections with other parts of the program.
    ///
    /// It has one pool of connections, so only one runtime can use it at a time: as long as the first runtime that made a call
    /// exists, calls in other runtimes and blocking calls return errors. The HTTP client must not follow redirects; build it
    /// with [`http_client_builder`](crate::http_client_builder). This replaces [`configure_http`](Self::configure_http), which
    /// is enough to change settings.
    ///
    /// ```
    /// let http = taskcluster::http_client_builder()?.no_proxy().build()?;
    /// let client = taskcluster::Client::builder("https://tc.example.com").http_client(http).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Source::Given(http);
        self
    }

    /// Sets how the worker and the followers of this client measure time.
    #[cfg(all(feature = "testing", any(feature = "artifacts", feature = "follow")))]
    pub(crate) fn timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
        self
    }

    /// Builds the client. This sends nothing and loads no certificates.
    ///
    /// # Errors
    ///
    /// Returns an error if the root URL is not an `http` or `https` URL or has a query, fragment, user or password, if the
    /// credentials cannot sign, or if there are authorized scopes but no credentials.
    pub fn build(self) -> Result<Client> {
        let Self {
            root_url,
            #[cfg(feature = "artifacts")]
            direct_root_url,
            identity,
            authorized_scopes,
            settings,
            hooks,
            max_clock_skew,
            #[cfg(any(feature = "artifacts", feature = "follow"))]
            timer,
            http,
        } = self;
        let root = root_url.as_deref().map(base_url::parse).transpose()?;
        let identity = match identity {
            None if authorized_scopes.is_some() => return Err(no_credentials_to_limit()),
            None => Identity::nobody(),
            Some(Chosen::Credentials(credentials)) => {
                Identity::fixed(credentials, authorized_scopes)?
            }
            Some(Chosen::Provider(provider)) => Identity::provided(provider, authorized_scopes),
        };
        #[cfg(feature = "artifacts")]
        let storage = Storage {
            connections: Arc::new(Connections::new(http.undecoded())),
            direct_root: direct_root_url.as_deref().map(base_url::parse).transpose()?,
        };
        let connections = Arc::new(Connections::new(http));
        let clock = Arc::new(Clock::new(max_clock_skew));
        Ok(Client(Arc::new(Inner {
            connections,
            root,
            identity,
            settings,
            hooks,
            corrections: Arc::default(),
            clock,
            #[cfg(any(feature = "artifacts", feature = "follow"))]
            timer,
            #[cfg(feature = "artifacts")]
            storage,
        })))
    }
}

/// Shows only the root URL, and hides it if it is invalid.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root_url =
            self.root_url.as_deref().map(|url| base_url::parse(url).map(String::from).ok());
        f.debug_struct("ClientBuilder").field("root_url", &root_url).finish_non_exhaustive()
    }
}
