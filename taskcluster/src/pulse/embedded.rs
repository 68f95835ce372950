//! Queues inside this program, in place of those of a broker, for the embedded deployment.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedSemaphorePermit;

use crate::error::Result;
use crate::reference::routing_keys::Binding;

/// Opens the queue of this name, or a temporary one, and adds bindings to it.
pub(crate) type OpenQueue =
    dyn Fn(Option<&str>, &[Binding]) -> Result<Arc<dyn EmbeddedQueue>> + Send + Sync;

/// A queue of published messages.
pub(crate) trait EmbeddedQueue: Send + Sync {
    /// Waits for the next message. Fails if none will ever come.
    fn next(&self) -> Pin<Box<dyn Future<Output = Result<Delivered>> + Send + '_>>;

    /// Takes back a message, at its old place.
    fn put_back(&self, delivered: Delivered);
}

/// A message that its queue has handed out.
pub(crate) struct Delivered {
    /// Its place in the queue.
    pub(crate) place: u64,
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) cc: Vec<String>,
    pub(crate) redelivered: bool,
    pub(crate) body: Vec<u8>,
}

/// A message that is not settled yet.
pub(super) struct Unsettled {
    queue: Arc<dyn EmbeddedQueue>,
    /// `None` once it is settled. The permit is one of the consumer's `prefetch`.
    delivered: Mutex<Option<(Delivered, OwnedSemaphorePermit)>>,
}

impl Unsettled {
    pub(super) fn new(
        queue: Arc<dyn EmbeddedQueue>,
        delivered: Delivered,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { queue, delivered: Mutex::new(Some((delivered, permit))) }
    }

    fn take(&self) -> Option<Delivered> {
        let taken = self.delivered.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.map(|(delivered, _)| delivered)
    }

    /// Takes the message out of its queue, and returns whether it was unsettled.
    pub(super) fn remove(&self) -> bool {
        self.take().is_some()
    }

    /// Returns the message to its queue, unless it is settled.
    pub(super) fn put_back(&self) -> bool {
        let taken = self.take();
        let was_unsettled = taken.is_some();
        taken.into_iter().for_each(|delivered| self.queue.put_back(delivered));
        was_unsettled
    }
}
