//! The context of all services: what they need from the deployment, and their access to each other.

pub(crate) mod audit;
pub(crate) mod clock;
mod expressions;
pub(crate) mod message;
pub(crate) mod storage;
pub(crate) mod template;

use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use self::audit::Audit;
use self::clock::Clock;
use self::message::{Exchanges, Message};
use self::storage::Storage;
use crate::call::required_scopes::parameters;
use crate::key::Key;
use crate::scopes::Expression;
use crate::testing::http::answer::{Refusal, Reply};
use crate::testing::http::authentication::{Accounts, Authority};
use crate::testing::http::authorization;
use crate::testing::http::call::RecordedCall;
use crate::testing::http::patterns::check_arguments;
use crate::testing::http::schemas::Schemas;
use crate::{Credentials, Reference, slugid};

/// The client id of the services.
pub(crate) const SERVICE: &str = "static/taskcluster/queue";

/// A service: a store, and the endpoints that work on it.
pub(crate) trait Service: Send + Sync {
    /// Answers a call that has passed all checks. Returns `None` if the endpoint is not built in.
    fn answer(&self, context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>>;

    /// Answers a call that may have to wait. Returns `None` for the endpoints of [`answer`](Self::answer).
    fn answer_later<'a>(
        &'a self,
        _context: &'a Context,
        _call: &'a RecordedCall,
    ) -> Option<LaterAnswer<'a>> {
        None
    }

    /// Refuses what the service refuses before it looks at the scopes of the caller: some services first look for what the
    /// scopes depend on, or complete the payload.
    fn check_before_scopes(
        &self,
        _context: &Context,
        _call: &mut RecordedCall,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    /// Adds the values that a call's required scopes depend on and that only the service knows.
    fn add_parameters(
        &self,
        _context: &Context,
        _call: &RecordedCall,
        _known: &mut Map<String, Value>,
    ) {
    }

    /// Does what is due.
    fn settle(&self, _context: &Context) {}

    /// When something is due next that has to happen at its own time.
    fn next_due(&self) -> Option<DateTime<Utc>> {
        None
    }

    /// Records a message. It may come from the middle of a change to another service, which cannot be called before
    /// [`work_on_messages`](Self::work_on_messages).
    fn hear(&self, _message: &Message) {}

    /// Acts on the recorded messages. Messages that this causes wait for the next call, so that it always ends.
    fn work_on_messages(&self, _context: &Context) {}
}

/// An answer that is waited for.
pub(crate) type LaterAnswer<'a> = Pin<Box<dyn Future<Output = Result<Reply, Refusal>> + Send + 'a>>;

/// A row of the table of services.
pub(crate) struct Entry {
    pub(crate) reference: &'static Reference,
    /// The reference of the exchanges that it publishes to.
    pub(crate) exchanges: Option<&'static Reference>,
    /// `None` for a service whose endpoints must all be stubbed.
    pub(crate) service: Option<Arc<dyn Service>>,
}

/// The part of a deployment that its services use.
pub(crate) struct Context {
    services: Vec<Entry>,
    authority: Arc<dyn Authority>,
    root_url: OnceLock<String>,
    service_token: String,
    pub(crate) clock: Clock,
    /// Signs continuation tokens.
    pub(crate) token_key: Key,
    pub(crate) schemas: Schemas,
    pub(crate) storage: Storage,
    pub(crate) exchanges: Exchanges,
    pub(crate) audit: Audit,
    /// Notified when the queue or the time changes.
    pub(crate) changed: Notify,
}

/// What the deployment is.
impl Context {
    /// `service_token` is the access token of the services' own client.
    pub(crate) fn new(
        services: Vec<Entry>,
        authority: Arc<dyn Authority>,
        service_token: String,
    ) -> Self {
        Self {
            services,
            authority,
            root_url: OnceLock::new(),
            service_token,
            clock: Clock::default(),
            token_key: Key::new(&slugid::v4()),
            schemas: Schemas::default(),
            storage: Storage::default(),
            exchanges: Exchanges::default(),
            audit: Audit::default(),
            changed: Notify::new(),
        }
    }

    /// Sets the root URL, once.
    pub(crate) fn set_root_url(&self, url: &str) {
        // A deployment has only one server.
        let _ = self.root_url.set(url.to_owned());
    }

    pub(crate) fn root_url(&self) -> &str {
        self.root_url.get().map_or("", String::as_str)
    }

    /// The time by the deployment's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A URL by which stored content can be downloaded until `expires`.
    pub(crate) fn get_url(&self, key: &str, expires: DateTime<Utc>) -> String {
        self.root_url().to_owned() + &self.storage.resource(&Method::GET, key, expires)
    }

    /// A URL by which content can be uploaded until `expires`, with these headers and no others.
    pub(crate) fn put_url(
        &self,
        key: &str,
        expires: DateTime<Utc>,
        headers: &[(HeaderName, String)],
    ) -> String {
        self.storage.expect(key, headers);
        self.root_url().to_owned() + &self.storage.resource(&Method::PUT, key, expires)
    }

    /// Returns the services' own credentials.
    pub(crate) fn credentials(&self) -> Credentials {
        Credentials::new(SERVICE, &self.service_token)
    }

    /// Issues temporary credentials of this name by a service, in the form of the services' answers.
    pub(crate) fn temporary_credentials(
        &self,
        name: &str,
        scopes: Vec<String>,
        start: DateTime<Utc>,
        end: DateTime<Utc>,
    ) -> Result<Value, Refusal> {
        let issuer = self.credentials();
        let lifetime = (end - start).to_std().unwrap_or_default();
        let made = issuer.temporary(lifetime).name(name).scopes(scopes).start(start).create();
        made.map(|credentials| credentials.to_json())
            .map_err(|error| Refusal::input(error.message()))
    }
}

/// Authentication and authorization.
impl Context {
    /// Returns the accounts that may sign a call.
    pub(crate) fn accounts<'a>(&'a self, call: &'a RecordedCall) -> Box<dyn Accounts + 'a> {
        self.authority.accounts(call, self.now())
    }

    /// Refuses a call whose payload does not fit its schema.
    pub(crate) fn check_payload(&self, call: &RecordedCall) -> Result<(), Refusal> {
        self.schemas.check_payload(call)
    }

    /// Makes the checks that follow the check of the payload.
    pub(crate) fn authorize_late(&self, call: &mut RecordedCall) -> Result<(), Refusal> {
        if let Some(service) = self.service_of(call) {
            service.check_before_scopes(self, call)?;
        }
        match authorization::depends_on_path_alone(call.endpoint) {
            true => Ok(()),
            false => self.authorize(call),
        }
    }

    /// Checks the scopes of the caller before anything else, if the path alone says which are required.
    pub(crate) fn authorize_early(&self, call: &RecordedCall) -> Result<(), Refusal> {
        match authorization::depends_on_path_alone(call.endpoint) {
            true => self.authorize(call),
            false => Ok(()),
        }
    }

    /// Refuses a call whose caller lacks scopes that the reference requires.
    fn authorize(&self, call: &RecordedCall) -> Result<(), Refusal> {
        let payload = call.payload().as_object().cloned().unwrap_or_default();
        let args = call.args.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let mut known =
            parameters(call.service, call.endpoint.name, payload, call.query.clone(), args);
        if let Some(service) = self.service_of(call) {
            service.add_parameters(self, call, &mut known);
        }
        match authorization::required(call.endpoint, &known) {
            Some(needed) => self.check_scopes(call, &needed),
            None => Ok(()),
        }
    }

    /// Refuses a call whose caller does not satisfy an expression.
    pub(crate) fn check_scopes(
        &self,
        call: &RecordedCall,
        needed: &Expression,
    ) -> Result<(), Refusal> {
        authorization::check(call.caller(), call.scopes.clone(), needed)
    }
}

/// The other services.
impl Context {
    fn service_of(&self, call: &RecordedCall) -> Option<&dyn Service> {
        let is_of = |entry: &&Entry| {
            let Reference { service, version, .. } = entry.reference;
            (*service, *version) == (call.service, call.version)
        };
        self.services.iter().find(is_of)?.service.as_deref()
    }

    /// Lets a service answer a call that has passed all checks; `None` if the endpoint is not built in.
    pub(crate) async fn answer(&self, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
        let service = self.service_of(call)?;
        let answer = match service.answer_later(self, call) {
            Some(answer) => answer.await,
            None => service.answer(self, call)?,
        };
        if answer.as_ref().is_ok_and(Reply::is_success) {
            self.audit.record(call, self.now());
        }
        Some(answer)
    }

    /// Calls an endpoint of another service as this client with these scopes, expanded by roles. The same checks apply as to a
    /// call from outside.
    pub(crate) fn call(
        &self,
        reference: &'static Reference,
        endpoint: &str,
        caller: (&str, Vec<String>),
        args: &[(&'static str, &str)],
        payload: Option<Value>,
    ) -> Result<Value, Refusal> {
        let call = &mut self.prepare(reference, endpoint, caller, args, payload);
        self.carry_out(call).map(|reply| reply.to_json())
    }

    /// Same as [`call`](Self::call), for the property `items` of all pages of a list.
    pub(crate) fn list(
        &self,
        reference: &'static Reference,
        endpoint: &str,
        (client_id, scopes): (&str, Vec<String>),
        args: &[(&'static str, &str)],
        items: &str,
    ) -> Result<Vec<Value>, Refusal> {
        let (mut all, mut query) = (Vec::new(), Vec::new());
        loop {
            let caller = (client_id, scopes.clone());
            let call = &mut self.prepare(reference, endpoint, caller, args, None);
            call.query = query;
            let mut page = self.carry_out(call)?.to_json();
            if let Value::Array(items) = page[items].take() {
                all.extend(items);
            }
            let Some(token) = page["continuationToken"].as_str() else { return Ok(all) };
            query = vec![("continuationToken".to_owned(), token.to_owned())];
        }
    }

    /// Same as [`call`](Self::call), but returns an error with its body.
    pub(crate) fn call_for_body(
        &self,
        reference: &'static Reference,
        endpoint: &str,
        caller: (&str, Vec<String>),
        args: &[(&'static str, &str)],
        payload: Option<Value>,
    ) -> Result<Value, (Refusal, Value)> {
        let call = &mut self.prepare(reference, endpoint, caller, args, payload);
        self.carry_out(call).map(|reply| reply.to_json()).map_err(|refusal| {
            let body = refusal.body(call, self.now());
            (refusal, body)
        })
    }

    fn prepare(
        &self,
        reference: &'static Reference,
        endpoint: &str,
        (client_id, scopes): (&str, Vec<String>),
        args: &[(&'static str, &str)],
        payload: Option<Value>,
    ) -> RecordedCall {
        RecordedCall {
            service: reference.service,
            version: reference.version,
            endpoint: reference.endpoint(endpoint),
            args: args.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            query: Vec::new(),
            body: payload.clone().unwrap_or_else(|| json!({})),
            payload,
            headers: HeaderMap::new(),
            client_id: Some(client_id.to_owned()),
            scopes: self.authority.expand(scopes),
            signature: None,
            status: None,
            error: None,
        }
    }

    fn carry_out(&self, call: &mut RecordedCall) -> Result<Reply, Refusal> {
        self.authorize_early(call)?;
        check_arguments(call)?;
        self.complete(call);
        self.check_payload(call)?;
        self.authorize_late(call)?;
        let answer = self.service_of(call).and_then(|service| service.answer(self, call));
        answer
            .unwrap_or_else(|| Err(Refusal::internal(format!("{} is not built in", call.endpoint))))
    }

    /// Fills the defaults of its schema into a call's payload.
    pub(crate) fn complete(&self, call: &mut RecordedCall) {
        let mut body = std::mem::take(&mut call.body);
        self.schemas.fill_defaults(call, &mut body);
        call.body = body;
    }

    /// Returns all exchanges that the services publish to.
    #[cfg(feature = "pulse")]
    pub(crate) fn all_exchanges(&self) -> impl Iterator<Item = &'static crate::Exchange> {
        self.exchange_references().flat_map(|reference| reference.exchanges)
    }

    /// Returns the references of all services.
    pub(crate) fn references(&self) -> impl Iterator<Item = &'static Reference> {
        self.services.iter().map(|entry| entry.reference)
    }

    fn exchange_references(&self) -> impl Iterator<Item = &'static Reference> {
        self.services.iter().filter_map(|entry| entry.exchanges)
    }

    /// Delivers a message of a service to all listeners. A message that does not fit its schema is not delivered, because no
    /// service would send it.
    pub(crate) fn publish(&self, message: &Message) {
        let of_message = |reference: &'static Reference| {
            let exchange =
                reference.exchanges.iter().find(|known| known.exchange == message.exchange)?;
            Some((reference.service, exchange.schema))
        };
        if let Some((service, schema)) = self.exchange_references().find_map(of_message)
            && let Err(problem) = self.schemas.check(service, schema, &message.payload)
        {
            tracing::error!(
                "not published, because it does not fit the schema of {}: {problem:?}",
                message.exchange
            );
            return;
        }
        self.exchanges.publish(message);
        for service in self.built_in() {
            service.hear(message);
        }
    }

    fn built_in(&self) -> impl Iterator<Item = &dyn Service> {
        self.services.iter().filter_map(|entry| entry.service.as_deref())
    }

    /// Lets all services do what is due.
    pub(crate) fn settle(&self) {
        self.built_in().for_each(|service| service.settle(self));
        self.work_on_messages();
    }

    /// Lets the services act on the messages that they have received.
    pub(crate) fn work_on_messages(&self) {
        self.built_in().for_each(|service| service.work_on_messages(self));
    }

    /// When something is due next that has to happen at its own time.
    pub(crate) fn next_due(&self) -> Option<DateTime<Utc>> {
        self.built_in().filter_map(Service::next_due).min()
    }
}
