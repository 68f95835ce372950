//! What a deployment knows, shared by its handles and its server.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::Notify;

use super::answer::Refusal;
use super::auth::Clients;
use super::clock::Clock;
use super::hooks::Hooks;
use super::index::Index;
use super::messages::{Exchanges, Message, SERVICES};
use super::notify::Notifications;
use super::object::Objects;
use super::purge_cache::PurgeRequests;
use super::queue::Queue;
use super::recorded::Record;
use super::roles::Roles;
use super::schemas::Schemas;
use super::secrets::Secrets;
use super::storage::Storage;
use super::stub::Stubs;
use crate::credentials::Credentials;
use crate::key::Key;
use crate::reference::Reference;
use crate::slugid;

/// The client that the deployment's services are, which issues the credentials of tasks.
const SERVICE: &str = "static/taskcluster/queue";

/// Everything that one deployment keeps.
pub(super) struct State {
    /// The latest first.
    references: Mutex<Vec<&'static Reference>>,
    root_url: OnceLock<String>,
    pub(super) clock: Clock,
    /// Signs continuation tokens.
    pub(super) token_key: Key,
    service_token: String,
    claim_wait: Mutex<Duration>,
    /// Tells those who wait that the queue has changed, or the time.
    pub(super) changed: Notify,
    pub(super) record: Record,
    pub(super) schemas: Schemas,
    pub(super) stubs: Stubs,
    pub(super) exchanges: Exchanges,
    pub(super) clients: Clients,
    pub(super) roles: Roles,
    pub(super) queue: Mutex<Queue>,
    pub(super) secrets: Secrets,
    pub(super) hooks: Hooks,
    pub(super) index: Index,
    pub(super) notifications: Notifications,
    pub(super) purge_requests: PurgeRequests,
    pub(super) objects: Objects,
    pub(super) storage: Storage,
}

impl State {
    pub(super) fn new() -> Self {
        let references = vec![
            &crate::Auth::REFERENCE,
            &crate::Github::REFERENCE,
            &crate::Hooks::REFERENCE,
            &crate::Index::REFERENCE,
            &crate::Notify::REFERENCE,
            &crate::Object::REFERENCE,
            &crate::PurgeCache::REFERENCE,
            &crate::Queue::REFERENCE,
            &crate::Secrets::REFERENCE,
            &crate::WebServer::REFERENCE,
            &crate::WorkerManager::REFERENCE,
        ];
        Self {
            references: Mutex::new(references),
            root_url: OnceLock::new(),
            clock: Clock::default(),
            token_key: Key::new(&slugid::v4()),
            service_token: slugid::v4() + &slugid::v4(),
            claim_wait: Mutex::new(Duration::from_millis(100)),
            changed: Notify::new(),
            record: Record::default(),
            schemas: Schemas::default(),
            stubs: Stubs::default(),
            exchanges: Exchanges::default(),
            clients: Clients::default(),
            roles: Roles::default(),
            queue: Mutex::default(),
            secrets: Secrets::default(),
            hooks: Hooks::default(),
            index: Index::default(),
            notifications: Notifications::default(),
            purge_requests: PurgeRequests::default(),
            objects: Objects::default(),
            storage: Storage::default(),
        }
    }

    pub(super) fn references(&self) -> Vec<&'static Reference> {
        self.references.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn serve(&self, reference: &'static Reference) {
        let mut references = self.references.lock().unwrap_or_else(PoisonError::into_inner);
        references.retain(|known| !std::ptr::eq(*known, reference));
        references.insert(0, reference);
    }

    /// Says where the server is; once.
    pub(super) fn set_root_url(&self, url: &str) {
        // A second server for the same state does not exist.
        let _ = self.root_url.set(url.to_owned());
    }

    pub(super) fn root_url(&self) -> &str {
        self.root_url.get().map_or("", String::as_str)
    }

    /// The time by the deployment's clock.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn set_claim_wait(&self, wait: Duration) {
        *self.claim_wait.lock().unwrap_or_else(PoisonError::into_inner) = wait;
    }

    pub(super) fn claim_wait(&self) -> Duration {
        *self.claim_wait.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a message of a service to all who listen. One that does not fit its schema is held back, since no service
    /// would send it.
    pub(super) fn publish(&self, message: Message) {
        let of_message = |reference: &&Reference| {
            let exchanges = reference.exchanges.iter();
            let exchange = exchanges.clone().find(|known| known.exchange == message.exchange)?;
            Some((reference.service, exchange.schema))
        };
        if let Some((service, schema)) = SERVICES.iter().find_map(of_message)
            && let Err(problem) = self.schemas.check(service, schema, &message.payload)
        {
            tracing::error!("a message for {} is wrong: {problem:?}", message.exchange);
            return;
        }
        self.exchanges.publish(&message);
        self.note_bound_hooks(&message);
    }

    /// Client id and access token of the services.
    pub(super) fn service_account(&self) -> (&'static str, &str) {
        (SERVICE, &self.service_token)
    }

    /// Temporary credentials of this name, issued by a service, in the form in which services give them away.
    pub(super) fn service_credentials(
        &self,
        name: &str,
        scopes: Vec<String>,
        start: DateTime<Utc>,
        end: DateTime<Utc>,
    ) -> Result<Value, Refusal> {
        let issuer = Credentials::new(SERVICE, &self.service_token);
        let lifetime = (end - start).to_std().unwrap_or_default();
        let made = issuer.temporary(lifetime).name(name).scopes(scopes).start(start).create();
        made.map(|credentials| credentials.to_json())
            .map_err(|error| Refusal::input(error.message()))
    }
}
