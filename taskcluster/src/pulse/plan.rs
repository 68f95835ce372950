//! The configuration of a listener.

use std::future::Future;
use std::pin::Pin;

use super::credentials::PulseCredentials;
#[cfg(feature = "testing")]
use super::embedded::OpenQueue;
use crate::client::retry::Retry;
use crate::error::Result;
use crate::model::{Corrections, Strictness};
use crate::reference::routing_keys::Binding;

pub(super) type Claim =
    dyn Fn() -> Pin<Box<dyn Future<Output = Result<PulseCredentials>> + Send>> + Send + Sync;

/// Where the queue is.
pub(super) enum Place {
    /// On a broker, which is connected to with these credentials.
    Broker(Box<Claim>),
    /// In an embedded deployment.
    #[cfg(feature = "testing")]
    Embedded(Box<OpenQueue>),
}

/// What a listener asks of its queue.
pub(super) struct Plan {
    pub(super) bindings: Vec<Binding>,
    pub(super) queue: Option<String>,
    pub(super) prefetch: u16,
    pub(super) retry: Retry,
    /// How payloads are read.
    pub(super) strictness: Strictness,
    pub(super) corrections: Corrections,
}
