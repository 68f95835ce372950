//! Hawk, the scheme by which Taskcluster requests are signed.
//!
//! Written from the specification (`API.md` of the `hawk` package, scheme version 1, SHA-256). A request's MAC covers
//! method, host, port and the *whole* resource (path and query), a time, a nonce, the body's hash and `ext`, in which
//! Taskcluster carries certificate and authorized scopes. [`Signer`] makes headers and bewits;
//! `hawk::verify` (feature `testing`) is the other side.

mod mac;
mod signer;
#[cfg(feature = "testing")]
pub mod verify;

pub use mac::{Target, payload_hash};
pub use signer::Signer;
pub(crate) use signer::nonce;
