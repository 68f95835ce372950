//! Temporary credentials, issued without calling a service.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::Credentials;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::slugid;

/// The longest lifetime that the auth service accepts for temporary credentials.
const LONGEST: TimeDelta = TimeDelta::days(31);

/// How far in the past temporary credentials start by default.
const LEEWAY: TimeDelta = TimeDelta::minutes(5);

impl Credentials {
    /// Issues temporary credentials that are valid from now for a [`Duration`] or until a date, without calling a service.
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskcluster::{Credentials, from_now};
    ///
    /// let credentials = Credentials::new("project/builds", "no-secret");
    /// let temporary = credentials.temporary(Duration::from_secs(3600)).scopes(["queue:*"]).create()?;
    /// assert_eq!(temporary.client_id(), "project/builds");
    ///
    /// let until = from_now("2 days")?;
    /// let temporary = credentials.temporary(until).scopes(["queue:*"]).create()?;
    /// assert_eq!(temporary.information()?.expiry.map(|date| date.timestamp()), Some(until.timestamp()));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    pub fn temporary(&self, lifetime: impl Into<Lifetime>) -> TemporaryBuilder<'_> {
        let lifetime = lifetime.into();
        TemporaryBuilder { issuer: self, lifetime, scopes: Vec::new(), name: None, start: None }
    }
}

/// How long temporary credentials are valid; see [`Credentials::temporary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// From their start, or from now, for this long.
    For(Duration),
    /// Until this date.
    Until(DateTime<Utc>),
}

impl Lifetime {
    /// Works out start and expiry.
    fn span(self, start: Option<DateTime<Utc>>) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
        let too_long =
            || Error::config("temporary credentials cannot be valid for more than 31 days");
        let beyond = || Error::config("the expiry of temporary credentials is out of range");
        let now = Utc::now();
        let from = start.unwrap_or(now);
        let expiry = match self {
            Self::For(duration) => match TimeDelta::from_std(duration) {
                Ok(duration) if duration <= LONGEST => {
                    from.checked_add_signed(duration).ok_or_else(beyond)?
                }
                _ => return Err(too_long()),
            },
            Self::Until(expiry) if expiry - from > LONGEST => return Err(too_long()),
            Self::Until(expiry) if expiry <= from => {
                return Err(Error::config("temporary credentials cannot expire before they start"));
            }
            Self::Until(expiry) => expiry,
        };
        Ok((start.unwrap_or_else(|| (now - LEEWAY).max(expiry - LONGEST)), expiry))
    }
}

impl From<Duration> for Lifetime {
    fn from(duration: Duration) -> Self {
        Self::For(duration)
    }
}

impl From<DateTime<Utc>> for Lifetime {
    fn from(expiry: DateTime<Utc>) -> Self {
        Self::Until(expiry)
    }
}

/// Builds temporary credentials; see [`Credentials::temporary`].
#[derive(Clone, Debug)]
#[must_use = "no credentials are issued until `create` is called"]
pub struct TemporaryBuilder<'a> {
    issuer: &'a Credentials,
    lifetime: Lifetime,
    scopes: Vec<String>,
    name: Option<String>,
    start: Option<DateTime<Utc>>,
}

impl TemporaryBuilder<'_> {
    /// Adds scopes. The issuer must hold them when the credentials are used.
    ///
    /// Without scopes, the credentials allow only what anyone may do.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Gives the credentials their own client id. The issuer needs the scope `auth:create-client:<name>`.
    pub fn name(mut self, client_id: impl Into<String>) -> Self {
        self.name = Some(client_id.into());
        self
    }

    /// Sets when the credentials start to be valid; a duration then counts from this time.
    ///
    /// By default they start 5 minutes ago, to tolerate a clock slightly ahead of the server's, and a duration counts from
    /// now.
    pub fn start(mut self, start: DateTime<Utc>) -> Self {
        self.start = Some(start);
        self
    }

    /// Issues the credentials.
    ///
    /// # Errors
    ///
    /// Returns an error if the lifetime is longer than 31 days or ends before it starts, if the name is empty or equal
    /// to the issuer's client id, or if the issuer is itself temporary: the auth service rejects all of these. Returns
    /// an error, too, if a scope or the name contains a line break, because it could not be signed, or if the expiry is
    /// out of range.
    pub fn create(self) -> Result<Credentials> {
        self.create_with_seed(&(slugid::v4() + &slugid::v4()))
    }

    fn create_with_seed(self, seed: &str) -> Result<Credentials> {
        let Self { issuer, lifetime, scopes, name, start } = self;
        if issuer.certificate.is_some() {
            return Err(Error::config(
                "temporary credentials cannot issue temporary credentials; use permanent ones",
            ));
        }
        match name.as_deref() {
            Some("") => return Err(Error::config("the name of temporary credentials is empty")),
            Some(name) if name == issuer.client_id => {
                return Err(Error::config(
                    "the name of temporary credentials must differ from the issuer's client id",
                ));
            }
            _ => {}
        }
        if scopes.iter().chain(&name).any(|text| text.contains(['\n', '\r'])) {
            return Err(Error::config(
                "a scope or name of temporary credentials cannot contain a line break",
            ));
        }
        let (start, expiry) = lifetime.span(start)?;
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

/// The text that a certificate's signature covers.
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Values from the Go client.
    fn vectors() -> Value {
        let text = include_str!("../../../tests/vectors/temporary_credentials.json");
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
    fn an_expiry_ends_them_whenever_they_start() {
        let issuer = Credentials::new("a", "b");
        let now = Utc::now();
        for (left, default_start) in
            [(TimeDelta::hours(1), now - LEEWAY), (TimeDelta::days(31), now)]
        {
            let expiry = now + left;
            let span = |builder: TemporaryBuilder<'_>| {
                let information = builder.create().unwrap().information().unwrap();
                assert_eq!(
                    information.expiry.unwrap().timestamp_millis(),
                    expiry.timestamp_millis()
                );
                information.start.unwrap()
            };
            let start = span(issuer.temporary(expiry));
            assert!((start - default_start).abs() < TimeDelta::minutes(1), "{start}");
            let start = span(issuer.temporary(expiry).start(now));
            assert_eq!(start.timestamp_millis(), now.timestamp_millis());
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
        let now = Utc::now();
        for (builder, why) in [
            (temporary.temporary(hour), "cannot issue"),
            (issuer.temporary(days(31) + Duration::from_millis(1)), "more than 31 days"),
            (issuer.temporary(Duration::MAX), "more than 31 days"),
            (issuer.temporary(hour).name(""), "is empty"),
            (issuer.temporary(hour).name("project/builds"), "must differ"),
            (issuer.temporary(hour).scopes(["a\nb"]), "line break"),
            (issuer.temporary(hour).start(DateTime::<Utc>::MAX_UTC), "out of range"),
            (issuer.temporary(DateTime::<Utc>::MAX_UTC), "more than 31 days"),
            (issuer.temporary(DateTime::<Utc>::MIN_UTC), "before they start"),
            (issuer.temporary(now).start(now), "before they start"),
        ] {
            let error = builder.create().unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
        issuer.temporary(days(31)).create().unwrap();
    }
}
