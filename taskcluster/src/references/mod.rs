//! The references that a deployment serves: fetched as files for the macro, and compared with those that are there.
//!
//! This crate has the services of one version of Taskcluster built in, and they do for most others. For the rest, and for
//! services that are a deployment's own:
//!
//! 1. Fetch what the deployment serves into a folder of your crate, with [`Fetch`] or the example of this crate:
//!    `cargo run --example references -- fetch --root-url https://tc.example.com --output api/`.
//! 2. Make services of it: `taskcluster::taskcluster_api! { pub mod company = "api/"; }`.
//! 3. Later, see what an upgrade of the deployment brings: [`Fetch::diff`], or `-- diff` in place of `-- fetch`. The answer
//!    is [`Changes`], each of which says whether it can break callers.
//!
//! A program can also ask at run time whether the deployment has what it was built against: [`Client::check`].
//!
//! [`Client::check`]: crate::Client::check

mod changes;
mod check;
mod compare;
mod documents;
mod facts;
mod fetch;
mod folder;
mod paths;
mod schema_changes;
mod source;
mod write;

pub use changes::{Change, ChangeKind, Changes, Subject};
#[cfg(feature = "testing")]
pub(crate) use facts::{path_of, to_json};
pub use fetch::{Fetch, Progress};
