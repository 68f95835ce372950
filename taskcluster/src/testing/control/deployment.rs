//! The deployment, as tests use it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::expected::{self, ExpectedCall};
use super::state::State;
use super::stub::{DOWNLOAD, Key, StubBuilder, UPLOAD};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::server::Server;
use crate::testing::services::notify::Notification;
use crate::{
    Client, ClientBuilder, Credentials, Endpoint, Error, Reference, Result, Retry, slugid,
};

/// A Taskcluster deployment on a port of 127.0.0.1. It stops when its last handle is dropped.
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
/// let secret = Secret::new(json!({"password": "?"}), from_now("1 day")?);
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
    // Dropping this frees the port and ends the thread.
    _server: Server,
}

impl Deployment {
    /// Starts a deployment on a free port.
    ///
    /// It runs on its own thread, independent of the caller's runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if no port or thread is available.
    pub async fn start() -> Result<Self> {
        Self::start_blocking()
    }

    /// The blocking form of [`start`](Self::start).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`start`](Self::start).
    pub fn start_blocking() -> Result<Self> {
        Self::start_on(0)
    }

    /// Starts a deployment on this port, for programs that need to know the root URL beforehand; 0 picks a free port.
    ///
    /// # Errors
    ///
    /// Returns an error if the port is taken, and the errors of [`start`](Self::start).
    pub fn start_on(port: u16) -> Result<Self> {
        let state = Arc::new(State::default());
        let server = Server::start(state.clone(), port)?;
        let root_url = format!("http://{}", server.address());
        state.context().set_root_url(&root_url);
        Ok(Self(Arc::new(Inner { state, root_url, _server: server })))
    }

    pub(crate) fn state(&self) -> &Arc<State> {
        &self.0.state
    }

    /// Returns the root URL, such as `http://127.0.0.1:34567`.
    #[must_use]
    pub fn root_url(&self) -> &str {
        &self.0.root_url
    }

    /// Adds a client with these scopes, or replaces the one with this id, and returns its credentials.
    pub fn client<S: Into<String>>(
        &self,
        client_id: impl Into<String>,
        access_token: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Credentials {
        let (client_id, access_token) = (client_id.into(), access_token.into());
        let scopes = scopes.into_iter().map(Into::into).collect();
        self.0.state.services.auth.put_client(&client_id, &access_token, scopes, self.now());
        Credentials::new(client_id, access_token)
    }

    /// Adds a role with these scopes, or replaces the one with this id. A role id that ends in `*` matches every id with that
    /// prefix; `<..>` in its scopes is replaced by what the `*` matched.
    ///
    /// A new deployment has one role, `anonymous`; see [`anonymous_scopes`](Self::anonymous_scopes).
    ///
    /// ```
    /// use taskcluster::Auth;
    /// use taskcluster::testing::Deployment;
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.role("repo:*", ["auth:current-scopes", "queue:route:index.<..>.*"]);
    /// let auth = Auth::new(&fake.connect_as("ci", ["assume:repo:gecko"])?);
    /// let scopes = auth.current_scopes().send_blocking()?.scopes;
    /// assert!(scopes.contains(&"queue:route:index.gecko.*".to_owned()));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `createRole` would refuse the role because it leads to itself (as one with the scope `*` does) or misuses `<..>`.
    #[track_caller]
    #[expect(clippy::panic, reason = "documented; without the role a test would fail elsewhere")]
    pub fn role<S: Into<String>>(
        &self,
        role_id: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) {
        let scopes = scopes.into_iter().map(Into::into).collect();
        if let Err(refusal) =
            self.0.state.services.auth.put_role(&role_id.into(), scopes, self.now())
        {
            panic!("{}", refusal.message());
        }
    }

    /// Sets the scopes of the role `anonymous`, which every caller has, with or without credentials. A new deployment's role
    /// has only `queue:get-artifact:public/*`; [`PUBLIC_SCOPES`](Self::PUBLIC_SCOPES) are those of an open deployment.
    ///
    /// ```
    /// use taskcluster::Auth;
    /// use taskcluster::testing::Deployment;
    ///
    /// let fake = Deployment::start_blocking()?;
    /// let auth = Auth::new(&fake.anonymous()?);
    /// auth.current_scopes().send_blocking().unwrap_err();
    ///
    /// fake.anonymous_scopes(Deployment::PUBLIC_SCOPES.iter().copied());
    /// let scopes = auth.current_scopes().send_blocking()?.scopes;
    /// assert!(scopes.contains(&"assume:anonymous".to_owned()));
    /// assert!(scopes.contains(&"queue:status:*".to_owned()));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if a scope leads to the role itself.
    #[track_caller]
    pub fn anonymous_scopes<S: Into<String>>(&self, scopes: impl IntoIterator<Item = S>) {
        self.role("anonymous", scopes);
    }

    /// What everybody may do in a deployment that is open to the public: read, but no secrets and no private artifacts.
    pub const PUBLIC_SCOPES: &'static [&'static str] = &[
        "auth:current-scopes",
        "auth:expand-scopes",
        "auth:get-client:*",
        "auth:get-role:*",
        "auth:list-clients",
        "auth:list-roles",
        "github:get-badge:*",
        "github:get-repository:*",
        "github:latest-status:*",
        "github:list-builds",
        "hooks:get:*",
        "hooks:list-hooks:*",
        "hooks:list-last-fires:*",
        "hooks:status:*",
        "index:find-task:*",
        "index:list-namespaces:*",
        "index:list-tasks:*",
        "purge-cache:all-purge-requests",
        "purge-cache:purge-requests:*",
        "queue:get-artifact:public/*",
        "queue:get-provisioner:*",
        "queue:get-task:*",
        "queue:get-worker-type:*",
        "queue:get-worker:*",
        "queue:list-artifacts:*",
        "queue:list-dependent-tasks:*",
        "queue:list-provisioners",
        "queue:list-task-group:*",
        "queue:list-worker-types:*",
        "queue:list-workers:*",
        "queue:pending-count:*",
        "queue:status:*",
        "secrets:list-secrets",
        "web:read-pulse",
        "worker-manager:get-worker-pool:*",
        "worker-manager:get-worker:*",
        "worker-manager:list-providers",
        "worker-manager:list-worker-pool-errors:*",
        "worker-manager:list-worker-pools",
        "worker-manager:list-workers:*",
        "worker-manager:should-worker-terminate:*",
    ];

    /// Connects with the credentials of a client added before.
    ///
    /// The client retries as usual, but after delays of a few milliseconds. It uses no proxy.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such client, or its credentials cannot sign.
    pub fn connect(&self, client_id: &str) -> Result<Client> {
        let access_token = self.0.state.services.auth.access_token(client_id).ok_or_else(|| {
            Error::config(format!(
                "the embedded deployment has no client {client_id:?}; add it with `client`"
            ))
        })?;
        self.builder()?.credentials(Credentials::new(client_id, access_token)).build()
    }

    /// Adds a client with these scopes, as [`client`](Self::client) does, with a random access token, and connects as it.
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
    /// Returns the errors of [`connect`](Self::connect).
    pub fn connect_as<S: Into<String>>(
        &self,
        client_id: &str,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Client> {
        self.client(client_id, slugid::v4() + &slugid::v4(), scopes);
        self.connect(client_id)
    }

    /// Connects without credentials.
    ///
    /// # Errors
    ///
    /// Returns an error if the HTTP client cannot be set up.
    pub fn anonymous(&self) -> Result<Client> {
        self.builder()?.build()
    }

    /// Returns a builder set up as for [`connect`](Self::connect), for a test that needs its own credentials, retries or
    /// timeout.
    ///
    /// Its clients [validate](ClientBuilder::validate) calls before they send them. Turn that off to see what the service answers.
    ///
    /// # Errors
    ///
    /// Returns an error if the HTTP client cannot be set up.
    pub fn builder(&self) -> Result<ClientBuilder> {
        let retry = Retry::default()
            .first_delay(Duration::from_millis(1))
            .max_delay(Duration::from_millis(20));
        let builder = Client::builder(self.root_url())
            .configure_http(reqwest::ClientBuilder::no_proxy)
            .retry(retry)
            .validate(true)
            // A test may move this deployment's clock as far as it likes.
            .max_clock_skew(Duration::MAX);
        #[cfg(any(feature = "artifacts", feature = "follow"))]
        let builder = builder.timer(self.timer());
        Ok(builder)
    }

    /// Stubs an endpoint; see [`StubBuilder`].
    ///
    /// # Panics
    ///
    /// Panics if the endpoint belongs to a reference that this deployment does not [`serve`](Self::serve).
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
                "{endpoint} belongs to a reference that this deployment does not serve; call `serve` first"
            );
        };
        let key = Key::of(reference, endpoint);
        self.stub(Some((key, endpoint)))
    }

    /// Stubs all endpoints, for example with a fault that may hit any call.
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
        self.stub(None)
    }

    /// Stubs the storage's answers to downloads, that is, to `GET` requests for the URLs that it signs for artifacts and objects.
    ///
    /// ```
    /// use taskcluster::testing::{Deployment, Fault};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.on_downloads().times(1).fault(Fault::CutOff(1000));
    /// fake.on_uploads().one_in(2).fault(Fault::Disconnect);
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn on_downloads(&self) -> StubBuilder<'_> {
        self.stub(Some((Key::of_storage(&DOWNLOAD), &DOWNLOAD)))
    }

    /// Stubs the storage's answers to uploads, that is, to `PUT` requests for the URLs that it signs.
    pub fn on_uploads(&self) -> StubBuilder<'_> {
        self.stub(Some((Key::of_storage(&UPLOAD), &UPLOAD)))
    }

    fn stub(&self, target: Option<(Key, &'static Endpoint)>) -> StubBuilder<'_> {
        let state = &self.0.state;
        StubBuilder::new(&state.stubs, &state.context().schemas, target)
    }

    /// Removes all stubs.
    pub fn clear_stubs(&self) {
        self.0.state.stubs.clear();
    }

    /// Serves the endpoints of another reference, in addition to this crate's own services.
    ///
    /// It takes precedence over references served before for endpoints that they have in common.
    pub fn serve(&self, reference: &'static Reference) {
        self.0.state.serve(reference);
    }

    /// Adds the schemas of your own references: all JSON files below a folder that is laid out like a deployment's `/schemas`, so
    /// that `v1/build.json#` of the service `builds` is `<folder>/builds/v1/build.json`. A schema whose id is a URL is also
    /// found by that URL.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read or is not JSON. An invalid schema is reported when it is first used.
    pub fn schemas(&self, folder: impl AsRef<Path>) -> Result<()> {
        self.0.state.context().schemas.add(folder.as_ref())
    }

    /// Returns the notifications sent so far, without those to denied addresses.
    ///
    /// ```
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{Notify, notify::EmailRequest};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// let notify = Notify::new(&fake.connect_as("bot", ["notify:email:*"])?);
    /// let mail = EmailRequest::new("a@example.com", "Done", "All is well.");
    /// notify.email(&mail).send_blocking()?;
    /// assert_eq!(fake.notifications()[0].request["subject"], "Done");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    #[must_use]
    pub fn notifications(&self) -> Vec<Notification> {
        self.0.state.services.notify.notifications()
    }

    /// Returns the calls that reached an endpoint, in the order of their arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.0.state.record.calls()
    }

    /// Returns the requests to the storage, in the order of their arrival: those of the service `storage` with the endpoints
    /// `download` and `upload`. [`calls`](Self::calls) does not have them.
    #[must_use]
    pub fn transfers(&self) -> Vec<RecordedCall> {
        self.0.state.transfers.calls()
    }

    /// Asserts that exactly these calls were made, in this order, since the last [`clear_calls`](Self::clear_calls). Only
    /// what an [`ExpectedCall`] mentions is compared. Each retry counts as a call of its own.
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
    /// Panics with a diff if the calls differ. Panics, too, if an expected call names an endpoint, argument or option that no
    /// reference has.
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

    /// Asserts that at least one call was as expected, whatever else was called.
    ///
    /// # Panics
    ///
    /// Panics if no call was as expected, with a diff to each call of this endpoint. Panics, too, if the expected call names an
    /// endpoint, argument or option that no reference has.
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

    /// Clears the records of calls and of transfers.
    pub fn clear_calls(&self) {
        self.0.state.record.clear();
        self.0.state.transfers.clear();
    }
}

/// Shows the root URL.
impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployment").field("root_url", &self.0.root_url).finish_non_exhaustive()
    }
}
