//! The auth service: clients, roles, and the signatures of calls.

mod elsewhere;
mod history;
mod roles;
mod scope_sets;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use self::roles::Roles;
use self::scope_sets::set_of;
use crate::scopes::{Expression, normalize};
use crate::testing::http::answer::{Refusal, Reply, date, strings, text, timestamp};
use crate::testing::http::authentication::{
    Account, Accounts, Authority, Caller, authenticate_without_body,
};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::http::request::Incoming;
use crate::testing::services::context::message::Message;
use crate::testing::services::context::{Context, SERVICE, Service};
use crate::{AuthEvents, Exchange, slugid};

/// How long after its creation a client may be created again without an error.
const REPEAT: TimeDelta = TimeDelta::minutes(15);

/// All clients by id, and all roles.
pub(crate) struct Auth {
    clients: Mutex<BTreeMap<String, RegisteredClient>>,
    roles: Roles,
    /// The access token of the services' own client.
    service_token: String,
}

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

impl Auth {
    pub(crate) fn new(service_token: String) -> Self {
        Self { clients: Mutex::default(), roles: Roles::default(), service_token }
    }

    fn clients(&self) -> MutexGuard<'_, BTreeMap<String, RegisteredClient>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the clients, after removing expired ones with `deleteOnExpiration`.
    fn clients_at(&self, now: DateTime<Utc>) -> MutexGuard<'_, BTreeMap<String, RegisteredClient>> {
        let mut clients = self.clients();
        clients.retain(|_, client| !client.delete_on_expiration || client.expires > now);
        clients
    }

    /// Adds or replaces a client whose expiry no test reaches.
    pub(crate) fn put_client(
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
        self.clients().insert(id.to_owned(), client);
    }

    pub(crate) fn access_token(&self, id: &str) -> Option<String> {
        self.clients().get(id).map(|client| client.access_token.clone())
    }

    /// Adds or replaces a role, if it is valid.
    pub(crate) fn put_role(
        &self,
        id: &str,
        scopes: Vec<String>,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        self.roles.put(id, scopes, now)
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

    fn to_json(&self, auth: &Auth, id: &str) -> Value {
        json!({
            "clientId": id,
            "description": self.description,
            "created": timestamp(self.created),
            "lastModified": timestamp(self.modified),
            "lastDateUsed": timestamp(self.used),
            "lastRotated": timestamp(self.rotated),
            "expires": timestamp(self.expires),
            "scopes": self.scopes,
            "expandedScopes": normalize(auth.roles.expand(self.scopes.clone())),
            "disabled": self.disabled,
            "deleteOnExpiration": self.delete_on_expiration,
        })
    }
}

/// Returns the accounts that may sign a call.
///
/// The two endpoints that test signatures know only one client, the same in every deployment, whose scopes come from the
/// payload.
struct AccountsFor<'a> {
    auth: &'a Auth,
    call: &'a RecordedCall,
    now: DateTime<Utc>,
}

impl Accounts for AccountsFor<'_> {
    fn account(&self, id: &str) -> Option<Account> {
        let Self { auth, call, now } = self;
        let for_ever = |access_token: &str, scopes| Account {
            access_token: access_token.to_owned(),
            scopes,
            expires: *now + TimeDelta::days(1),
            disabled: false,
        };
        if id == SERVICE {
            return Some(for_ever(&auth.service_token, vec!["*".to_owned()]));
        }
        let scopes = if call.is("auth", "testAuthenticate") {
            strings(call.payload(), "clientScopes").ok()?
        } else if call.is("auth", "testAuthenticateGet") {
            vec!["test:*".to_owned(), "auth:create-client:test:*".to_owned()]
        } else {
            let mut clients = auth.clients_at(*now);
            let client = clients.get_mut(id)?;
            // As precisely as the service stores it.
            if *now - client.used > TimeDelta::hours(6) {
                client.used = *now;
            }
            return Some(Account {
                access_token: client.access_token.clone(),
                scopes: auth.roles.expand(client.scopes.clone()),
                expires: client.expires,
                disabled: client.disabled,
            });
        };
        (id == "tester").then(|| for_ever("no-secret", scopes))
    }

    fn expand(&self, scopes: Vec<String>) -> Vec<String> {
        // The endpoints that test signatures know no roles.
        if self.call.tests_signatures() {
            return scopes;
        }
        normalize(self.auth.roles.expand(scopes))
    }
}

impl Authority for Auth {
    fn accounts<'a>(
        &'a self,
        call: &'a RecordedCall,
        now: DateTime<Utc>,
    ) -> Box<dyn Accounts + 'a> {
        Box::new(AccountsFor { auth: self, call, now })
    }

    fn expand(&self, scopes: Vec<String>) -> Vec<String> {
        self.roles.expand(scopes)
    }
}

impl Service for Auth {
    fn answer(&self, context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
        let answer = match call.endpoint.name {
            "testAuthenticate" => test_authenticate(context, call),
            "testAuthenticateGet" => test_authenticate_get(context, call),
            "authenticateHawk" => authenticate_hawk(context, call),
            "currentScopes" => Ok(json!({"scopes": set_of(call.scopes.clone())})),
            "listClients" => list_clients(self, context, call),
            "client" => client(self, context, call),
            "createClient" => create_client(self, context, call),
            "updateClient" => update_client(self, context, call),
            "enableClient" => change(self, context, call, |client| client.disabled = false),
            "disableClient" => change(self, context, call, |client| client.disabled = true),
            "resetAccessToken" => reset_access_token(self, context, call),
            "deleteClient" => {
                return Some(check_not_static(call).map(|()| {
                    self.clients().remove(call.arg("clientId"));
                    publish(context, AuthEvents::client_deleted().exchange(), call);
                    Reply::new(StatusCode::NO_CONTENT)
                }));
            }
            _ => match history::answer(context, call) {
                Some(answer) => answer,
                None => {
                    return elsewhere::answer(context, call)
                        .or_else(|| roles::answer(&self.roles, context, call));
                }
            },
        };
        Some(answer.map(Reply::from))
    }

    fn check_before_scopes(
        &self,
        context: &Context,
        call: &mut RecordedCall,
    ) -> Result<(), Refusal> {
        match call.endpoint.name {
            "createClient" => {
                check_not_static(call)?;
                check_stars(call)
            }
            "updateClient" => {
                check_not_static(call)?;
                check_stars(call)?;
                client(self, context, call).map(|_| ())
            }
            "createRole" => check_stars(call),
            "updateRole" => {
                check_stars(call)?;
                self.roles.check_exists(call.arg("roleId"))
            }
            _ => Ok(()),
        }
    }

    fn add_parameters(
        &self,
        context: &Context,
        call: &RecordedCall,
        known: &mut Map<String, Value>,
    ) {
        let added = match call.endpoint.name {
            "updateRole" => roles::scopes_added(&self.roles, call),
            "updateClient" => {
                let clients = self.clients_at(context.now());
                let present =
                    clients.get(call.arg("clientId")).map(|client| client.scopes.as_slice());
                let present = present.unwrap_or_default();
                let mut wanted = strings(call.payload(), "scopes").unwrap_or_default();
                wanted.retain(|scope| !present.contains(scope));
                wanted
            }
            _ => return,
        };
        known.insert("scopesAdded".to_owned(), json!(added));
    }
}

/// Refuses to change the clients that are part of a deployment's configuration.
fn check_not_static(call: &RecordedCall) -> Result<(), Refusal> {
    match call.arg("clientId").starts_with("static/") {
        true => Err(Refusal::input("client ids that start with `static/` are reserved")),
        false => Ok(()),
    }
}

/// Refuses scopes that end in two stars.
fn check_stars(call: &RecordedCall) -> Result<(), Refusal> {
    match strings(call.payload(), "scopes")?.iter().find(|scope| scope.ends_with("**")) {
        Some(scope) => Err(Refusal::input(format!("the scope {scope} ends with `**`"))),
        None => Ok(()),
    }
}

fn publish(context: &Context, exchange: &'static Exchange, call: &RecordedCall) {
    let payload = json!({"version": 1, "clientId": call.arg("clientId")});
    context.publish(&Message::new(exchange, &[], &[], payload));
}

fn test_authenticate(context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    strings(call.payload(), "clientScopes")?;
    authenticated(context, call, strings(call.payload(), "requiredScopes")?)
}

fn test_authenticate_get(context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    authenticated(context, call, vec!["test:authenticate-get".to_owned()])
}

/// Returns the caller, if it has the required scopes.
fn authenticated(
    context: &Context,
    call: &RecordedCall,
    required: Vec<String>,
) -> Result<Value, Refusal> {
    let required = Expression::AllOf(required.into_iter().map(Expression::Scope).collect());
    context.check_scopes(call, &required)?;
    Ok(json!({"clientId": call.caller(), "scopes": call.scopes}))
}

/// Verifies the signature of a request that another service received.
fn authenticate_hawk(context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let payload = call.payload();
    let (method, host) = (text(payload, "method")?.to_uppercase(), text(payload, "host")?);
    let mut headers = HeaderMap::new();
    let header = |text: &str| {
        HeaderValue::try_from(text)
            .map_err(|_| Refusal::input(format!("{text:?} cannot be sent in a header")))
    };
    headers.insert(HOST, header(&format!("{host}:{}", payload["port"]))?);
    if let Some(authorization) = payload["authorization"].as_str() {
        headers.insert(AUTHORIZATION, header(authorization)?);
    }
    let request = Incoming {
        method: method
            .parse::<Method>()
            .map_err(|_| Refusal::input(format!("{method:?} is not an HTTP method")))?,
        resource: text(payload, "resource")?,
        headers,
        body: bytes::Bytes::new(),
    };
    let clock = (context.clock.signing(), context.now());
    Ok(match authenticate_without_body(&request, clock, &*context.accounts(call)) {
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
    Refusal::not_found(format!("client {id:?} does not exist"))
}

fn list_clients(auth: &Auth, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let prefix = call.query_value("prefix").unwrap_or_default();
    let clients = auth.clients_at(context.now());
    let found = clients
        .iter()
        .filter(|(id, _)| id.starts_with(prefix))
        .map(|(id, client)| (id.clone(), client.to_json(auth, id)));
    let mut page = page(&context.token_key, call, "clients", found)?;
    // In 2017, the list was not paginated.
    Ok(if call.is_of_2017() { page["clients"].take() } else { page })
}

fn client(auth: &Auth, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let id = call.arg("clientId");
    let clients = auth.clients_at(context.now());
    clients.get(id).map(|client| client.to_json(auth, id)).ok_or_else(|| no_client(id))
}

/// Creates a client. Creating the same client again soon after is not an error.
fn create_client(auth: &Auth, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let (id, payload, now) = (call.arg("clientId"), call.payload(), context.now());
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
    let mut clients = auth.clients_at(now);
    let client = clients.entry(id.to_owned()).or_insert_with(|| new.clone());
    if !client.same_definition(&new) || client.disabled || now > client.created + REPEAT {
        return Err(Refusal::conflict(format!("client {id:?} already exists")));
    }
    let mut answer = client.to_json(auth, id);
    answer["accessToken"] = json!(client.access_token);
    drop(clients);
    publish(context, AuthEvents::client_created().exchange(), call);
    Ok(answer)
}

/// Changes a client and returns the result.
fn change(
    auth: &Auth,
    context: &Context,
    call: &RecordedCall,
    act: impl FnOnce(&mut RegisteredClient),
) -> Result<Value, Refusal> {
    check_not_static(call)?;
    let (id, now) = (call.arg("clientId"), context.now());
    let mut clients = auth.clients_at(now);
    let client = clients.get_mut(id).ok_or_else(|| no_client(id))?;
    act(client);
    client.modified = now;
    let answer = client.to_json(auth, id);
    drop(clients);
    publish(context, AuthEvents::client_updated().exchange(), call);
    Ok(answer)
}

fn update_client(auth: &Auth, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let payload = call.payload();
    let (description, expires) = (text(payload, "description")?, date(payload, "expires")?);
    let scopes = match &payload["scopes"] {
        Value::Null => None,
        _ => Some(set_of(strings(payload, "scopes")?)),
    };
    let deleted = payload["deleteOnExpiration"].as_bool().unwrap_or_default();
    change(auth, context, call, |client| {
        client.description = description;
        client.expires = expires;
        client.delete_on_expiration = deleted;
        if let Some(scopes) = scopes {
            client.scopes = scopes;
        }
    })
}

fn reset_access_token(
    auth: &Auth,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let (token, now) = (slugid::v4() + &slugid::v4(), context.now());
    let mut answer = change(auth, context, call, |client| {
        client.access_token.clone_from(&token);
        client.rotated = now;
    })?;
    answer["accessToken"] = json!(token);
    Ok(answer)
}
