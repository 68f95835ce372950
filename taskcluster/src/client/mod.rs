//! The client: one connection pool, one identity, any number of services.

mod base_url;
pub(crate) mod clock;
pub(crate) mod connections;
pub(crate) mod http;
mod identity;
pub(crate) mod retry;
pub(crate) mod service;
#[cfg(any(feature = "pulse", all(feature = "rustls", not(feature = "native-tls"))))]
pub(crate) mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use self::clock::Clock;
use self::connections::{Connections, Source};
use self::identity::{Identity, no_credentials_to_limit};
use self::retry::Retry;
use crate::credentials::{Credentials, CredentialsProvider};
use crate::env::variable;
use crate::error::{Error, Result};
use crate::hawk::Signer;
use crate::model::Corrections;

/// How many bytes a response may have, unless set. The largest pages of real deployments have a few MB.
const MAX_BODY: usize = 128 * 1024 * 1024;

/// How far a service's clock may differ from this machine's, unless set.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(24 * 60 * 60);

/// A deployment as seen by one identity. Cheap to clone; clones and derived clients share their connections.
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
/// drive it: no call waits for a runtime that stands still. A pool goes with its runtime. All blocking calls of a process
/// share one runtime in the background, and so one pool.
///
/// In the child of a `fork`, blocking calls start with a runtime and connections of their own. The runtimes of the parent
/// do not work in the child, so that it needs a new one for asynchronous calls, as for anything that tokio does. Fork while
/// no other thread makes calls.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    connections: Arc<Connections>,
    /// `None` where each service has an URL of its own.
    root: Option<Url>,
    identity: Identity,
    timeout: Duration,
    retry: Retry,
    validate: bool,
    max_body: usize,
    strict_answers: bool,
    corrections: Arc<Corrections>,
    clock: Arc<Clock>,
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

impl Client {
    /// Begins a client for the deployment at this root URL, which may have a path and end in slashes.
    pub fn builder(root_url: impl Into<String>) -> ClientBuilder {
        Self::build_with(Some(root_url.into()))
    }

    /// Begins a client for services of the 2017 generation, each at the `baseUrl` of its reference.
    ///
    /// ```
    /// use taskcluster::{Client, legacy::Queue};
    ///
    /// let queue = Queue::new(&Client::legacy().build()?);
    /// assert_eq!(queue.ping().url()?.as_str(), "https://queue.taskcluster.net/v1/ping");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// A reference without one is taken to live where those services did,
    /// `https://<service>.taskcluster.net/<version>`.
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
            timeout: Duration::from_secs(30),
            retry: Retry::default(),
            validate: false,
            max_body: MAX_BODY,
            max_clock_skew: MAX_CLOCK_SKEW,
            strict_answers: false,
            http: Source::Own(Arc::new(|http| http)),
        }
    }

    /// A client as the environment describes it.
    ///
    /// Inside a task with the proxy feature, `TASKCLUSTER_PROXY_URL` is used; the proxy signs, so that credentials are
    /// left aside. Otherwise `TASKCLUSTER_ROOT_URL`, with `TASKCLUSTER_CLIENT_ID`, `TASKCLUSTER_ACCESS_TOKEN` and
    /// `TASKCLUSTER_CERTIFICATE` where they are set. White space around a value is dropped, and an empty variable counts as
    /// unset.
    ///
    /// # Errors
    ///
    /// If neither URL is set, only one of client id and token is, or [`ClientBuilder::build`] fails.
    pub fn from_env() -> Result<Self> {
        if let Some(proxy) = variable("TASKCLUSTER_PROXY_URL") {
            let builder = Self::builder(proxy);
            #[cfg(feature = "artifacts")]
            let builder = match variable("TASKCLUSTER_ROOT_URL") {
                Some(root) => builder.direct_root_url(root),
                None => builder,
            };
            return builder.build();
        }
        let root = variable("TASKCLUSTER_ROOT_URL").ok_or_else(|| {
            Error::config("neither TASKCLUSTER_ROOT_URL nor TASKCLUSTER_PROXY_URL is set")
        })?;
        let mut builder = Self::builder(root);
        if let Some(credentials) = Credentials::from_env()? {
            builder = builder.credentials(credentials);
        }
        builder.build()
    }

    /// The same deployment and connections, with other credentials. Authorized scopes stay.
    ///
    /// # Errors
    ///
    /// If these credentials cannot sign; see [`Signer::new`].
    pub fn with_credentials(&self, credentials: Credentials) -> Result<Self> {
        Ok(self.derive(self.0.identity.with_credentials(credentials)?))
    }

    /// The same deployment and connections, without credentials: calls are not signed.
    #[must_use]
    pub fn without_credentials(&self) -> Self {
        self.derive(Identity::nobody())
    }

    /// The same client, limited to these scopes of its own, which replace an earlier limit.
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
    /// If the client has no credentials whose scopes could be limited.
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
        let Inner { connections, timeout, retry, .. } = &*self.0;
        Self(Arc::new(Inner {
            connections: connections.clone(),
            root,
            identity,
            timeout: *timeout,
            retry: *retry,
            validate: self.0.validate,
            max_body: self.0.max_body,
            strict_answers: self.0.strict_answers,
            corrections: self.0.corrections.clone(),
            clock: self.0.clock.clone(),
            #[cfg(feature = "artifacts")]
            storage: self.0.storage.clone(),
        }))
    }

    /// The deployment's root URL, without slashes at its end; `None` for a client of [`legacy`](Self::legacy) services.
    #[must_use]
    pub fn root_url(&self) -> Option<&str> {
        self.0.root.as_ref().map(|root| root.as_str().trim_end_matches('/'))
    }

    /// Whom calls are signed as; `None` for a client without credentials or with a provider of them.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.0.identity.client_id()
    }

    /// The HTTP client of the current runtime.
    pub(crate) fn http(&self) -> Result<reqwest::Client> {
        self.0.connections.here()
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    pub(crate) fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether arguments and payloads are held against their schemas.
    pub(crate) fn validates(&self) -> bool {
        self.0.validate
    }

    /// How many bytes a response may have.
    pub(crate) fn max_body(&self) -> usize {
        self.0.max_body
    }

    /// Whether an answer that lacks a required property is an error.
    pub(crate) fn strict_answers(&self) -> bool {
        self.0.strict_answers
    }

    /// What this client, and those derived from it, have warned of.
    pub(crate) fn corrections(&self) -> &Corrections {
        &self.0.corrections
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The current runtime's HTTP client for storage, which decodes nothing.
    #[cfg(feature = "artifacts")]
    pub(crate) fn storage_http(&self) -> Result<reqwest::Client> {
        self.0.storage.connections.here()
    }

    /// A client for the object service with credentials that are good for nothing else, not limited by the scopes of
    /// this one. It avoids a proxy that would put other credentials in their place.
    #[cfg(feature = "artifacts")]
    pub(crate) fn to_object_service(&self, credentials: Credentials) -> Result<Self> {
        let root = self.0.storage.direct_root.as_ref().or(self.0.root.as_ref());
        Ok(self.derive_at(root.cloned(), Identity::fixed(credentials, None)?))
    }

    /// What signs the next attempt; `None` for a client without credentials.
    pub(crate) async fn signer(&self) -> Result<Option<Arc<Signer>>> {
        self.0.identity.signer().await
    }

    /// What signs a URL, without waiting.
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

/// Settings of a [`Client`] to be.
#[must_use = "there is no client before `build`"]
pub struct ClientBuilder {
    root_url: Option<String>,
    #[cfg(feature = "artifacts")]
    direct_root_url: Option<String>,
    identity: Option<Chosen>,
    authorized_scopes: Option<Vec<String>>,
    timeout: Duration,
    retry: Retry,
    validate: bool,
    max_body: usize,
    max_clock_skew: Duration,
    strict_answers: bool,
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

    /// Signs every call with the credentials that the provider gives at that time.
    pub fn credentials_provider(mut self, provider: impl CredentialsProvider) -> Self {
        self.identity = Some(Chosen::Provider(Arc::new(provider)));
        self
    }

    /// Limits the client to these scopes, which its credentials must satisfy.
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
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the root URL of the deployment itself, if the client's own root URL is that of a proxy that signs requests, as a
    /// task's `TASKCLUSTER_PROXY_URL` is. [`Client::from_env`] sets it from `TASKCLUSTER_ROOT_URL`.
    ///
    /// Artifacts of type `object` come with credentials of their own, which such a proxy would replace by the task's. The
    /// module `artifacts` therefore sends calls with these credentials to this URL.
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

    /// How failed attempts are repeated.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Whether calls are checked against the schemas before anything is sent: typed payloads as by their `validate()`, path
    /// arguments against the patterns that the service's schemas have for them. Off unless set, since the service checks
    /// the same; on, a mistake is found without it, and all mistakes of a payload at once.
    ///
    /// ```
    /// let client = taskcluster::Client::builder("https://tc.example.com").validate(true).build()?;
    /// let error = taskcluster::Queue::new(&client).status("no-task-id").url().unwrap_err();
    /// assert!(error.to_string().starts_with("status: argument `taskId` does not match"), "{error}");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn validate(mut self, validate: bool) -> Self {
        self.validate = validate;
        self
    }

    /// Returns an error if a response lacks a property that its schema requires. By default, the property gets the empty value
    /// of its type.
    ///
    /// Deployments are older or newer than the references of this crate, and may have no such property yet, or no longer.
    /// So a missing text is empty by default, a number 0, a boolean `false`, a list or map empty, a date 1970-01-01, an enum
    /// `Unknown`, and a struct has such values in all fields. A warning is logged through `tracing`, once for each endpoint and
    /// property. Values of the wrong type are always errors.
    ///
    /// ```
    /// let client = taskcluster::Client::builder("https://tc.example.com").strict_answers(true).build()?;
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn strict_answers(mut self, strict: bool) -> Self {
        self.strict_answers = strict;
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
        self.max_body = bytes;
        self
    }

    /// Limits how far the client follows a service whose clock differs from this machine's; one day by default.
    ///
    /// If a service rejects a signature as stale, the client signs again by the time that the service gives. It keeps that
    /// time for later calls and signed URLs once the service has accepted a signature made by it, and says so in a
    /// `tracing` warning. A service that claims a larger difference (beyond a minute for rounding) is not followed: the
    /// call fails with the service's error.
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

    /// Changes the settings of the HTTP client: a proxy, for example, or the limits of its connections.
    ///
    /// The function gets what [`http_client_builder`](crate::http_client_builder) returns and adds settings to it. It is
    /// called once for each runtime that makes calls, when the runtime makes the first; wrong settings are an error of that
    /// call. Settings of several functions add up.
    ///
    /// Redirects must stay off, because the signature does not cover them: a response that comes from another URL than
    /// the one requested is refused.
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

    /// Sends through this HTTP client, to share the connections of other parts of the program.
    ///
    /// It has one pool of connections, so only one runtime can use it at a time: while a runtime that has made calls is
    /// there, calls in another one are errors, and so are blocking calls. It must not follow redirects; best make it from
    /// [`http_client_builder`](crate::http_client_builder). For settings alone, use
    /// [`configure_http`](Self::configure_http), which this replaces.
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

    /// Makes the client. Nothing is sent, and no certificates are loaded.
    ///
    /// # Errors
    ///
    /// A root URL that is not an `http` or `https` one, or has a query, fragment, user or password; credentials that
    /// cannot sign; authorized scopes without credentials.
    pub fn build(self) -> Result<Client> {
        let Self {
            root_url,
            #[cfg(feature = "artifacts")]
            direct_root_url,
            identity,
            authorized_scopes,
            timeout,
            retry,
            validate,
            max_body,
            max_clock_skew,
            strict_answers,
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
            timeout,
            retry,
            validate,
            max_body,
            strict_answers,
            corrections: Arc::default(),
            clock,
            #[cfg(feature = "artifacts")]
            storage,
        })))
    }
}

/// Shows the root URL alone, and not even that if it is none.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root_url =
            self.root_url.as_deref().map(|url| base_url::parse(url).map(String::from).ok());
        f.debug_struct("ClientBuilder").field("root_url", &root_url).finish_non_exhaustive()
    }
}
