//! The state of a deployment, shared by its handles and its server.

#[cfg(feature = "pulse")]
use std::collections::BTreeMap;
#[cfg(feature = "pulse")]
use std::sync::{Arc, MutexGuard};
use std::sync::{Mutex, PoisonError};

#[cfg(feature = "pulse")]
use super::inbox::Inbox;
use super::recorded::Record;
use super::stub::Stubs;
use crate::Reference;
use crate::testing::services::Services;
use crate::testing::services::context::Context;

/// Everything that one deployment keeps.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) services: Services,
    /// The references added by the test, the latest first.
    added: Mutex<Vec<&'static Reference>>,
    pub(crate) stubs: Stubs,
    pub(crate) record: Record,
    /// The requests that the storage got.
    pub(crate) transfers: Record,
    /// The queues with a name, which need no listener.
    #[cfg(feature = "pulse")]
    inboxes: Mutex<BTreeMap<String, Arc<Inbox>>>,
}

impl State {
    pub(crate) fn context(&self) -> &Context {
        &self.services.context
    }

    #[cfg(feature = "pulse")]
    pub(super) fn inboxes(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Inbox>>> {
        self.inboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns all served references in order of precedence.
    pub(crate) fn references(&self) -> Vec<&'static Reference> {
        let mut references = self.added.lock().unwrap_or_else(PoisonError::into_inner).clone();
        references.extend(self.context().references());
        references
    }

    pub(crate) fn serve(&self, reference: &'static Reference) {
        let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        added.retain(|known| !std::ptr::eq(*known, reference));
        added.insert(0, reference);
    }
}
