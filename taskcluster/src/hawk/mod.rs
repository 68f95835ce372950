//! Hawk, the scheme that signs Taskcluster requests.
//!
//! This is written from the specification (`API.md` of the `hawk` package, scheme version 1, SHA-256). The MAC of a
//! request covers the method, host, port, the *whole* resource (path and query), a time, a nonce, the hash of the body,
//! and `ext`, which carries Taskcluster's certificate and authorized scopes. [`Signer`] makes headers and bewits;
//! `hawk::verify` (feature `testing`) verifies them.

mod mac;
mod signer;
#[cfg(feature = "testing")]
pub mod verify;

pub use mac::{Target, payload_hash};
pub use signer::Signer;
pub(crate) use signer::nonce;
