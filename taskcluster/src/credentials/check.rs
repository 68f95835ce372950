//! What the auth service says of credentials.

use chrono::{DateTime, Utc};
use futures_util::future::join;
use reqwest::StatusCode;

use super::Credentials;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::runtime::block_on;
use crate::services::{Auth, auth::GetClientResponse};

/// What the auth service says of credentials; see [`Credentials::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckedCredentials {
    /// The client id that calls are made with.
    pub client_id: String,
    /// Whether the credentials have a certificate.
    pub is_temporary: bool,
    /// The client id that issued named temporary credentials.
    pub issuer: Option<String>,
    /// When temporary credentials start to be valid.
    pub start: Option<DateTime<Utc>>,
    /// When the credentials expire: the certificate or the client in the auth service, whichever is earlier. `None` if neither
    /// is known.
    pub expiry: Option<DateTime<Utc>>,
    /// Whether the client, or the issuer of temporary credentials, is disabled.
    pub is_disabled: bool,
    /// The scopes of the credentials, expanded by roles. `None` if the credentials are refused, or do not have the scope
    /// `auth:current-scopes`.
    pub scopes: Option<Vec<String>>,
    /// Why the auth service refuses the credentials, in its words.
    pub refusal: Option<String>,
}

impl CheckedCredentials {
    /// Whether the auth service accepts the credentials now.
    #[must_use]
    pub fn is_active(&self) -> bool {
        let now = Utc::now();
        self.refusal.is_none()
            && !self.is_disabled
            && self.start.is_none_or(|start| start <= now)
            && self.expiry.is_none_or(|expiry| now < expiry)
    }
}

impl Credentials {
    /// Asks the auth service of a deployment about the credentials: whether it accepts them, what scopes they have, and when
    /// they expire (feature `auth`).
    ///
    /// The client says which deployment; its own credentials are not used. That the service refuses the credentials is not an
    /// error, but what [`is_active`](CheckedCredentials::is_active) and [`refusal`](CheckedCredentials::refusal) tell.
    ///
    /// ```
    /// use taskcluster::testing::Deployment;
    ///
    /// let fake = Deployment::start_blocking()?;
    /// let credentials = fake.client("project/builds", "no-secret", ["auth:current-scopes", "queue:*"]);
    ///
    /// let checked = credentials.check_blocking(&fake.anonymous()?)?;
    /// assert!(checked.is_active() && !checked.is_temporary);
    /// assert!(checked.scopes.unwrap().contains(&"queue:*".to_owned()));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the certificate is invalid, or if the service cannot be asked.
    pub async fn check(&self, client: &Client) -> Result<CheckedCredentials> {
        let known = self.information()?;
        let issuer = known.issuer.as_deref().unwrap_or(&self.client_id);
        let anyone = client.without_credentials();
        let own = Auth::new(&anyone.with_credentials(self.clone())?);
        let (issuer, scopes) =
            join(look_up(&Auth::new(&anyone), &own, issuer), own.current_scopes().send()).await;
        let issuer = issuer?;
        let (scopes, refusal) = match scopes {
            Ok(response) => (Some(response.scopes), None),
            Err(error) if is(&error, StatusCode::FORBIDDEN) => (None, None),
            Err(error) if is(&error, StatusCode::UNAUTHORIZED) => {
                (None, Some(error.message().to_owned()))
            }
            Err(error) => return Err(error),
        };
        let of_issuer = issuer.as_ref().map(|issuer| issuer.expires);
        Ok(CheckedCredentials {
            client_id: known.client_id,
            is_temporary: known.is_temporary,
            issuer: known.issuer,
            start: known.start,
            expiry: known.expiry.into_iter().chain(of_issuer).min(),
            is_disabled: issuer.is_some_and(|issuer| issuer.disabled),
            scopes,
            refusal,
        })
    }

    /// The blocking form of [`check`](Self::check).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`check`](Self::check), and one if called inside an asynchronous runtime.
    pub fn check_blocking(&self, client: &Client) -> Result<CheckedCredentials> {
        block_on(self.check(client))?
    }
}

/// Looks up a client as anyone may in most deployments, or else with the credentials themselves. Returns `None` if it does not
/// exist or may not be looked up.
async fn look_up(anyone: &Auth, own: &Auth, client_id: &str) -> Result<Option<GetClientResponse>> {
    let found = match anyone.client(client_id).send().await {
        Err(error) if is(&error, StatusCode::FORBIDDEN) => own.client(client_id).send().await,
        found => found,
    };
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.status().is_some_and(|status| status.is_client_error()) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is(error: &Error, status: StatusCode) -> bool {
    error.is_api() && error.status() == Some(status)
}
