//! Who calls: permanent and temporary credentials, and where they come from.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::env::variable;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::slugid;

/// How long temporary credentials may be valid: the auth service's limit.
const LONGEST: TimeDelta = TimeDelta::days(31);

/// How long before now they begin to be valid.
const LEEWAY: TimeDelta = TimeDelta::minutes(5);

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
        let id = variable("TASKCLUSTER_CLIENT_ID");
        let token = variable("TASKCLUSTER_ACCESS_TOKEN");
        match (id, token) {
            (Some(id), Some(token)) => {
                let certificate = variable("TASKCLUSTER_CERTIFICATE").unwrap_or_default();
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

    /// Reads the JSON form, `{"clientId": …, "accessToken": …, "certificate": …}`, whose certificate may be a text or an
    /// object, null, empty or not there at all.
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
    /// Anything else than this form. The error shows nothing of the text.
    pub fn from_json(json: &str) -> Result<Self> {
        let refuse = |what: &str| Error::config(format!("the credentials are not right: {what}"));
        // What serde would say could cite the token.
        let json: Value = serde_json::from_str(json).map_err(|_| refuse("they are not JSON"))?;
        let text = |key: &str| {
            let text = json.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.ok_or_else(|| refuse(&format!("`{key}` is not a text")))
        };
        let certificate = match json.get("certificate") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(object @ Value::Object(_)) => object.to_string(),
            Some(_) => return Err(refuse("`certificate` is neither a text nor an object")),
        };
        Ok(Self::new(text("clientId")?, text("accessToken")?).with_certificate(certificate))
    }

    /// Writes the JSON form, secrets and all, the certificate as a text.
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

    /// What can be told of them without asking a service.
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
    /// If the certificate is not one.
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
        let refuse = |what: &str| Error::config(format!("the certificate is not right: {what}"));
        let certificate: Value =
            serde_json::from_str(certificate).map_err(|_| refuse("it is not JSON"))?;
        let date = |key: &str| {
            let millis = certificate.get(key).and_then(Value::as_i64);
            let date = millis.and_then(DateTime::from_timestamp_millis);
            date.ok_or_else(|| refuse(&format!("`{key}` is not a date in milliseconds")))
        };
        let scopes = certificate.get("scopes").and_then(Value::as_array).and_then(|scopes| {
            scopes.iter().map(|scope| scope.as_str().map(str::to_owned)).collect::<Option<_>>()
        });
        information.start = Some(date("start")?);
        information.expiry = Some(date("expiry")?);
        information.scopes = Some(scopes.ok_or_else(|| refuse("`scopes` is not a list of texts"))?);
        let issuer = certificate.get("issuer").and_then(Value::as_str);
        information.issuer = issuer.map(str::to_owned);
        Ok(information)
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

/// What credentials tell of themselves; see [`Credentials::information`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialsInformation {
    /// The client id that calls are made under.
    pub client_id: String,
    /// Whether there is a certificate.
    pub is_temporary: bool,
    /// Who issued named temporary credentials.
    pub issuer: Option<String>,
    /// When temporary credentials begin to be valid.
    pub start: Option<DateTime<Utc>>,
    /// When temporary credentials end.
    pub expiry: Option<DateTime<Utc>>,
    /// The scopes of temporary credentials; those of permanent ones only the auth service knows.
    pub scopes: Option<Vec<String>>,
}

impl CredentialsInformation {
    /// Whether they are valid now, by this machine's clock. Permanent ones count as such.
    #[must_use]
    pub fn is_active(&self) -> bool {
        let now = Utc::now();
        self.start.is_none_or(|start| start <= now) && self.expiry.is_none_or(|expiry| now < expiry)
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

    /// When they begin to be valid; their lifetime counts from here. Unless told they are valid from 5 minutes ago, so
    /// that a clock that is a little ahead of the server's does no harm, until their lifetime from now.
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
        let lifetime =
            TimeDelta::from_std(lifetime).ok().filter(|lifetime| *lifetime <= LONGEST).ok_or_else(
                || Error::config("temporary credentials cannot live for over 31 days"),
            )?;
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
        let beyond = || Error::config("temporary credentials would end beyond all dates");
        let (start, expiry) = match start {
            Some(start) => (start, start.checked_add_signed(lifetime).ok_or_else(beyond)?),
            None => {
                let expiry = Utc::now() + lifetime;
                (expiry - (lifetime + LEEWAY).min(LONGEST), expiry)
            }
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the Go client.
    fn vectors() -> Value {
        let text = include_str!("../../tests/vectors/temporary_credentials.json");
        serde_json::from_str(text).unwrap()
    }

    fn text(value: &Value) -> &str {
        value.as_str().unwrap()
    }

    #[test]
    fn temporary_credentials_are_those_of_the_go_client() {
        let values = vectors();
        let issuer = &values["issuer"];
        let issuer = Credentials::new(text(&issuer["clientId"]), text(&issuer["accessToken"]));
        let (start, expiry) =
            (values["start"].as_i64().unwrap(), values["expiry"].as_i64().unwrap());
        let scopes: Vec<_> = values["scopes"].as_array().unwrap().iter().map(text).collect();
        let lifetime = Duration::from_millis(u64::try_from(expiry - start).unwrap());
        let builder = || {
            let start = DateTime::from_timestamp_millis(start).unwrap();
            issuer.temporary(lifetime).start(start).scopes(scopes.iter().copied())
        };
        for (case, builder) in [
            (&values["unnamed"], builder()),
            (&values["named"], builder().name(text(&values["named"]["clientId"]))),
        ] {
            let named = case["clientId"].as_str();
            let temporary = builder.create_with_seed(text(&values["seed"])).unwrap();
            assert_eq!(temporary.client_id(), named.unwrap_or(issuer.client_id()));
            assert_eq!(temporary.access_token(), text(&values["accessToken"]));
            let certificate: Value =
                serde_json::from_str(temporary.certificate_json().unwrap()).unwrap();
            assert_eq!(certificate["signature"], case["signature"]);
            assert_eq!(certificate["version"], 1);
            assert_eq!(certificate["issuer"].as_str(), named.map(|_| issuer.client_id()));
            for key in ["start", "expiry", "seed", "scopes"] {
                assert_eq!(certificate[key], values[key]);
            }
        }
    }

    #[test]
    fn they_begin_a_little_before_now_unless_told() {
        let issuer = Credentials::new("a", "b");
        for (lifetime, span) in
            [(3600, 3900), (31 * 86_400, 31 * 86_400), (31 * 86_400 - 60, 31 * 86_400)]
        {
            let temporary = issuer.temporary(Duration::from_secs(lifetime)).create().unwrap();
            let certificate: Value =
                serde_json::from_str(temporary.certificate_json().unwrap()).unwrap();
            let [start, expiry] = ["start", "expiry"].map(|key| certificate[key].as_i64().unwrap());
            assert_eq!(expiry - start, span * 1000);
            let left = expiry - Utc::now().timestamp_millis();
            let lifetime = i64::try_from(lifetime).unwrap() * 1000;
            assert!(left <= lifetime && left > lifetime - 60_000, "{left}");
        }
    }

    #[test]
    fn seeds_are_new_each_time() {
        let issuer = Credentials::new("a", "b");
        let make = || issuer.temporary(Duration::from_secs(60)).create().unwrap();
        assert_ne!(make().access_token(), make().access_token());
    }

    #[test]
    fn what_the_auth_service_would_refuse_is_refused_here() {
        let issuer = Credentials::new("project/builds", "token");
        let hour = Duration::from_secs(3600);
        let temporary = issuer.temporary(hour).create().unwrap();
        let days = |days: u64| Duration::from_secs(days * 24 * 3600);
        for (builder, why) in [
            (temporary.temporary(hour), "cannot issue"),
            (issuer.temporary(days(31) + Duration::from_millis(1)), "over 31 days"),
            (issuer.temporary(Duration::MAX), "over 31 days"),
            (issuer.temporary(hour).name(""), "is empty"),
            (issuer.temporary(hour).name("project/builds"), "another name"),
            (issuer.temporary(hour).scopes(["a\nb"]), "line break"),
            (issuer.temporary(hour).start(DateTime::<Utc>::MAX_UTC), "beyond all dates"),
        ] {
            let error = builder.create().unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
        issuer.temporary(days(31)).create().unwrap();
    }
}
