//! What credentials say of themselves.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Credentials;
use crate::error::{Error, Result};

impl Credentials {
    /// Returns what can be read from the credentials themselves, without calling a service.
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskcluster::Credentials;
    ///
    /// let credentials = Credentials::new("project/builds", "no-secret");
    /// let temporary = credentials.temporary(Duration::from_secs(60)).scopes(["a:*"]).name("abc/def").create()?;
    /// let information = temporary.information()?;
    /// assert_eq!(information.client_id, "abc/def");
    /// assert_eq!(information.issuer.as_deref(), Some("project/builds"));
    /// assert!(information.is_active());
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the certificate is invalid.
    pub fn information(&self) -> Result<CredentialsInformation> {
        let mut information = CredentialsInformation {
            client_id: self.client_id.clone(),
            is_temporary: self.certificate.is_some(),
            issuer: None,
            start: None,
            expiry: None,
            scopes: None,
        };
        let Some(certificate) = &self.certificate else { return Ok(information) };
        let refuse = |what: &str| Error::config(format!("invalid certificate: {what}"));
        let certificate: Value =
            serde_json::from_str(certificate).map_err(|_| refuse("not JSON"))?;
        let date = |key: &str| {
            let millis = certificate.get(key).and_then(Value::as_i64);
            let date = millis.and_then(DateTime::from_timestamp_millis);
            date.ok_or_else(|| refuse(&format!("`{key}` must be milliseconds since 1970")))
        };
        let scopes = certificate.get("scopes").and_then(Value::as_array).and_then(|scopes| {
            scopes.iter().map(|scope| scope.as_str().map(str::to_owned)).collect::<Option<_>>()
        });
        information.start = Some(date("start")?);
        information.expiry = Some(date("expiry")?);
        information.scopes =
            Some(scopes.ok_or_else(|| refuse("`scopes` must be a list of strings"))?);
        let issuer = certificate.get("issuer").and_then(Value::as_str);
        information.issuer = issuer.map(str::to_owned);
        Ok(information)
    }
}

/// What can be read from credentials themselves; see [`Credentials::information`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialsInformation {
    /// The client id that calls are made with.
    pub client_id: String,
    /// Whether the credentials have a certificate.
    pub is_temporary: bool,
    /// The client id that issued named temporary credentials.
    pub issuer: Option<String>,
    /// When temporary credentials start to be valid.
    pub start: Option<DateTime<Utc>>,
    /// When temporary credentials expire.
    pub expiry: Option<DateTime<Utc>>,
    /// The scopes of temporary credentials. Only the auth service knows those of permanent ones.
    pub scopes: Option<Vec<String>>,
}

impl CredentialsInformation {
    /// Whether the credentials are valid now, by this machine's clock. For permanent credentials this is always true.
    #[must_use]
    pub fn is_active(&self) -> bool {
        let now = Utc::now();
        self.start.is_none_or(|start| start <= now) && self.expiry.is_none_or(|expiry| now < expiry)
    }
}
