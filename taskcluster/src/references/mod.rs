//! Fetches the references that a deployment serves, as files for the macro, and compares them with those you have.
//!
//! This crate's built-in services are those of one version of Taskcluster. Most of them work with other versions. For the
//! rest, and for services of your own:
//!
//! 1. Fetch what the deployment serves into a folder of your crate, with [`Fetch`] or this crate's example `references`:
//!    `cargo run --example references -- fetch --root-url https://tc.example.com --output api/`.
//! 2. Generate clients from it: `taskcluster::taskcluster_api! { pub mod company = "api/"; }`.
//! 3. Before you upgrade, see what changes: [`Fetch::diff`], or `-- diff` instead of `-- fetch`. Each of the [`Changes`] says
//!    whether it can break callers.
//!
//! At run time, [`Client::check`] compares the deployment with the references that a program was built with.
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
mod patterns;
mod schema_changes;
mod source;
mod write;

pub use changes::{Change, ChangeKind, Changes, Subject};
#[cfg(feature = "testing")]
pub(crate) use facts::{path_of, to_json};
pub use fetch::{Fetch, Progress};
