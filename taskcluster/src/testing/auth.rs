//! The auth service: clients and their scopes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::{Refusal, Reply, date, strings, text, timestamp};
use super::authentication::{Account, Accounts, Caller, authenticate_without_body};
use super::authorization;
use super::messages::Message;
use super::paging::page;
use super::recorded::RecordedCall;
use super::roles;
use super::server::Incoming;
use super::state::State;
use crate::AuthEvents;
use crate::reference::Exchange;
use crate::scopes::{Expression, covers, normalize};
use crate::slugid;

/// How long after its creation a client may be created again.
const REPEAT: TimeDelta = TimeDelta::minutes(15);

/// All clients by id.
#[derive(Default)]
pub(super) struct Clients(Mutex<BTreeMap<String, RegisteredClient>>);

#[derive(Clone)]
struct RegisteredClient {
    access_token: String,
    scopes: Vec<String>,
    description: String,
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
    rotated: DateTime<Utc>,
    used: DateTime<Utc>,
    expires: DateTime<Utc>,
    disabled: bool,
    delete_on_expiration: bool,
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, RegisteredClient>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clients without those that are to be deleted when they expire, and have.
    fn at(&self, now: DateTime<Utc>) -> MutexGuard<'_, BTreeMap<String, RegisteredClient>> {
        let mut clients = self.lock();
        clients.retain(|_, client| !client.delete_on_expiration || client.expires > now);
        clients
    }

    /// Adds or replaces a client that does not expire in any test's lifetime.
    pub(super) fn put(
        &self,
        id: &str,
        access_token: &str,
        scopes: Vec<String>,
        now: DateTime<Utc>,
    ) {
        let client = RegisteredClient {
            access_token: access_token.to_owned(),
            scopes: set_of(scopes),
            description: "Added by a test".to_owned(),
            created: now,
            modified: now,
            rotated: now,
            used: now,
            expires: now + TimeDelta::days(365_250),
            disabled: false,
            delete_on_expiration: false,
        };
        self.lock().insert(id.to_owned(), client);
    }

    pub(super) fn access_token(&self, id: &str) -> Option<String> {
        self.lock().get(id).map(|client| client.access_token.clone())
    }
}

impl RegisteredClient {
    fn same_definition(&self, other: &Self) -> bool {
        let definition = |client: &Self| {
            let Self { scopes, description, expires, delete_on_expiration, .. } = client;
            (scopes.clone(), description.clone(), *expires, *delete_on_expiration)
        };
        definition(self) == definition(other)
    }

    fn to_json(&self, state: &State, id: &str) -> Value {
        json!({
            "clientId": id,
            "description": self.description,
            "created": timestamp(self.created),
            "lastModified": timestamp(self.modified),
            "lastDateUsed": timestamp(self.used),
            "lastRotated": timestamp(self.rotated),
            "expires": timestamp(self.expires),
            "scopes": self.scopes,
            "expandedScopes": normalize(state.roles.expand(self.scopes.clone())),
            "disabled": self.disabled,
            "deleteOnExpiration": self.delete_on_expiration,
        })
    }
}

/// Scopes in order and without repetition, as the service keeps them.
pub(super) fn set_of(mut scopes: Vec<String>) -> Vec<String> {
    scopes.sort();
    scopes.dedup();
    scopes
}

/// The accounts that a call may be signed by.
///
/// The two endpoints that test signatures know one client alone, the same in every deployment; its scopes are those
/// that the payload gives it.
pub(super) struct AccountsFor<'a> {
    pub(super) state: &'a State,
    pub(super) call: &'a RecordedCall,
}

impl Accounts for AccountsFor<'_> {
    fn account(&self, id: &str) -> Option<Account> {
        let Self { state, call } = self;
        let now = state.now();
        let for_ever = |access_token: &str, scopes| Account {
            access_token: access_token.to_owned(),
            scopes,
            expires: now + TimeDelta::days(1),
            disabled: false,
        };
        let (service, token) = state.service_account();
        if id == service {
            return Some(for_ever(token, vec!["*".to_owned()]));
        }
        let scopes = if call.is("auth", "testAuthenticate") {
            strings(call.payload(), "clientScopes").ok()?
        } else if call.is("auth", "testAuthenticateGet") {
            vec!["test:*".to_owned(), "auth:create-client:test:*".to_owned()]
        } else {
            let mut clients = state.clients.at(now);
            let client = clients.get_mut(id)?;
            // No more exactly than the service knows it.
            if now - client.used > TimeDelta::hours(6) {
                client.used = now;
            }
            return Some(Account {
                access_token: client.access_token.clone(),
                scopes: state.roles.expand(client.scopes.clone()),
                expires: client.expires,
                disabled: client.disabled,
            });
        };
        (id == "tester").then(|| for_ever("no-secret", scopes))
    }

    fn expand(&self, scopes: Vec<String>) -> Vec<String> {
        self.state.roles.expand(scopes)
    }
}

/// Adds what the required scopes depend on and only the auth service knows.
pub(super) fn add_parameters(state: &State, call: &RecordedCall, known: &mut Map<String, Value>) {
    let added = match call.endpoint.name {
        "updateRole" => roles::scopes_added(state, call),
        "updateClient" => {
            let clients = state.clients.at(state.now());
            let present = clients.get(call.arg("clientId")).map(|client| client.scopes.clone());
            added(&present.unwrap_or_default(), call)
        }
        _ => return,
    };
    known.insert("scopesAdded".to_owned(), json!(added));
}

/// The scopes of a payload that those present do not cover.
pub(super) fn added(present: &[String], call: &RecordedCall) -> Vec<String> {
    let wanted = strings(call.payload(), "scopes").unwrap_or_default();
    let is_new = |scope: &String| !present.iter().any(|present| covers(present, scope));
    wanted.into_iter().filter(is_new).collect()
}

/// Answers what is built in; `None` for other endpoints.
pub(super) fn answer(state: &State, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
    let answer = match call.endpoint.name {
        "testAuthenticate" => test_authenticate(state, call),
        "testAuthenticateGet" => test_authenticate_get(state, call),
        "authenticateHawk" => authenticate_hawk(state, call),
        "currentScopes" => Ok(json!({"scopes": set_of(call.scopes.clone())})),
        "listClients" => list_clients(state, call),
        "client" => client(state, call),
        "createClient" => create_client(state, call),
        "updateClient" => update_client(state, call),
        "enableClient" => change(state, call, |client| client.disabled = false),
        "disableClient" => change(state, call, |client| client.disabled = true),
        "resetAccessToken" => reset_access_token(state, call),
        "deleteClient" => {
            if state.clients.lock().remove(call.arg("clientId")).is_some() {
                publish(state, AuthEvents::client_deleted().exchange(), call);
            }
            return Some(Ok(Reply::new(StatusCode::OK)));
        }
        _ => return roles::answer(state, call),
    };
    Some(answer.map(Reply::from))
}

fn publish(state: &State, exchange: &'static Exchange, call: &RecordedCall) {
    let payload = json!({"version": 1, "clientId": call.arg("clientId")});
    state.publish(Message::new(exchange, &[], &[], payload));
}

fn test_authenticate(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    strings(call.payload(), "clientScopes")?;
    authenticated(state, call, strings(call.payload(), "requiredScopes")?)
}

fn test_authenticate_get(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    authenticated(state, call, vec!["test:authenticate-get".to_owned()])
}

/// Says who called, if they have the scopes.
fn authenticated(
    state: &State,
    call: &RecordedCall,
    required: Vec<String>,
) -> Result<Value, Refusal> {
    let required = Expression::AllOf(required.into_iter().map(Expression::Scope).collect());
    let client_id = call.client_id.as_deref().unwrap_or(authorization::ANONYMOUS);
    authorization::check(state, client_id, &call.scopes, &required)?;
    Ok(json!({"clientId": client_id, "scopes": set_of(call.scopes.clone())}))
}

/// Judges the signature of a request that somebody else has got.
fn authenticate_hawk(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let payload = call.payload();
    let (method, host) = (text(payload, "method")?.to_uppercase(), text(payload, "host")?);
    let mut headers = HeaderMap::new();
    let header = |text: &str| {
        HeaderValue::try_from(text)
            .map_err(|_| Refusal::input(format!("{text:?} cannot stand in a header")))
    };
    headers.insert(HOST, header(&format!("{host}:{}", payload["port"]))?);
    if let Some(authorization) = payload["authorization"].as_str() {
        headers.insert(AUTHORIZATION, header(authorization)?);
    }
    let request = Incoming {
        method: method
            .parse::<Method>()
            .map_err(|_| Refusal::input(format!("{method:?} is no method")))?,
        resource: text(payload, "resource")?,
        headers,
        body: bytes::Bytes::new(),
    };
    let clock = (state.clock.signing(), state.now());
    Ok(match authenticate_without_body(&request, clock, &AccountsFor { state, call }) {
        Err(message) => json!({"status": "auth-failed", "message": message}),
        Ok((Caller { client_id, scopes, expires }, hash)) => {
            let expires = timestamp(expires);
            let mut answer = json!({"scopes": set_of(scopes), "expires": expires});
            match client_id {
                Some(id) => {
                    answer["clientId"] = json!(id);
                    answer["status"] = json!("auth-success");
                    answer["scheme"] = json!("hawk");
                }
                None => {
                    answer["status"] = json!("no-auth");
                    answer["scheme"] = json!("none");
                }
            }
            if let Some(hash) = hash {
                answer["hash"] = json!(hash);
            }
            answer
        }
    })
}

fn no_client(id: &str) -> Refusal {
    Refusal::not_found(format!("there is no client {id:?}"))
}

fn list_clients(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let prefix = call.query_value("prefix").unwrap_or_default();
    let clients = state.clients.at(state.now());
    let found = clients
        .iter()
        .filter(|(id, _)| id.starts_with(prefix))
        .map(|(id, client)| (id.clone(), client.to_json(state, id)));
    page(&state.token_key, call, "clients", found)
}

fn client(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("clientId");
    let clients = state.clients.at(state.now());
    clients.get(id).map(|client| client.to_json(state, id)).ok_or_else(|| no_client(id))
}

/// Creates a client; the same one may be created again soon after.
fn create_client(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let (id, payload, now) = (call.arg("clientId"), call.payload(), state.now());
    let new = RegisteredClient {
        access_token: slugid::v4() + &slugid::v4(),
        scopes: set_of(strings(payload, "scopes")?),
        description: text(payload, "description")?,
        created: now,
        modified: now,
        rotated: now,
        used: now,
        expires: date(payload, "expires")?,
        disabled: false,
        delete_on_expiration: payload["deleteOnExpiration"].as_bool().unwrap_or_default(),
    };
    let mut clients = state.clients.at(now);
    let is_new = !clients.contains_key(id);
    let client = clients.entry(id.to_owned()).or_insert_with(|| new.clone());
    if !client.same_definition(&new) || client.disabled || now > client.created + REPEAT {
        return Err(Refusal::conflict(format!("there is a client {id:?} already")));
    }
    let mut answer = client.to_json(state, id);
    answer["accessToken"] = json!(client.access_token);
    drop(clients);
    if is_new {
        publish(state, AuthEvents::client_created().exchange(), call);
    }
    Ok(answer)
}

/// Changes a client and says what it is then.
fn change(
    state: &State,
    call: &RecordedCall,
    act: impl FnOnce(&mut RegisteredClient),
) -> Result<Value, Refusal> {
    let (id, now) = (call.arg("clientId"), state.now());
    let mut clients = state.clients.at(now);
    let client = clients.get_mut(id).ok_or_else(|| no_client(id))?;
    act(client);
    client.modified = now;
    let answer = client.to_json(state, id);
    drop(clients);
    publish(state, AuthEvents::client_updated().exchange(), call);
    Ok(answer)
}

fn update_client(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let payload = call.payload();
    let (description, expires) = (text(payload, "description")?, date(payload, "expires")?);
    let scopes = match &payload["scopes"] {
        Value::Null => None,
        _ => Some(set_of(strings(payload, "scopes")?)),
    };
    let deleted = payload["deleteOnExpiration"].as_bool().unwrap_or_default();
    change(state, call, |client| {
        client.description = description;
        client.expires = expires;
        client.delete_on_expiration = deleted;
        if let Some(scopes) = scopes {
            client.scopes = scopes;
        }
    })
}

fn reset_access_token(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let (token, now) = (slugid::v4() + &slugid::v4(), state.now());
    let mut answer = change(state, call, |client| {
        client.access_token.clone_from(&token);
        client.rotated = now;
    })?;
    answer["accessToken"] = json!(token);
    Ok(answer)
}
