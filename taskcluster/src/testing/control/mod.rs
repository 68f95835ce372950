//! What a test has in its hands: the deployment, what is prescribed for it, and what was recorded of it.

#[cfg(feature = "pulse")]
mod broker;
pub(crate) mod deployment;
pub(crate) mod expected;
mod handling;
pub(crate) mod listening;
mod recorded;
mod state;
pub(crate) mod stub;
mod time;
