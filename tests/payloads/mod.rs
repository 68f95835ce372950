//! Typed payloads: what a program relies on, whatever a service sends.

mod changes;
mod credentials;
mod dates;
mod free_form;
mod numbers;
mod reading;
mod requests;
mod schemas;
mod secrets;
mod suite;
mod twins;
mod types;
mod unions;
mod validation;

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::support::samples::{self, Extent};

taskcluster::taskcluster_api! {
    /// A service with the schemas that these tests need.
    pub(crate) struct Wire = "payloads/api/wire.json";
}

/// A document in full, made from a schema of the current generation.
pub(crate) fn full(schema: &str) -> Value {
    samples::document(&format!("current/schemas/{schema}"), Extent::Most)
}

/// The same of 2017.
fn of_2017(schema: &str) -> Value {
    samples::document(&format!("2017/schemas/{schema}"), Extent::Most)
}

/// A whole answer of `queue.status`, with two runs.
fn status() -> Value {
    full("queue/v1/task-status-response.json")
}

#[track_caller]
fn refused<T: DeserializeOwned + Debug>(json: impl ToString) -> String {
    let error = serde_json::from_str::<T>(&json.to_string()).unwrap_err().to_string();
    // Where in the text.
    error.split(" at line ").next().unwrap().to_owned()
}

#[track_caller]
fn read<T: DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

const EXPIRES: &str = "2026-01-02T03:04:05.678Z";
