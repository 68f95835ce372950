//! The configuration of a listener.

use std::future::Future;
use std::pin::Pin;

use super::credentials::PulseCredentials;
use crate::client::retry::Retry;
use crate::error::Result;
use crate::model::{Corrections, Strictness};
use crate::reference::routing_keys::Binding;

type Claim =
    dyn Fn() -> Pin<Box<dyn Future<Output = Result<PulseCredentials>> + Send>> + Send + Sync;

/// What a listener does for each new connection.
pub(super) struct Plan {
    pub(super) credentials: Box<Claim>,
    pub(super) bindings: Vec<Binding>,
    pub(super) queue: Option<String>,
    pub(super) prefetch: u16,
    pub(super) retry: Retry,
    /// How payloads are read.
    pub(super) strictness: Strictness,
    pub(super) corrections: Corrections,
}
