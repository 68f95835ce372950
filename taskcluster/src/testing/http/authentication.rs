//! Authenticates callers: checks signatures, temporary credentials and authorized scopes as Taskcluster's auth service does.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HOST};
use serde_json::{Map, Value};

use super::answer::Refusal;
use super::base64::decode;
use super::call::{RecordedCall, Signature};
use super::request::Incoming;
use crate::hawk::verify::{Bewit, Header, MAX_SKEW, without_bewit};
use crate::hawk::{self, Target};
use crate::key::Key;
use crate::scopes::covers;

/// The scope that everybody has.
const ANYBODY: &str = "assume:anonymous";

/// How long before their start and after their end temporary credentials are accepted, in milliseconds.
const LEEWAY: i64 = 5 * 60 * 1000;

/// The facts about a client that signatures depend on.
pub(crate) struct Account {
    pub(crate) access_token: String,
    /// Its scopes, expanded by roles.
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: DateTime<Utc>,
    pub(crate) disabled: bool,
}

/// The parts of the auth service that every call needs.
pub(crate) trait Authority: Send + Sync {
    /// Returns the accounts that may sign calls at this time.
    fn accounts<'a>(&'a self, call: &'a RecordedCall, now: DateTime<Utc>)
    -> Box<dyn Accounts + 'a>;

    /// The scopes with those that roles add.
    fn expand(&self, scopes: Vec<String>) -> Vec<String>;
}

/// All clients and roles.
pub(crate) trait Accounts {
    /// Returns the client with this id.
    fn account(&self, id: &str) -> Option<Account>;

    /// The scopes with those that roles add.
    fn expand(&self, scopes: Vec<String>) -> Vec<String>;
}

/// A caller and its scopes.
pub(crate) struct Caller {
    /// `None` for an anonymous caller.
    pub(crate) client_id: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: DateTime<Utc>,
}

/// The times to check a request by: one for signatures, and one for the expiry of clients and certificates, which follows the
/// deployment's clock.
pub(crate) type Times = (DateTime<Utc>, DateTime<Utc>);

/// Returns the caller that sent a request with this body, which is empty if it is not JSON.
pub(crate) fn authenticate(
    request: &Incoming,
    body: &[u8],
    times: Times,
    accounts: &dyn Accounts,
) -> Result<Caller, Refusal> {
    let identified = identify(request, times, accounts, Some(body));
    let (caller, _) = identified.map_err(Refusal::authentication)?;
    Ok(caller)
}

/// Same as [`authenticate`], for a request without its body. Also returns the hash that the body must have.
pub(crate) fn authenticate_without_body(
    request: &Incoming,
    times: Times,
    accounts: &dyn Accounts,
) -> Result<(Caller, Option<String>), String> {
    identify(request, times, accounts, None)
}

/// Reads the signature of a request without checking it, for the record.
pub(crate) fn signature(request: &Incoming) -> Option<Signature> {
    if let Some(Ok(value)) = request.headers.get(AUTHORIZATION).map(|value| value.to_str()) {
        let header = Header::parse(value).ok()?;
        return Some(Signature::Header { time: header.time, nonce: header.nonce.to_owned() });
    }
    let bewit = Bewit::parse(without_bewit(&request.resource).1?).ok()?;
    Some(Signature::Bewit { expires: bewit.expires })
}

fn identify(
    request: &Incoming,
    (signing, now): Times,
    accounts: &dyn Accounts,
    body: Option<&[u8]>,
) -> Result<(Caller, Option<String>), String> {
    let millis = signing.timestamp_millis();
    let signing = signing.timestamp();
    let (resource, bewit) = without_bewit(&request.resource);
    let header = request.headers.get(AUTHORIZATION).filter(|value| !value.is_empty());
    match (header, bewit) {
        (None, None) => {
            let scopes = accounts.expand(vec![ANYBODY.to_owned()]);
            let expires = now + TimeDelta::minutes(15);
            Ok((Caller { client_id: None, scopes, expires }, None))
        }
        (Some(_), Some(_)) => {
            Err("A request is signed either by an `Authorization` header or by a bewit, \
                                   but this one has both"
                .to_owned())
        }
        (Some(value), None) => {
            let value = value.to_str().map_err(|_| "Bad header format")?;
            let header = Header::parse(value).map_err(|refusal| refusal.to_string())?;
            let signer = Signer::find(header.id, header.ext.unwrap_or_default(), now, accounts)?;
            let target = target(request, &request.resource)?;
            let verified = header.verify(&target, &signer.access_token, signing);
            verified.map_err(|refusal| refusal.to_string())?;
            if header.time * 1000 < millis - MAX_SKEW * 1000 {
                return Err(hawk::verify::Refusal::StaleTimestamp.to_string());
            }
            if let Some(body) = body {
                header
                    .verify_payload(request.content_type(), body)
                    .map_err(|refusal| refusal.to_string())?;
            }
            Ok((signer.into_caller(), header.hash.map(str::to_owned)))
        }
        (None, Some(bewit)) => {
            if request.method != Method::GET && request.method != Method::HEAD {
                return Err(format!("A bewit authorizes GET and HEAD, not {}", request.method));
            }
            let bewit = Bewit::parse(bewit).map_err(|refusal| refusal.to_string())?;
            let signer = Signer::find(&bewit.id, &bewit.ext, now, accounts)?;
            let target = target(request, &resource)?;
            bewit
                .verify(&target, &signer.access_token, signing)
                .map_err(|refusal| refusal.to_string())?;
            Ok((signer.into_caller(), None))
        }
    }
}

fn target<'a>(request: &'a Incoming, resource: &'a str) -> Result<Target<'a>, String> {
    let host = request
        .headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .ok_or("Missing Host header")?;
    let (host, port) = match host.rsplit_once(':') {
        // The colons of an IPv6 address are inside brackets.
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().map_err(|_| "Invalid Host header")?)
        }
        _ => (host, 80),
    };
    Ok(Target { method: request.method.as_str(), resource, host, port })
}

/// The signer of a request: the client id, the access token to check the signature with, and scopes.
struct Signer {
    client_id: String,
    access_token: String,
    scopes: Vec<String>,
    expires: DateTime<Utc>,
}

impl Signer {
    /// Finds the signer that a signature names. `ext` may contain a certificate, which makes the credentials temporary, and
    /// authorized scopes, which limit them.
    fn find(
        client_id: &str,
        ext: &str,
        now: DateTime<Utc>,
        accounts: &dyn Accounts,
    ) -> Result<Self, String> {
        let account = |id: &str| {
            let account = accounts.account(id).ok_or_else(|| format!("No such clientId: {id}"))?;
            if account.disabled {
                return Err(format!("Client with clientId {id} is disabled"));
            }
            if account.expires <= now {
                return Err(format!("Client with clientId {id} has expired"));
            }
            Ok(account)
        };
        let mut ext = read_ext(ext)?;
        let mut part = |name| ext.remove(name).filter(is_truthy);
        let mut signer = match part("certificate") {
            None => {
                let Account { access_token, scopes, expires, .. } = account(client_id)?;
                Self { client_id: client_id.to_owned(), access_token, scopes, expires }
            }
            Some(certificate) => {
                let certificate = Certificate::read(&certificate)?;
                let issuer = account(certificate.issuer.as_deref().unwrap_or(client_id))?;
                certificate.check(client_id, &issuer, now)?
            }
        };
        if let Some(authorized) = part("authorizedScopes") {
            let authorized =
                scopes(&authorized).ok_or("ext.authorizedScopes is not a list of scopes")?;
            let held = accounts.expand(with_anonymous(signer.scopes));
            if let Some(scope) = first_not_covered(&held, &authorized) {
                return Err(format!(
                    "ext.authorizedScopes exceeds the scopes of {client_id}: {scope}"
                ));
            }
            signer.scopes = authorized;
        }
        // Everybody has these, whatever the credentials are limited to.
        signer.scopes = accounts.expand(with_anonymous(signer.scopes));
        Ok(signer)
    }

    fn into_caller(self) -> Caller {
        let Self { client_id, scopes, expires, .. } = self;
        Caller { client_id: Some(client_id), scopes, expires }
    }
}

/// Adds the role that everybody has, at its place in the alphabet.
fn with_anonymous(mut scopes: Vec<String>) -> Vec<String> {
    if !scopes.iter().any(|scope| covers(scope, ANYBODY)) {
        let place = scopes.iter().position(|scope| scope.as_str() > ANYBODY);
        scopes.insert(place.unwrap_or(scopes.len()), ANYBODY.to_owned());
    }
    scopes
}

/// Reads the properties of `ext`; JSON that is no object has none.
fn read_ext(ext: &str) -> Result<Map<String, Value>, &'static str> {
    if ext.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&decode(ext)) {
        Ok(Value::Object(properties)) => Ok(properties),
        Ok(Value::Null) | Err(_) => Err("Failed to parse ext: it is not JSON"),
        Ok(_) => Ok(Map::new()),
    }
}

/// Whether a value counts in a condition of JavaScript.
fn is_truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && *value != 0 && *value != ""
}

/// Reads a list of scopes. Returns `None` if it is anything else.
fn scopes(value: &Value) -> Option<Vec<String>> {
    let is_scope = |scope: &&str| scope.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let scope = |value: &Value| value.as_str().filter(is_scope).map(str::to_owned);
    value.as_array()?.iter().map(scope).collect()
}

fn first_not_covered<'a>(held: &[String], needed: &'a [String]) -> Option<&'a str> {
    needed.iter().find(|needed| !held.iter().any(|held| covers(held, needed))).map(String::as_str)
}

/// The certificate of temporary credentials.
struct Certificate {
    /// The client that issued the credentials, if they have a client id of their own.
    issuer: Option<String>,
    scopes: Vec<String>,
    /// In milliseconds since 1970, like `expiry`.
    start: i64,
    expiry: i64,
    seed: String,
    signature: String,
}

impl Certificate {
    fn read(value: &Value) -> Result<Self, String> {
        let wrong = |name: &str| format!("ext.certificate.{name} is missing or malformed");
        let text = |name: &str| value[name].as_str().map(str::to_owned).ok_or_else(|| wrong(name));
        let time = |name: &str| value[name].as_i64().ok_or_else(|| wrong(name));
        if value["version"] != 1 {
            return Err("ext.certificate.version must be 1".to_owned());
        }
        Ok(Self {
            issuer: if is_truthy(&value["issuer"]) { Some(text("issuer")?) } else { None },
            scopes: scopes(&value["scopes"]).ok_or_else(|| wrong("scopes"))?,
            start: time("start")?,
            expiry: time("expiry")?,
            seed: text("seed").ok().filter(|seed| seed.len() == 44).ok_or_else(|| wrong("seed"))?,
            signature: text("signature")?,
        })
    }

    /// Checks temporary credentials, and returns the signer whose token they sign with.
    fn check(
        self,
        client_id: &str,
        issuer: &Account,
        now: DateTime<Utc>,
    ) -> Result<Signer, String> {
        let now = now.timestamp_millis();
        if self.start > now + LEEWAY {
            return Err("ext.certificate.start is in the future".to_owned());
        }
        if self.expiry < now - LEEWAY {
            return Err(
                "ext.certificate.expiry is past: the temporary credentials have expired".to_owned()
            );
        }
        if self.expiry.saturating_sub(self.start) > TimeDelta::days(31).num_milliseconds() {
            return Err("ext.certificate is valid for longer than 31 days".to_owned());
        }
        if let Some(id) = &self.issuer {
            if id == client_id {
                return Err("ext.certificate.issuer must differ from the client id".to_owned());
            }
            let needed = format!("auth:create-client:{client_id}");
            if !issuer.scopes.iter().any(|held| covers(held, &needed)) {
                return Err(format!("ext.certificate.issuer {id} does not have {needed}"));
            }
        }
        if let Some(scope) = first_not_covered(&issuer.scopes, &self.scopes) {
            return Err(format!(
                "ext.certificate.scopes exceeds the scopes of the issuer: {scope}"
            ));
        }
        let key = Key::new(&issuer.access_token);
        let signature = STANDARD.decode(&self.signature).unwrap_or_default();
        if !key.verify(self.signed_text(client_id).as_bytes(), &signature) {
            return Err("ext.certificate.signature is not valid".to_owned());
        }
        Ok(Signer {
            client_id: client_id.to_owned(),
            access_token: URL_SAFE_NO_PAD.encode(key.mac(self.seed.as_bytes())),
            scopes: self.scopes,
            expires: DateTime::from_timestamp_millis(self.expiry)
                .map_or(issuer.expires, |expiry| expiry.min(issuer.expires)),
        })
    }

    /// Returns the text that the issuer signed, rebuilt from the certificate.
    fn signed_text(&self, client_id: &str) -> String {
        let Self { issuer, scopes, start, expiry, seed, .. } = self;
        let name = match issuer {
            Some(issuer) => format!("clientId:{client_id}\nissuer:{issuer}\n"),
            None => String::new(),
        };
        let mut text =
            format!("version:1\n{name}seed:{seed}\nstart:{start}\nexpiry:{expiry}\nscopes:");
        for scope in scopes {
            text.push('\n');
            text.push_str(scope);
        }
        text
    }
}
