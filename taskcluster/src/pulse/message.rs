//! A message, and what becomes of it.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt as _;
use lapin::Acker;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use lapin::types::AMQPValue;
use serde_core::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::link::Link;
use crate::error::{Error, Result, without_values};
use crate::reference::routing_keys::route;

/// A message of a queue, its payload decoded as `T`.
///
/// It is the queue's until [`ack`](Self::ack) or [`reject`](Self::reject): dropped without either, it goes back and
/// comes again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Message<T = serde_json::Value> {
    /// The exchange that it was published to.
    pub exchange: String,
    /// The routing key that it was published with, which an exchange's `parse` takes apart. It is this also if a route led
    /// here.
    pub routing_key: String,
    /// The other keys that it was published with, as they came: `route.index.foo`. See [`routes`](Self::routes).
    pub cc: Vec<String>,
    /// Whether it was delivered before, to this program or another. Then it may have been handled, too.
    pub redelivered: bool,
    /// The payload, or why it is not what it should be.
    pub payload: Result<T>,
    /// The payload as it came.
    pub body: Vec<u8>,
    /// What settles the message, for programs that take the rest apart.
    pub receipt: Receipt,
}

impl<T> Message<T> {
    /// The routes by which it was sent, without `route.` before them.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        self.cc.iter().filter_map(|key| route(key))
    }

    /// Decodes the payload as another type.
    ///
    /// # Errors
    ///
    /// If it is not JSON of this type. The error shows nothing of the payload; that is in [`body`](Self::body).
    pub fn decode<U: DeserializeOwned>(&self) -> Result<U> {
        decode(&self.exchange, &self.body)
    }

    /// See [`Receipt::ack`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn ack(self) -> Result<bool> {
        self.receipt.ack().await
    }

    /// See [`Receipt::retry`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn retry(self) -> Result<bool> {
        self.receipt.retry().await
    }

    /// See [`Receipt::reject`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn reject(self) -> Result<bool> {
        self.receipt.reject().await
    }
}

impl<T: DeserializeOwned> Message<T> {
    pub(super) fn new(delivery: Delivery, link: Arc<Link>, open: mpsc::Sender<Infallible>) -> Self {
        let cc =
            delivery.properties.headers().as_ref().and_then(|headers| headers.inner().get("CC"));
        let cc = match cc {
            Some(AMQPValue::FieldArray(keys)) => keys.as_slice().iter().filter_map(text).collect(),
            _ => Vec::new(),
        };
        let exchange = String::from(delivery.exchange);
        Self {
            payload: decode(&exchange, &delivery.data),
            exchange,
            routing_key: delivery.routing_key.into(),
            cc,
            redelivered: delivery.redelivered,
            body: delivery.data,
            receipt: Receipt { acker: delivery.acker, link, _open: open },
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

fn decode<T: DeserializeOwned>(exchange: &str, body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        let why = without_values(&error);
        Error::answer(format!("the payload of a message of {exchange} is not right: {why}"))
    })
}

/// The right and the duty to say what becomes of a message, once.
///
/// Dropped, it says [`retry`](Self::retry).
pub struct Receipt {
    acker: Acker,
    /// The connection that the message came by, which alone can settle it, lives as long as this.
    link: Arc<Link>,
    /// Tells the listener when the last one is gone.
    _open: mpsc::Sender<Infallible>,
}

impl Receipt {
    /// The message is done with and leaves the queue.
    ///
    /// `false` says that the connection is gone by which the message came: it comes again, marked as redelivered. `true`
    /// says that the broker was told, not that it has heard; [`Messages::close`](super::Messages::close) makes sure of that.
    ///
    /// # Errors
    ///
    /// If the broker cannot be told for another reason than a connection that is gone.
    pub async fn ack(self) -> Result<bool> {
        settled(self.link.answer(self.acker.ack(BasicAckOptions::default())).await)
    }

    /// The message goes back to its queue and comes again, to this program or another, at once if need be: who retries
    /// because of something that takes time should wait first.
    ///
    /// # Errors
    ///
    /// As with [`ack`](Self::ack), and `false` means the same.
    pub async fn retry(self) -> Result<bool> {
        settled(self.link.answer(self.acker.nack(RETRY)).await)
    }

    /// The message leaves the queue unhandled: for good, or to the queue's dead letter exchange if it has one.
    ///
    /// # Errors
    ///
    /// As with [`ack`](Self::ack), and `false` means the same.
    pub async fn reject(self) -> Result<bool> {
        settled(self.link.answer(self.acker.reject(BasicRejectOptions { requeue: false })).await)
    }
}

const RETRY: BasicNackOptions = BasicNackOptions { multiple: false, requeue: true };

fn settled(answer: Option<lapin::Result<bool>>) -> Result<bool> {
    match answer {
        Some(Ok(told)) => Ok(told),
        Some(Err(error)) if matches!(error.kind(), lapin::ErrorKind::SerialisationError(_)) => {
            Err(Error::input("the broker cannot be told").because(error))
        }
        // All other errors are those of a connection or channel that is no more.
        Some(Err(_)) | None => Ok(false),
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        // The first poll hands it to the connection's own task, unless the message is settled already.
        let _ = self.acker.nack(RETRY).now_or_never();
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").finish_non_exhaustive()
    }
}
