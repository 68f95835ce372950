//! Who calls: permanent and temporary credentials, and where they come from.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::error::{Error, Result};
use crate::hawk::Key;
use crate::slugid;

/// A client id with its access token and, for temporary credentials, a certificate.
///
/// `Debug` shows the client id alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    client_id: String,
    access_token: String,
    /// JSON, as it came.
    certificate: Option<String>,
}

impl Credentials {
    /// Permanent credentials.
    ///
    /// ```
    /// use taskcluster::Credentials;
    ///
    /// let credentials = Credentials::new("project/builds", "no-secret");
    /// assert_eq!(format!("{credentials:?}"), r#"Credentials { client_id: "project/builds", temporary: false, .. }"#);
    /// ```
    pub fn new(client_id: impl Into<String>, access_token: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), access_token: access_token.into(), certificate: None }
    }

    /// Makes them temporary ones, with the certificate as JSON text. An empty text counts as none, as it does in the
    /// environment of a task.
    #[must_use]
    pub fn with_certificate(mut self, certificate: impl Into<String>) -> Self {
        self.certificate = Some(certificate.into()).filter(|text| !text.trim().is_empty());
        self
    }

    /// Reads `TASKCLUSTER_CLIENT_ID`, `TASKCLUSTER_ACCESS_TOKEN` and `TASKCLUSTER_CERTIFICATE`; an empty variable
    /// counts as unset, and with neither of the first two there are no credentials.
    ///
    /// # Errors
    ///
    /// If only one of the first two is set.
    pub fn from_env() -> Result<Option<Self>> {
        let id = crate::env::variable("TASKCLUSTER_CLIENT_ID");
        let token = crate::env::variable("TASKCLUSTER_ACCESS_TOKEN");
        match (id, token) {
            (Some(id), Some(token)) => {
                let certificate =
                    crate::env::variable("TASKCLUSTER_CERTIFICATE").unwrap_or_default();
                Ok(Some(Self::new(id, token).with_certificate(certificate)))
            }
            (None, None) => Ok(None),
            (Some(_), None) => Err(Error::config(
                "TASKCLUSTER_CLIENT_ID is set but TASKCLUSTER_ACCESS_TOKEN is not",
            )),
            (None, Some(_)) => Err(Error::config(
                "TASKCLUSTER_ACCESS_TOKEN is set but TASKCLUSTER_CLIENT_ID is not",
            )),
        }
    }

    /// The client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The access token: the secret itself.
    #[must_use]
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// The certificate of temporary credentials, as JSON text.
    #[must_use]
    pub fn certificate_json(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// Temporary credentials that act for these, from now and for so long; made without asking any service.
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskcluster::Credentials;
    ///
    /// let credentials = Credentials::new("project/builds", "no-secret");
    /// let temporary = credentials.temporary(Duration::from_secs(3600)).scopes(["queue:*"]).create()?;
    /// assert_eq!(temporary.client_id(), "project/builds");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn temporary(&self, lifetime: Duration) -> TemporaryBuilder<'_> {
        TemporaryBuilder { issuer: self, lifetime, scopes: Vec::new(), name: None, start: None }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("temporary", &self.certificate.is_some())
            .finish_non_exhaustive()
    }
}

/// Makes temporary credentials; see [`Credentials::temporary`].
#[derive(Clone, Debug)]
#[must_use = "nothing is made before `create`"]
pub struct TemporaryBuilder<'a> {
    issuer: &'a Credentials,
    lifetime: Duration,
    scopes: Vec<String>,
    name: Option<String>,
    start: Option<DateTime<Utc>>,
}

impl TemporaryBuilder<'_> {
    /// The scopes they have; the issuer must hold them when they are used. Without any they may do what anybody may.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Gives them a client id of their own; the issuer needs `auth:create-client:<name>`.
    pub fn name(mut self, client_id: impl Into<String>) -> Self {
        self.name = Some(client_id.into());
        self
    }

    /// When they begin to be valid, instead of now.
    pub fn start(mut self, start: DateTime<Utc>) -> Self {
        self.start = Some(start);
        self
    }

    /// Makes them.
    ///
    /// # Errors
    ///
    /// A lifetime of over 31 days, an empty name, a name equal to the issuer's client id, and temporary credentials as
    /// issuer: the auth service refuses all of these. Also a scope with a line break, which could not be signed.
    pub fn create(self) -> Result<Credentials> {
        self.create_with_seed(&(slugid::v4() + &slugid::v4()))
    }

    fn create_with_seed(self, seed: &str) -> Result<Credentials> {
        let Self { issuer, lifetime, scopes, name, start } = self;
        if issuer.certificate.is_some() {
            return Err(Error::config("temporary credentials cannot issue temporary credentials"));
        }
        let lifetime = TimeDelta::from_std(lifetime)
            .ok()
            .filter(|lifetime| *lifetime <= TimeDelta::days(31))
            .ok_or_else(|| Error::config("temporary credentials cannot live for over 31 days"))?;
        match name.as_deref() {
            Some("") => return Err(Error::config("the name of temporary credentials is empty")),
            Some(name) if name == issuer.client_id => {
                return Err(Error::config(
                    "named temporary credentials need another name than their issuer's",
                ));
            }
            _ => {}
        }
        if scopes.iter().chain(&name).any(|text| text.contains(['\n', '\r'])) {
            return Err(Error::config("a scope or name with a line break cannot be signed"));
        }
        let start = start.unwrap_or_else(Utc::now);
        let expiry = start
            .checked_add_signed(lifetime)
            .ok_or_else(|| Error::config("temporary credentials would end beyond all dates"))?;
        let (start, expiry) = (start.timestamp_millis(), expiry.timestamp_millis());

        let access_token = URL_SAFE_NO_PAD.encode(hmac(issuer, seed));
        let text =
            certificate_text(name.as_deref(), &issuer.client_id, seed, start, expiry, &scopes);
        let mut certificate = json!({
            "version": 1, "scopes": scopes, "start": start, "expiry": expiry, "seed": seed,
            "signature": STANDARD.encode(hmac(issuer, &text)),
        });
        if name.is_some() {
            certificate["issuer"] = json!(issuer.client_id);
        }
        let client_id = name.unwrap_or_else(|| issuer.client_id.clone());
        Ok(Credentials { client_id, access_token, certificate: Some(certificate.to_string()) })
    }
}

/// The text that a certificate's signature is made of.
fn certificate_text(
    name: Option<&str>,
    issuer: &str,
    seed: &str,
    start: i64,
    expiry: i64,
    scopes: &[String],
) -> String {
    let mut lines = vec!["version:1".to_owned()];
    if let Some(name) = name {
        lines.extend([format!("clientId:{name}"), format!("issuer:{issuer}")]);
    }
    lines.extend([
        format!("seed:{seed}"),
        format!("start:{start}"),
        format!("expiry:{expiry}"),
        "scopes:".to_owned(),
    ]);
    lines.extend_from_slice(scopes);
    lines.join("\n")
}

fn hmac(issuer: &Credentials, text: &str) -> [u8; 32] {
    Key::new(&issuer.access_token).mac(text.as_bytes())
}

/// A source of credentials that change while a program runs, such as those of a worker's task.
///
/// It is asked before every attempt, so it should keep what it got for as long as that is valid.
///
/// ```
/// use taskcluster::{Credentials, CredentialsFuture, CredentialsProvider};
///
/// struct Hourly(Credentials);
///
/// impl CredentialsProvider for Hourly {
///     fn credentials(&self) -> CredentialsFuture<'_> {
///         Box::pin(async { Ok(self.0.temporary(std::time::Duration::from_secs(3600)).create()?) })
///     }
/// }
///
/// let client = taskcluster::Client::builder("https://tc.example.com")
///     .credentials_provider(Hourly(Credentials::new("project/builds", "no-secret")))
///     .build()?;
/// # Ok::<(), taskcluster::Error>(())
/// ```
pub trait CredentialsProvider: Send + Sync + 'static {
    /// The credentials to sign the next attempt with.
    fn credentials(&self) -> CredentialsFuture<'_>;
}

/// What a [`CredentialsProvider`] returns.
pub type CredentialsFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Credentials, Box<dyn StdError + Send + Sync>>> + Send + 'a>>;
