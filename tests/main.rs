//! Tests of the `taskcluster` crates as a user sees them: whole HTTP exchanges on loopback, values of other
//! implementations, compile errors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod architecture;
mod assertions;
mod blocking;
mod by_name;
mod clients;
mod compile;
mod dates;
mod deployment;
mod deployment_2017;
mod deployment_auth;
mod deployment_broker;
mod deployment_queue;
mod deployment_services;
mod deployment_types;
mod environment;
mod every_endpoint;
mod exchanges;
mod faults;
mod fetching;
mod hawk;
mod legacy_services;
mod paging;
mod payloads;
mod pulse;
mod references;
mod requests;
mod retries;
mod samples;
mod scopes;
mod strangers;
mod strictness;
mod twins;
mod urls;
mod validation;

/// A file of values from other implementations.
fn vectors(name: &str) -> serde_json::Value {
    let path = format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// JSON as a payload type.
#[track_caller]
fn typed<T: serde::de::DeserializeOwned>(json: impl std::borrow::Borrow<serde_json::Value>) -> T {
    serde_json::from_value(json.borrow().clone()).unwrap()
}

/// An HTTP client that signs nothing.
fn plain() -> taskcluster::reqwest::Client {
    taskcluster::http_client_builder().unwrap().no_proxy().build().unwrap()
}

/// The service refused a call: with this status and code, and a message that says so.
#[track_caller]
fn assert_api_error(
    error: &taskcluster::Error,
    status: taskcluster::StatusCode,
    code: &str,
    message: &str,
) {
    assert_eq!((error.status(), error.code()), (Some(status), Some(code)), "{error}");
    assert!(error.message().contains(message), "{error}");
}
