//! The deployment as a test sees it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::client::retry::Retry;
use crate::client::{Client, ClientBuilder};
use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::reference::{Endpoint, Reference};
use crate::slugid;

use super::expected::{self, ExpectedCall};
use super::recorded::RecordedCall;
use super::server::Server;
use super::state::State;
use super::stub::{Key, StubBuilder};

/// A Taskcluster deployment on a free port of 127.0.0.1, for as long as a handle to it is there.
///
/// Clones are handles to the same deployment. Any number of deployments may run in one process.
///
/// ```
/// use taskcluster::testing::Deployment;
/// use taskcluster::{Secrets, StatusCode, from_now, json, secrets::Secret};
///
/// let fake = Deployment::start_blocking()?;
/// fake.client("reader", "no-secret", ["secrets:get:project/*"]);
///
/// let secrets = Secrets::new(&fake.connect("reader")?);
/// let secret = Secret::new(from_now("1 day")?, json!({"password": "?"}));
/// let error = secrets.set("project/x", &secret).send_blocking().unwrap_err();
/// assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
/// assert!(error.message().contains("secrets:set:project/x"));
/// # Ok::<(), taskcluster::Error>(())
/// ```
#[derive(Clone)]
pub struct Deployment(Arc<Inner>);

struct Inner {
    state: Arc<State>,
    root_url: String,
    // The port and the thread last as long as this.
    _server: Server,
}

impl Deployment {
    /// Starts a deployment.
    ///
    /// It runs on a thread of its own and needs nothing of the caller's runtime.
    ///
    /// # Errors
    ///
    /// If the operating system has no port or thread left.
    pub async fn start() -> Result<Self> {
        Self::start_blocking()
    }

    /// Starts a deployment; the same in a program without async.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_blocking() -> Result<Self> {
        Self::start_on(0)
    }

    /// Starts a deployment on this port, for programs that are told the root URL before; 0 is a free one.
    ///
    /// # Errors
    ///
    /// If the port is taken, and as [`start`](Self::start).
    pub fn start_on(port: u16) -> Result<Self> {
        let state = Arc::new(State::new());
        let server = Server::start(state.clone(), port)?;
        let root_url = format!("http://{}", server.address());
        state.set_root_url(&root_url);
        Ok(Self(Arc::new(Inner { state, root_url, _server: server })))
    }

    pub(super) fn state(&self) -> &Arc<State> {
        &self.0.state
    }

    /// Its root URL, such as `http://127.0.0.1:34567`.
    #[must_use]
    pub fn root_url(&self) -> &str {
        &self.0.root_url
    }

    /// Adds a client with these scopes, or replaces the one of that name. Returns its credentials.
    pub fn client<S: Into<String>>(
        &self,
        client_id: impl Into<String>,
        access_token: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Credentials {
        let (client_id, access_token) = (client_id.into(), access_token.into());
        let scopes = scopes.into_iter().map(Into::into).collect();
        let State { clients, .. } = &*self.0.state;
        clients.put(&client_id, &access_token, scopes, self.0.state.now());
        Credentials::new(client_id, access_token)
    }

    /// A client of this deployment with the credentials of a client that was added before.
    ///
    /// Its retries are the usual ones with delays of a few milliseconds. It uses no proxy.
    ///
    /// # Errors
    ///
    /// If there is no such client, or its credentials cannot sign.
    pub fn connect(&self, client_id: &str) -> Result<Client> {
        let access_token = self.0.state.clients.access_token(client_id).ok_or_else(|| {
            Error::config(format!(
                "the embedded deployment has no client {client_id:?}; add it by `client`"
            ))
        })?;
        self.builder()?.credentials(Credentials::new(client_id, access_token)).build()
    }

    /// Adds a client with these scopes, as [`client`](Self::client) does with a token of its own making, and connects as
    /// it.
    ///
    /// ```
    /// use taskcluster::Auth;
    /// use taskcluster::testing::Deployment;
    ///
    /// let fake = Deployment::start_blocking()?;
    /// let auth = Auth::new(&fake.connect_as("worker", ["auth:current-scopes"])?);
    /// auth.current_scopes().send_blocking()?;
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn connect_as<S: Into<String>>(
        &self,
        client_id: &str,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Client> {
        self.client(client_id, slugid::v4() + &slugid::v4(), scopes);
        self.connect(client_id)
    }

    /// A client of this deployment without credentials.
    ///
    /// # Errors
    ///
    /// If the HTTP client cannot be set up.
    pub fn anonymous(&self) -> Result<Client> {
        self.builder()?.build()
    }

    /// Begins a client of this deployment, set up as those of [`connect`](Self::connect), for a test that wants
    /// credentials, retries or a timeout of its own.
    ///
    /// # Errors
    ///
    /// If the HTTP client cannot be set up.
    pub fn builder(&self) -> Result<ClientBuilder> {
        let retry = Retry::default()
            .first_delay(Duration::from_millis(1))
            .max_delay(Duration::from_millis(20));
        Ok(Client::builder(self.root_url())
            .configure_http(reqwest::ClientBuilder::no_proxy)
            .retry(retry))
    }

    /// Begins a stub for an endpoint; see [`StubBuilder`].
    ///
    /// # Panics
    ///
    /// If the endpoint is of a reference that this deployment does not [`serve`](Self::serve).
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "documented; a stub that never answers would be harder to find"
    )]
    pub fn on(&self, endpoint: &'static Endpoint) -> StubBuilder<'_> {
        let references = self.0.state.references();
        let is_of = |reference: &&&Reference| {
            reference.endpoints.iter().any(|known| std::ptr::eq(known, endpoint))
        };
        let Some(reference) = references.iter().find(is_of) else {
            panic!(
                "{endpoint} is of a reference that this deployment does not serve; call `serve` first"
            );
        };
        let key = Key::of(reference, endpoint);
        StubBuilder::new(&self.0.state, Some((key, endpoint)))
    }

    /// Begins a stub for all endpoints, such as a fault that any call may meet.
    ///
    /// ```
    /// use taskcluster::Auth;
    /// use taskcluster::testing::{Deployment, Fault};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.on_any().one_in(2).fault(Fault::Disconnect);
    ///
    /// let auth = Auth::new(&fake.anonymous()?);
    /// for _ in 0..4 {
    ///     auth.ping().send_blocking()?;
    /// }
    /// assert_eq!(fake.calls().len(), 7, "the second attempt of each call but the first was fine");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn on_any(&self) -> StubBuilder<'_> {
        StubBuilder::new(&self.0.state, None)
    }

    /// Takes all stubs away.
    pub fn clear_stubs(&self) {
        self.0.state.stubs.clear();
    }

    /// Serves the endpoints of one more reference. Those of this crate's own services are served from the start.
    ///
    /// Where it has an endpoint in common with another reference, it takes precedence.
    pub fn serve(&self, reference: &'static Reference) {
        self.0.state.serve(reference);
    }

    /// Adds the schemas of your own references: all JSON files below a folder that is laid out like a deployment's
    /// `/schemas`, so that `v1/build.json#` of the service `builds` is `<folder>/builds/v1/build.json`. Schemas with an
    /// URL as their id are found by that, too.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or is not JSON. What is no schema shows when it is first used.
    pub fn schemas(&self, folder: impl AsRef<Path>) -> Result<()> {
        self.0.state.schemas.add(folder.as_ref())
    }

    /// The calls that reached an endpoint, in the order of their arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.0.state.record.calls()
    }

    /// Asserts that these calls were made, in this order, and no others. Of a call counts what is expected of it; each
    /// attempt of a call that was tried again is one. Those before [`clear_calls`](Self::clear_calls) do not count.
    ///
    /// ```
    /// use taskcluster::Auth;
    /// use taskcluster::testing::{Deployment, called};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// let auth = Auth::new(&fake.connect_as("tester", ["auth:*"])?);
    /// auth.list_clients().send_blocking()?;
    /// auth.ping().send_blocking()?;
    ///
    /// fake.assert_calls(["auth.listClients", "auth.ping"]);
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If there were other calls, with the difference; and if no call can be as expected, because the references lack a
    /// name.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is what assertions do")]
    pub fn assert_calls<E: Into<ExpectedCall>>(&self, expected: impl IntoIterator<Item = E>) {
        let expected: Vec<_> = expected.into_iter().map(Into::into).collect();
        let references = self.0.state.references();
        if let Some(error) = expected.iter().find_map(|call| call.check(&references).err()) {
            panic!("{error}");
        }
        if let Some(difference) = expected::difference(&expected, &self.calls()) {
            panic!("{difference}");
        }
    }

    /// Asserts that there was such a call, whatever else was called.
    ///
    /// # Panics
    ///
    /// If there was none, with what the calls of this endpoint were instead; and as
    /// [`assert_calls`](Self::assert_calls).
    #[track_caller]
    #[expect(clippy::panic, reason = "this is what assertions do")]
    pub fn assert_called(&self, expected: impl Into<ExpectedCall>) {
        let expected = expected.into();
        if let Err(error) = expected.check(&self.0.state.references()) {
            panic!("{error}");
        }
        if let Some(difference) = expected::not_called(&expected, &self.calls()) {
            panic!("{difference}");
        }
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.0.state.record.clear();
    }

    /// Puts the deployment's clock so many seconds ahead of this machine's, or behind it, by a century at most. It shows
    /// in the `Date` header of all answers, and signatures are judged by it. To let time pass without that, use
    /// [`advance`](Self::advance).
    pub fn set_clock_offset(&self, seconds: i64) {
        self.0.state.clock.set_offset(seconds);
    }
}

/// Shows the root URL.
impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployment").field("root_url", &self.0.root_url).finish_non_exhaustive()
    }
}
