//! Sign-in through the browser (feature `signin`): a person grants a program on their machine some of their scopes.
//!
//! [`SignIn`] opens the page of the deployment's web interface where clients are created. The person signs in there, looks at
//! the scopes and saves the client; the web interface then sends the browser back to the program, with the client's
//! credentials.
//!
//! ```no_run
//! use taskcluster::signin::SignIn;
//! use taskcluster::{Client, Credentials};
//!
//! # async fn f() -> Result<(), taskcluster::Error> {
//! let root_url = "https://tc.example.com";
//! let client = Client::builder(root_url).build()?;
//! let credentials = match Credentials::load(root_url)? {
//!     Some(saved) if saved.check(&client).await?.is_active() => saved,
//!     _ => {
//!         let signed_in = SignIn::new(&client).name("builds").scopes(["queue:*", "auth:current-scopes"]).run().await?;
//!         signed_in.save(root_url)?;
//!         signed_in
//!     }
//! };
//! let client = client.with_credentials(credentials)?;
//! # Ok(()) }
//! ```
//!
//! # How it is protected
//!
//! - The program listens on the loopback interface only, for IPv4 and, where there is one, for IPv6. `localhost` may be either, so
//!   it takes no port of which another program has the other half.
//! - It takes the credentials only at a random path, so another page cannot hand it those of somebody else; only by the name
//!   `localhost`, so no page can reach it by a name of its own; and only once.
//! - The browser is sent on at once, so the access token does not stay in its address bar. The page that it shows loads nothing,
//!   runs no script, and is not stored.
//! - Anything else that arrives is refused and does not end the wait. Requests are limited in size and time, and the whole
//!   [in time](SignIn::timeout).
//!
//! The credentials are those of a client that expires ([`SignIn::expires`]), without a certificate. They pass through the
//! browser, so what can read its traffic, such as an extension, can read them. While it starts, other users of the machine may
//! see the page's URL in the list of processes. It contains the random path, but no credentials.

mod answer;
mod page;
mod server;

use std::error::Error as StdError;
use std::pin::pin;
use std::thread;
use std::time::Duration;

use chrono::Utc;
use futures_util::future::{Either, join, select};
use reqwest::{StatusCode, Url};
use tokio::sync::oneshot;
use tokio::time::timeout;

use self::server::{Callback, Server, bind};
use crate::client::Client;
use crate::credentials::Credentials;
use crate::dates::from_now_since;
use crate::error::{Error, Result};
use crate::runtime::block_on;
use crate::services::Auth;
use crate::slugid;

/// How long to wait for the browser to show the last page.
const LAST_PAGE: Duration = Duration::from_secs(5);

/// How many scopes the web interface reads from a URL.
const MAX_SCOPES: usize = 20;

/// Signs a person in through the browser. See the [module](self) for what happens.
///
/// ```
/// use taskcluster::signin::SignIn;
/// use taskcluster::testing::Deployment;
///
/// let fake = Deployment::start_blocking()?;
/// let person = fake.web_user("github/1|octocat", ["queue:*"]);
///
/// let credentials = SignIn::new(&fake.anonymous()?)
///     .name("builds")
///     .scopes(["queue:create-task:*"])
///     .expires("8 hours")
///     .open_with(move |url| person.save(url)) // without this line: by the browser
///     .run_blocking()?;
/// assert!(credentials.client_id().starts_with("github/1|octocat/builds-"));
/// # Ok::<(), taskcluster::Error>(())
/// ```
#[must_use = "nobody is asked until `run` is called"]
pub struct SignIn {
    client: Client,
    name: String,
    scopes: Vec<String>,
    expires: String,
    description: Option<String>,
    port: u16,
    timeout: Duration,
    open: Option<Open>,
}

type Failure = Box<dyn StdError + Send + Sync>;

type Open = Box<dyn FnOnce(&Url) -> Result<(), Failure> + Send>;

impl SignIn {
    /// Signs in to the deployment of this client, whose credentials are not used.
    pub fn new(client: &Client) -> Self {
        Self {
            client: client.without_credentials(),
            name: "cli".to_owned(),
            scopes: Vec::new(),
            expires: "1 day".to_owned(),
            description: None,
            port: 0,
            timeout: Duration::from_secs(5 * 60),
            open: None,
        }
    }

    /// Sets the name of the program; `cli` by default. The client is called `<client id of the person>/<name>-<six random
    /// characters>`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds scopes to ask for; at least one is needed, and at most 20 are possible. The client gets those that the person has.
    ///
    /// Ask for what the program needs: `*` is everything that the person may do. To use
    /// [`Credentials::check`](crate::Credentials::check), add `auth:current-scopes` if the deployment does not give it to
    /// everybody.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Sets how long the client lives, in the words of [`from_now`](crate::from_now); `1 day` by default.
    pub fn expires(mut self, expires: impl Into<String>) -> Self {
        self.expires = expires.into();
        self
    }

    /// Sets the description of the client, which tells the person what it is for.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the port to listen on, for a browser that reaches it through a tunnel; by default, any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Limits how long to wait for the person; 5 minutes by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Opens the page with this function instead of the browser: to print the URL, for example. The function runs on a thread of
    /// its own, so it may block. An error ends the sign-in.
    ///
    /// By default the page is opened in the person's browser. If there is none, the URL is printed to standard error.
    ///
    /// ```
    /// # let client = taskcluster::Client::builder("https://tc.example.com").build()?;
    /// let sign_in = taskcluster::signin::SignIn::new(&client).scopes(["queue:*"]).open_with(|url| {
    ///     println!("To sign in, open {url}");
    ///     Ok::<_, std::io::Error>(())
    /// });
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn open_with<E: Into<Box<dyn StdError + Send + Sync>>>(
        mut self,
        open: impl FnOnce(&Url) -> Result<(), E> + Send + 'static,
    ) -> Self {
        self.open = Some(Box::new(|url| open(url).map_err(Into::into)));
        self
    }

    /// Opens the page, waits for the person, and returns the credentials after the auth service has accepted them.
    ///
    /// # Errors
    ///
    /// Returns an error if the name, the scopes or the lifetime are invalid, if the port is taken, if the page cannot be opened,
    /// if nobody has signed in in time ([`is_transport`](Error::is_transport)), or if the auth service does not accept the
    /// credentials.
    pub async fn run(mut self) -> Result<Credentials> {
        self.validate()?;
        let failed = |error| Error::config("cannot listen for the browser").because(error);
        let (sockets, port) = bind(self.port).await.map_err(failed)?;
        let nonce = slugid::v4();
        let url = self.page(&format!("http://localhost:{port}/{nonce}"))?;
        let open = self.open.take().unwrap_or_else(|| Box::new(open_browser));
        let (callback, handed_in) = Callback::new(port, &nonce, &self.name);
        let server = Server::start(sockets, callback);

        let opened = open_on_a_thread(open, url)?;
        let credentials = async {
            match select(handed_in, pin!(opened)).await {
                Either::Right((Err(error), _)) => Err(error),
                Either::Right((Ok(()), handed_in)) => Ok(handed_in.await),
                Either::Left((credentials, _)) => Ok(credentials),
            }
        };
        let seconds = self.timeout.as_secs();
        let credentials = timeout(self.timeout, credentials).await.map_err(|_| {
            Error::disconnected(format!("nobody has signed in within {seconds} seconds"))
        })??;
        let credentials = credentials.map_err(|_| Error::config("the server ended"))?;

        // Meanwhile the browser shows the last page. If it does not, the person has less to look at, no more.
        let shown = timeout(LAST_PAGE, server.last_page());
        let (checked, _) = join(check(&self.client, credentials), shown).await;
        checked
    }

    /// The blocking form of [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`run`](Self::run), and one if called inside an asynchronous runtime.
    pub fn run_blocking(self) -> Result<Credentials> {
        block_on(self.run())?
    }

    /// Refuses what the web interface would stumble over.
    fn validate(&self) -> Result<()> {
        let refuse = |why: String| Err(Error::input(format!("the sign-in {why}")));
        let fits = |c: char| c.is_ascii_alphanumeric() || "!@/:.+|_-".contains(c);
        if self.name.is_empty() || !self.name.chars().all(fits) {
            return refuse(format!("has a name that a client id cannot contain: {:?}", self.name));
        }
        match self.scopes.len() {
            0 => return refuse("asks for no scopes; add those that the program needs".to_owned()),
            1..=MAX_SCOPES => {}
            many => return refuse(format!("asks for {many} scopes; {MAX_SCOPES} are possible")),
        }
        let now = Utc::now();
        if from_now_since(&self.expires, now)? <= now {
            return refuse(format!("has a lifetime that ends at once: {:?}", self.expires));
        }
        Ok(())
    }

    /// The page of the web interface that creates the client.
    fn page(&self, callback_url: &str) -> Result<Url> {
        let root = self.client.root_url();
        let root = root.ok_or_else(|| {
            Error::config("only a deployment with a root URL has a page to sign in")
        })?;
        let mut url = Url::parse(&format!("{root}/auth/clients/create"))
            .map_err(|error| Error::config("the URL of the page is invalid").because(error))?;
        let description = || format!("Created by the sign-in of {}", self.name);
        let description = self.description.clone().unwrap_or_else(description);
        url.query_pairs_mut()
            .extend_pairs(self.scopes.iter().map(|scope| ("scope", scope)))
            .append_pair("name", &format!("{}-{}", self.name, &slugid::nice()[..6]))
            .append_pair("expires", &self.expires)
            .append_pair("callback_url", callback_url)
            .append_pair("description", &description);
        Ok(url)
    }
}

/// Opens the person's browser, or prints the URL if there is none.
fn open_browser(url: &Url) -> Result<(), Failure> {
    if webbrowser::open(url.as_str()).is_err() {
        eprintln!("To sign in, open {url}");
    }
    Ok(())
}

/// Opens the page on a thread that nobody waits for at the end: a browser may run in its foreground.
fn open_on_a_thread(open: Open, url: Url) -> Result<impl Future<Output = Result<()>>> {
    let (done, opened) = oneshot::channel();
    thread::Builder::new()
        .name("taskcluster-signin".to_owned())
        .spawn(move || done.send(open(&url)))
        .map_err(|error| Error::config("cannot start a thread").because(error))?;
    Ok(async {
        let failed = || Error::config("cannot open the page to sign in");
        match opened.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(failed().because(error)),
            Err(_) => Err(failed().because("the function that opens it panicked")),
        }
    })
}

/// Asks the auth service whether it accepts the credentials. It does if they only lack the scope to ask for their scopes.
async fn check(client: &Client, credentials: Credentials) -> Result<Credentials> {
    let auth = Auth::new(&client.with_credentials(credentials.clone())?);
    match auth.current_scopes().send().await {
        Err(error) if error.status() != Some(StatusCode::FORBIDDEN) => Err(error),
        _ => Ok(credentials),
    }
}

/// Shows the deployment, and what is asked for.
impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn")
            .field("client", &self.client)
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
