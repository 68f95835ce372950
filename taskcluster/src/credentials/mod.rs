//! Permanent and temporary credentials, and where they come from.

#[cfg(feature = "auth")]
pub(crate) mod check;
#[cfg(feature = "command")]
pub(crate) mod command;
pub(crate) mod file;
pub(crate) mod in_records;
pub(crate) mod information;
pub(crate) mod provider;
pub(crate) mod refreshing;
pub(crate) mod saved;
pub(crate) mod shared;
pub(crate) mod temporary;
pub(crate) mod with_secrets;

use std::fmt;

use serde_json::{Value, json};

use crate::env::variable;
use crate::error::{Error, Result};

/// A client id, its access token and, for temporary credentials, a certificate.
///
/// `Debug` shows the client id and whether they are temporary, never the secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    client_id: String,
    access_token: String,
    /// The JSON, exactly as received.
    certificate: Option<String>,
}

impl Credentials {
    /// Creates permanent credentials.
    ///
    /// White space around the client id and the access token is dropped. Neither can contain any, but what is read from a
    /// file often ends with a newline.
    ///
    /// ```
    /// use taskcluster::Credentials;
    ///
    /// let credentials = Credentials::new("project/builds", "no-secret");
    /// assert_eq!(format!("{credentials:?}"), r#"Credentials { client_id: "project/builds", temporary: false, .. }"#);
    /// ```
    pub fn new(client_id: impl Into<String>, access_token: impl Into<String>) -> Self {
        Self {
            client_id: trimmed(client_id.into()),
            access_token: trimmed(access_token.into()),
            certificate: None,
        }
    }

    /// Adds a certificate (JSON text), which makes the credentials temporary.
    ///
    /// An empty string means no certificate, as it does in the environment of a task.
    #[must_use]
    pub fn with_certificate(mut self, certificate: impl Into<String>) -> Self {
        self.certificate = Some(certificate.into()).filter(|text| !text.trim().is_empty());
        self
    }

    /// Reads `TASKCLUSTER_CLIENT_ID`, `TASKCLUSTER_ACCESS_TOKEN` and `TASKCLUSTER_CERTIFICATE`.
    ///
    /// White space around a value is dropped, and an empty variable counts as unset. Returns `None` if neither of the first
    /// two is set.
    ///
    /// # Errors
    ///
    /// Returns an error if only one of the first two is set.
    pub fn from_env() -> Result<Option<Self>> {
        let id = variable("TASKCLUSTER_CLIENT_ID");
        let token = variable("TASKCLUSTER_ACCESS_TOKEN");
        match (id, token) {
            (Some(id), Some(token)) => {
                let certificate = variable("TASKCLUSTER_CERTIFICATE").unwrap_or_default();
                Ok(Some(Self::new(id, token).with_certificate(certificate)))
            }
            (None, None) => Ok(None),
            (Some(_), None) => Err(Error::config(
                "TASKCLUSTER_CLIENT_ID is set but TASKCLUSTER_ACCESS_TOKEN is not; set both or neither",
            )),
            (None, Some(_)) => Err(Error::config(
                "TASKCLUSTER_ACCESS_TOKEN is set but TASKCLUSTER_CLIENT_ID is not; set both or neither",
            )),
        }
    }

    /// Reads credentials from JSON: `{"clientId": …, "accessToken": …, "certificate": …}`.
    ///
    /// The certificate may be a string or an object. If it is missing, `null` or empty, the credentials are permanent. White
    /// space around client id and access token is dropped.
    ///
    /// ```
    /// use taskcluster::Credentials;
    ///
    /// let credentials = Credentials::from_json(r#"{"clientId": "a", "accessToken": "b", "certificate": ""}"#)?;
    /// assert_eq!(credentials, Credentials::new("a", "b"));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the text has any other form. The error never quotes the text.
    pub fn from_json(json: &str) -> Result<Self> {
        // serde's message could quote the token.
        let json = serde_json::from_str(json).map_err(|_| refuse("not JSON"))?;
        Self::from_value(&json)
    }

    /// Reads credentials from decoded JSON.
    pub(crate) fn from_value(json: &Value) -> Result<Self> {
        let text = |key: &str| {
            let text = json.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
            text.ok_or_else(|| refuse(&format!("`{key}` must be a non-empty string")))
        };
        let certificate = match json.get("certificate") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(object @ Value::Object(_)) => object.to_string(),
            Some(_) => return Err(refuse("`certificate` must be a string or an object")),
        };
        Ok(Self::new(text("clientId")?, text("accessToken")?).with_certificate(certificate))
    }

    /// Converts the credentials to JSON, secrets included, with the certificate as a string.
    ///
    /// ```
    /// let credentials = taskcluster::Credentials::new("a", "b");
    /// assert_eq!(credentials.to_json()["accessToken"], "b");
    /// ```
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = json!({"clientId": self.client_id, "accessToken": self.access_token});
        if let Some(certificate) = &self.certificate {
            json["certificate"] = json!(certificate);
        }
        json
    }

    /// Returns the client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Returns the access token. This is the secret itself.
    #[must_use]
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// Returns the certificate of temporary credentials, as JSON text.
    #[must_use]
    pub fn certificate_json(&self) -> Option<&str> {
        self.certificate.as_deref()
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

fn refuse(what: &str) -> Error {
    Error::config(format!("invalid credentials: {what}"))
}

/// Drops the white space around a text, in place.
fn trimmed(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text.drain(..text.len() - text.trim_start().len());
    text
}
