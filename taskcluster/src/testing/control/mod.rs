//! What tests use: the deployment, stubs, expected calls, and the record of calls.

#[cfg(feature = "pulse")]
mod broker;
pub(crate) mod deployment;
pub(crate) mod expected;
pub(crate) mod github;
mod handling;
mod inbox;
#[cfg(feature = "pulse")]
mod listener;
pub(crate) mod listening;
#[cfg(any(feature = "artifacts", feature = "follow"))]
mod pace;
mod recorded;
mod served_references;
mod state;
pub(crate) mod stub;
mod time;
mod waiting;
pub(crate) mod web_user;
pub(crate) mod workers;
