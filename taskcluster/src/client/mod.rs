//! The client: one connection pool, one identity, any number of services.

pub(crate) mod attempt;
pub(crate) mod base_url;
pub(crate) mod builder;
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

use self::attempt::Hooks;
use self::clock::Clock;
use self::connections::Connections;
use self::identity::Identity;
use self::retry::Retry;
#[cfg(any(feature = "artifacts", feature = "follow"))]
use self::timer::Timer;
use crate::credentials::Credentials;
use crate::credentials::provider::CredentialsProvider;
use crate::error::Result;
use crate::hawk::Signer;
use crate::model::Corrections;

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
        self.root().map(|root| root.as_str().trim_end_matches('/'))
    }

    fn root(&self) -> Option<&Url> {
        self.0.root.as_ref()
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
