//! The client: one connection pool, one identity, any number of services.

mod base_url;
pub(crate) mod clock;
pub(crate) mod http;
mod identity;
pub(crate) mod retry;
pub(crate) mod service;
#[cfg(feature = "artifacts")]
mod storage;
#[cfg(any(feature = "pulse", all(feature = "rustls", not(feature = "native-tls"))))]
pub(crate) mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use self::clock::Clock;
use self::http::http_client_builder_for;
use self::identity::{Identity, no_credentials_to_limit};
use self::retry::Retry;
#[cfg(feature = "artifacts")]
use self::storage::Storage;
use crate::credentials::{Credentials, CredentialsProvider};
use crate::env::variable;
use crate::error::{Error, Result};
use crate::hawk::Signer;

/// A deployment as seen by one identity. Cheap to clone; clones and derived clients share one pool of connections.
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
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    /// `None` where each service has an URL of its own.
    root: Option<Url>,
    identity: Identity,
    timeout: Duration,
    retry: Retry,
    validate: bool,
    clock: Arc<Clock>,
    #[cfg(feature = "artifacts")]
    storage: Arc<Storage>,
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
            http: None,
        }
    }

    /// A client as the environment describes it.
    ///
    /// Inside a task with the proxy feature, `TASKCLUSTER_PROXY_URL` is used; the proxy signs, so that credentials are
    /// left aside. Otherwise `TASKCLUSTER_ROOT_URL`, with `TASKCLUSTER_CLIENT_ID`, `TASKCLUSTER_ACCESS_TOKEN` and
    /// `TASKCLUSTER_CERTIFICATE` where they are set. An empty variable counts as unset.
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
        let Inner { http, root, timeout, retry, validate, clock, .. } = &*self.0;
        Self(Arc::new(Inner {
            http: http.clone(),
            root: root.clone(),
            identity,
            timeout: *timeout,
            retry: *retry,
            validate: *validate,
            clock: clock.clone(),
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

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
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

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The HTTP client for storage, which decodes nothing.
    #[cfg(feature = "artifacts")]
    pub(crate) fn storage_http(&self) -> Result<&reqwest::Client> {
        self.0.storage.http(self.0.root.as_ref())
    }

    /// A client for the object service with credentials that are good for nothing else, not limited by the scopes of
    /// this one. It avoids a proxy that would put other credentials in their place.
    #[cfg(feature = "artifacts")]
    pub(crate) fn to_object_service(&self, credentials: Credentials) -> Result<Self> {
        let Inner { http, timeout, retry, validate, .. } = &*self.0;
        Ok(Self(Arc::new(Inner {
            http: http.clone(),
            root: self.0.storage.direct_root().or(self.0.root.as_ref()).cloned(),
            identity: Identity::fixed(credentials, None)?,
            timeout: *timeout,
            retry: *retry,
            validate: *validate,
            clock: self.0.clock.clone(),
            storage: self.0.storage.clone(),
        })))
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
    http: Option<reqwest::Client>,
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

    /// How long one attempt may take, from connecting to the body's last byte; 30 seconds unless told. What a
    /// credentials provider takes does not count.
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

    /// Sends through this HTTP client, for a proxy or own TLS settings, or to share the rest of a program's connections.
    ///
    /// Best made from [`http_client_builder`](crate::http_client_builder). It must not follow redirects, which the signature does not cover: an
    /// answer that comes from another URL than was asked is refused.
    ///
    /// ```
    /// let http = taskcluster::http_client_builder()?.no_proxy().build()?;
    /// let client = taskcluster::Client::builder("https://tc.example.com").http_client(http).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Makes the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A root URL that is not an `http` or `https` one, or has a query, fragment, user or password; credentials that
    /// cannot sign; authorized scopes without credentials; TLS that cannot be set up.
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
        let storage = Arc::new(Storage::new(http.clone(), direct_root_url.as_deref())?);
        let http = match http {
            Some(http) => http,
            None => http_client_builder_for(root.as_ref())?.build().map_err(|error| {
                Error::config("the HTTP client cannot be set up").because(error)
            })?,
        };
        let clock = Arc::default();
        Ok(Client(Arc::new(Inner {
            http,
            root,
            identity,
            timeout,
            retry,
            validate,
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
