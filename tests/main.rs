//! Tests of the `taskcluster` crates as a user sees them: whole HTTP exchanges on loopback, values of other
//! implementations, compile errors.

mod answers;
mod blocking;
mod by_name;
mod clients;
mod compile;
mod deployment;
mod exchanges;
mod hawk;
mod paging;
mod references;
mod requests;
mod retries;
mod urls;

/// A file of values from other implementations.
fn vectors(name: &str) -> serde_json::Value {
    let path = format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
