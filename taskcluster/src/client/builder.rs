//! Building a client: its settings, and what they are unless a program sets them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "artifacts")]
use super::Storage;
use super::attempt::{Attempt, Hooks};
use super::clock::Clock;
use super::connections::{Connections, Source};
use super::identity::{Identity, no_credentials_to_limit};
use super::retry::Retry;
#[cfg(any(feature = "artifacts", feature = "follow"))]
use super::timer::Timer;
use super::{Client, Inner, Settings, base_url};
use crate::credentials::Credentials;
use crate::credentials::provider::CredentialsProvider;
use crate::error::Result;

/// The default limit of a response's size, in bytes. The largest pages of real deployments have a few MB.
const MAX_BODY: usize = 128 * 1024 * 1024;

/// How far a service's clock may differ from this machine's, by default.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(24 * 60 * 60);

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

    pub(super) fn build_with(root_url: Option<String>) -> ClientBuilder {
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
}

/// Configures a [`Client`]. Created by [`Client::builder`] or [`Client::legacy`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    pub(super) root_url: Option<String>,
    #[cfg(feature = "artifacts")]
    pub(super) direct_root_url: Option<String>,
    pub(super) identity: Option<Chosen>,
    authorized_scopes: Option<Vec<String>>,
    settings: Settings,
    hooks: Hooks,
    max_clock_skew: Duration,
    #[cfg(any(feature = "artifacts", feature = "follow"))]
    timer: Timer,
    http: Source,
}

pub(super) enum Chosen {
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
