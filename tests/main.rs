//! Tests of the `taskcluster` crates as a user sees them: whole HTTP exchanges on loopback, values of other
//! implementations, compile errors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod architecture;
mod artifacts;
mod calls;
mod client;
mod compile;
mod deployment;
mod follow;
mod fuzz;
mod payloads;
mod pulse;
mod references;
mod signin;
mod support;
mod values;
mod worker;
