//! What a deployment knows, shared by its handles and its server.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::auth::Clients;
use super::queue::Tasks;
use super::recorded::Record;
use super::schemas::Schemas;
use super::secrets::Secrets;
use super::stub::Stubs;
use crate::hawk::Key;
use crate::reference::Reference;
use crate::slugid;

/// The most that the clock can be off, in seconds.
pub(super) const CENTURY: i64 = 36_525 * 86_400;

/// Everything that one deployment keeps.
pub(super) struct State {
    /// The latest first.
    references: Mutex<Vec<&'static Reference>>,
    /// How far its clock is ahead, in seconds.
    clock_offset: AtomicI64,
    /// Signs continuation tokens.
    pub(super) token_key: Key,
    pub(super) record: Record,
    pub(super) schemas: Schemas,
    pub(super) stubs: Stubs,
    pub(super) clients: Clients,
    pub(super) tasks: Tasks,
    pub(super) secrets: Secrets,
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
            clock_offset: AtomicI64::new(0),
            token_key: Key::new(&slugid::v4()),
            record: Record::default(),
            schemas: Schemas::default(),
            stubs: Stubs::default(),
            clients: Clients::default(),
            tasks: Tasks::default(),
            secrets: Secrets::default(),
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

    pub(super) fn set_clock_offset(&self, seconds: i64) {
        self.clock_offset.store(seconds.clamp(-CENTURY, CENTURY), Ordering::Relaxed);
    }

    /// The time by the deployment's clock.
    pub(super) fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::seconds(self.clock_offset.load(Ordering::Relaxed))
    }
}
