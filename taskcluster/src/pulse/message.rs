//! Messages, and how to settle them.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt as _;
use lapin::Acker;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use lapin::types::AMQPValue;
use serde_core::de::DeserializeOwned;
#[cfg(feature = "testing")]
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc;

#[cfg(feature = "testing")]
use super::embedded::{Delivered, EmbeddedQueue, Unsettled};
use super::link::Link;
use super::plan::Plan;
use crate::error::{Error, Result, without_mark, without_values};
use crate::model::{Missing, Reading, Strictness};
use crate::reference::routing_keys::route;

/// A message from a queue, with its payload decoded as `T`.
///
/// The message stays in the queue until you [`ack`](Self::ack) or [`reject`](Self::reject) it. Dropped without either, it
/// is redelivered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Message<T = serde_json::Value> {
    /// The exchange that the message was published to.
    pub exchange: String,
    /// The routing key that the message was published with, even if it arrived through a route. The `parse` function of a
    /// generated exchange splits it into parts.
    pub routing_key: String,
    /// The other keys that it was published with, unchanged: `route.index.foo`. See [`routes`](Self::routes).
    pub cc: Vec<String>,
    /// Whether it was delivered before, to this program or another. If so, it may already have been handled.
    pub redelivered: bool,
    /// The payload, or the error if it cannot be decoded.
    pub payload: Result<T>,
    /// The raw payload.
    pub body: Vec<u8>,
    /// Settles the message. A separate field, for programs that move the other fields out of the message.
    pub receipt: Receipt,
}

impl<T> Message<T> {
    /// Returns the routes that the message was sent to, without the prefix `route.`.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        self.cc.iter().filter_map(|key| route(key))
    }

    /// Decodes the payload as another type.
    ///
    /// # Errors
    ///
    /// Returns an error if the payload is not JSON of this type. The error never quotes the payload, which is in
    /// [`body`](Self::body).
    pub fn decode<U: DeserializeOwned>(&self) -> Result<U> {
        decode(&self.exchange, &self.body, Strictness::Answer, |_| {})
    }

    /// Acknowledges the message; see [`Receipt::ack`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Receipt::ack`].
    pub async fn ack(self) -> Result<bool> {
        self.receipt.ack().await
    }

    /// Requeues the message; see [`Receipt::retry`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Receipt::retry`].
    pub async fn retry(self) -> Result<bool> {
        self.receipt.retry().await
    }

    /// Rejects the message; see [`Receipt::reject`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Receipt::reject`].
    pub async fn reject(self) -> Result<bool> {
        self.receipt.reject().await
    }
}

/// What a message consists of, wherever it comes from.
pub(super) struct Parts {
    exchange: String,
    routing_key: String,
    cc: Vec<String>,
    redelivered: bool,
    body: Vec<u8>,
    origin: Origin,
}

impl Parts {
    pub(super) fn of_delivery(delivery: Delivery, link: Arc<Link>) -> Self {
        let cc =
            delivery.properties.headers().as_ref().and_then(|headers| headers.inner().get("CC"));
        let cc = match cc {
            Some(AMQPValue::FieldArray(keys)) => keys.as_slice().iter().filter_map(text).collect(),
            _ => Vec::new(),
        };
        Self {
            exchange: delivery.exchange.into(),
            routing_key: delivery.routing_key.into(),
            cc,
            redelivered: delivery.redelivered,
            body: delivery.data,
            origin: Origin::Broker { acker: delivery.acker, link },
        }
    }

    #[cfg(feature = "testing")]
    pub(super) fn of_embedded(
        queue: Arc<dyn EmbeddedQueue>,
        delivered: Delivered,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            exchange: delivered.exchange.clone(),
            routing_key: delivered.routing_key.clone(),
            cc: delivered.cc.clone(),
            redelivered: delivered.redelivered,
            body: delivered.body.clone(),
            origin: Origin::Embedded(Unsettled::new(queue, delivered, permit)),
        }
    }
}

impl<T: DeserializeOwned> Message<T> {
    pub(super) fn new(parts: Parts, plan: &Plan, open: mpsc::Sender<Infallible>) -> Self {
        let Parts { exchange, routing_key, cc, redelivered, body, origin } = parts;
        tracing::debug!(exchange, routing_key, redelivered, "message");
        let warn = |missing: &[Missing]| plan.corrections.warn(&exchange, missing);
        Self {
            payload: decode(&exchange, &body, plan.strictness, warn),
            exchange,
            routing_key,
            cc,
            redelivered,
            body,
            receipt: Receipt { origin, _open: open },
        }
    }
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok(),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

fn decode<T: DeserializeOwned>(
    exchange: &str,
    body: &[u8],
    strictness: Strictness,
    warn: impl FnOnce(&[Missing]),
) -> Result<T> {
    let reading = Reading::begin(strictness);
    let payload = serde_json::from_slice(without_mark(body));
    warn(&reading.end());
    payload.map_err(|error| {
        let why = without_values(&error);
        Error::answer(format!("cannot decode the payload of a message from {exchange}: {why}"))
    })
}

/// Settles a message, exactly once.
///
/// Dropping a receipt requeues the message, like [`retry`](Self::retry).
pub struct Receipt {
    origin: Origin,
    /// Tells the listener when the last receipt is dropped.
    _open: mpsc::Sender<Infallible>,
}

impl Receipt {
    /// Acknowledges the message, which removes it from the queue.
    ///
    /// Returns `true` if the acknowledgement was sent. To make sure that the broker has received it, use
    /// [`Messages::close`](super::Messages::close). Returns `false` if the connection that delivered the message is gone:
    /// the message is then delivered again, marked as redelivered.
    ///
    /// # Errors
    ///
    /// Returns an error if the acknowledgement cannot be sent for any reason other than a lost connection.
    pub async fn ack(self) -> Result<bool> {
        match &self.origin {
            Origin::Broker { acker, link } => {
                settled(link.answer(acker.ack(BasicAckOptions::default())).await)
            }
            #[cfg(feature = "testing")]
            Origin::Embedded(message) => Ok(message.remove()),
        }
    }

    /// Returns the message to its queue, to be redelivered to this program or another.
    ///
    /// It may be redelivered immediately. If a retry makes sense only after some time, wait before you call this. `false`
    /// means the same as for [`ack`](Self::ack).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ack`](Self::ack).
    pub async fn retry(self) -> Result<bool> {
        match &self.origin {
            Origin::Broker { acker, link } => settled(link.answer(acker.nack(RETRY)).await),
            #[cfg(feature = "testing")]
            Origin::Embedded(message) => Ok(message.put_back()),
        }
    }

    /// Removes the message from the queue without handling it.
    ///
    /// It is discarded, or goes to the queue's dead letter exchange if it has one. `false` means the same as for
    /// [`ack`](Self::ack).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`ack`](Self::ack).
    pub async fn reject(self) -> Result<bool> {
        match &self.origin {
            Origin::Broker { acker, link } => {
                settled(link.answer(acker.reject(BasicRejectOptions { requeue: false })).await)
            }
            #[cfg(feature = "testing")]
            Origin::Embedded(message) => Ok(message.remove()),
        }
    }
}

/// Who settles a message.
enum Origin {
    Broker {
        acker: Acker,
        /// Keeps the connection alive that delivered the message: only that connection can settle it.
        link: Arc<Link>,
    },
    #[cfg(feature = "testing")]
    Embedded(Unsettled),
}

const RETRY: BasicNackOptions = BasicNackOptions { multiple: false, requeue: true };

fn settled(answer: Option<lapin::Result<bool>>) -> Result<bool> {
    match answer {
        Some(Ok(told)) => Ok(told),
        Some(Err(error)) if matches!(error.kind(), lapin::ErrorKind::SerialisationError(_)) => {
            Err(Error::input("the message cannot be settled").because(error))
        }
        // All other errors mean that the connection or channel is gone.
        Some(Err(_)) | None => Ok(false),
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        match &self.origin {
            // The first poll hands this to the connection's own task, unless the message has been settled.
            Origin::Broker { acker, .. } => drop(acker.nack(RETRY).now_or_never()),
            #[cfg(feature = "testing")]
            Origin::Embedded(message) => drop(message.put_back()),
        }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").finish_non_exhaustive()
    }
}
