//! A queue of messages, like those of a broker.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::Binding;
use crate::testing::services::context::message::Message;

/// A queue of messages.
#[derive(Default)]
pub(crate) struct Inbox {
    content: Mutex<Content>,
    arrived: Notify,
}

#[derive(Default)]
struct Content {
    bindings: Vec<Binding>,
    /// By their places: one that a listener puts back takes its old one.
    waiting: BTreeMap<u64, Waiting>,
    arrived: u64,
}

/// A message in an inbox.
pub(crate) struct Waiting {
    pub(crate) message: Message,
    #[cfg(feature = "pulse")]
    pub(crate) redelivered: bool,
}

impl Inbox {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bind(&self, bindings: impl IntoIterator<Item = Binding>) {
        self.content().bindings.extend(bindings);
    }

    /// Takes the message once, even if several bindings match.
    pub(crate) fn offer(&self, message: &Message) {
        let mut content = self.content();
        let fits =
            |binding: &Binding| message.is_for(binding.exchange, &binding.routing_key_pattern);
        if content.bindings.iter().any(fits) {
            let place = content.arrived;
            content.arrived += 1;
            let waiting = Waiting {
                message: message.clone(),
                #[cfg(feature = "pulse")]
                redelivered: false,
            };
            content.waiting.insert(place, waiting);
            self.arrived.notify_one();
        }
    }

    /// Removes the first message, and returns it with its place.
    pub(crate) fn pop(&self) -> Option<(u64, Waiting)> {
        self.content().waiting.pop_first()
    }

    #[cfg(feature = "pulse")]
    pub(crate) fn put_back(&self, place: u64, message: Message) {
        self.content().waiting.insert(place, Waiting { message, redelivered: true });
        self.arrived.notify_one();
    }

    /// Waits until a message arrives, but not longer than this.
    pub(crate) async fn wait(&self, duration: Duration) {
        let _ = timeout(duration, self.arrived.notified()).await;
    }

    pub(crate) fn bindings(&self) -> Vec<Binding> {
        self.content().bindings.clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.content().waiting.len()
    }
}
