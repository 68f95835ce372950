//! The auth service: clients and their scopes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::answer::{Refusal, Reply, date, strings, timestamp};
use super::authentication::Account;
use super::authorization;
use super::paging::page;
use super::recorded::RecordedCall;
use super::state::State;
use crate::scopes::Expression;
use crate::slugid;

/// All clients by id.
#[derive(Default)]
pub(super) struct Clients(Mutex<BTreeMap<String, RegisteredClient>>);

#[derive(Clone)]
struct RegisteredClient {
    access_token: String,
    scopes: Vec<String>,
    description: String,
    created: DateTime<Utc>,
    expires: DateTime<Utc>,
    delete_on_expiration: bool,
}

impl Clients {
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
            expires: now + TimeDelta::days(365_250),
            delete_on_expiration: false,
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), client);
    }

    pub(super) fn access_token(&self, id: &str) -> Option<String> {
        let clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.get(id).map(|client| client.access_token.clone())
    }

    fn account(&self, id: &str) -> Option<Account> {
        let clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.get(id).map(|client| Account {
            access_token: client.access_token.clone(),
            scopes: client.scopes.clone(),
            expires: client.expires,
        })
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

    fn to_json(&self, id: &str) -> Value {
        let created = timestamp(self.created);
        json!({
            "clientId": id,
            "description": self.description,
            "created": created,
            "lastModified": created,
            "lastDateUsed": created,
            "lastRotated": created,
            "expires": timestamp(self.expires),
            "scopes": self.scopes,
            "expandedScopes": self.scopes,
            "disabled": false,
            "deleteOnExpiration": self.delete_on_expiration,
        })
    }
}

/// Scopes in order and without repetition, as the service keeps them.
fn set_of(mut scopes: Vec<String>) -> Vec<String> {
    scopes.sort();
    scopes.dedup();
    scopes
}

/// The client that a call's signature names.
///
/// The two endpoints that test signatures know one client alone, the same in every deployment; its scopes are those
/// that the payload gives it.
pub(super) fn account(state: &State, call: &RecordedCall, id: &str) -> Option<Account> {
    let (service, token) = state.service_account();
    if id == service {
        let expires = state.now() + TimeDelta::days(1);
        return Some(Account {
            access_token: token.to_owned(),
            scopes: vec!["*".to_owned()],
            expires,
        });
    }
    let scopes = if call.is("auth", "testAuthenticate") {
        strings(call.payload.as_ref().unwrap_or(&Value::Null), "clientScopes").ok()?
    } else if call.is("auth", "testAuthenticateGet") {
        vec!["test:*".to_owned(), "auth:create-client:test:*".to_owned()]
    } else {
        return state.clients.account(id);
    };
    let expires = state.now() + TimeDelta::days(1);
    (id == "tester").then(|| Account { access_token: "no-secret".to_owned(), scopes, expires })
}

/// Answers what is built in; `None` for other endpoints.
pub(super) fn answer(state: &State, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
    let answer = match call.endpoint.name {
        "testAuthenticate" => test_authenticate(call),
        "testAuthenticateGet" => test_authenticate_get(call),
        "currentScopes" => Ok(json!({"scopes": set_of(call.scopes.clone())})),
        "listClients" => list_clients(state, call),
        "createClient" => create_client(state, call),
        _ => return None,
    };
    Some(answer.map(Reply::from))
}

fn test_authenticate(call: &RecordedCall) -> Result<Value, Refusal> {
    let payload = call.payload.as_ref().unwrap_or(&Value::Null);
    strings(payload, "clientScopes")?;
    authenticated(call, strings(payload, "requiredScopes")?)
}

fn test_authenticate_get(call: &RecordedCall) -> Result<Value, Refusal> {
    authenticated(call, vec!["test:authenticate-get".to_owned()])
}

/// Says who called, if they have the scopes.
fn authenticated(call: &RecordedCall, required: Vec<String>) -> Result<Value, Refusal> {
    let required = Expression::AllOf(required.into_iter().map(Expression::Scope).collect());
    authorization::check(call, &required)?;
    let client_id = call.client_id.as_deref().unwrap_or("static/anonymous");
    Ok(json!({"clientId": client_id, "scopes": set_of(call.scopes.clone())}))
}

fn list_clients(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let prefix = call.query_value("prefix").unwrap_or_default();
    let clients = state.clients.0.lock().unwrap_or_else(PoisonError::into_inner);
    let found = clients
        .iter()
        .filter(|(id, _)| id.starts_with(prefix))
        .map(|(id, client)| (id.clone(), client.to_json(id)));
    page(&state.token_key, call, "clients", found)
}

/// Creates a client; the same one may be created again.
fn create_client(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("clientId");
    let payload = call.payload.as_ref().unwrap_or(&Value::Null);
    let new = RegisteredClient {
        access_token: slugid::v4() + &slugid::v4(),
        scopes: set_of(strings(payload, "scopes")?),
        description: payload["description"]
            .as_str()
            .ok_or_else(|| Refusal::input("`description` is not a text"))?
            .to_owned(),
        created: state.now(),
        expires: date(payload, "expires")?,
        delete_on_expiration: payload["deleteOnExpiration"].as_bool().unwrap_or_default(),
    };
    let mut clients = state.clients.0.lock().unwrap_or_else(PoisonError::into_inner);
    let client = clients.entry(id.to_owned()).or_insert_with(|| new.clone());
    if !client.same_definition(&new) {
        return Err(Refusal::conflict(format!(
            "there is a client {id} already, and it is another one"
        )));
    }
    let mut answer = client.to_json(id);
    answer["accessToken"] = json!(client.access_token);
    Ok(answer)
}
