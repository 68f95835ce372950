//! Which endpoints the embedded deployment leaves to stubs: the list in the documentation is the whole truth.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use taskcluster::testing::Deployment;
use taskcluster::{Endpoint, Reference};

use crate::references::{PREBUILT, of_2017};
use crate::support::samples::{self, Extent};

/// An argument by which an endpoint can be called, whatever there is.
fn argument(name: &str) -> &'static str {
    match name {
        "taskId" | "taskGroupId" => "fN1SbArXTPSVFNUvaOlinQ",
        "runId" | "number" => "1",
        "taskQueueId" | "workerPoolId" => "p/w",
        "entityType" => "client",
        "level" => "read-only",
        "bucket" => "a-bucket",
        "namespace" | "indexPath" => "a.b",
        _ => "a",
    }
}

/// A payload that fits the schema of an endpoint.
fn payload(generation: &str, reference: &Reference, endpoint: &Endpoint) -> Option<Value> {
    let schema = endpoint.input?.trim_end_matches('#');
    Some(match endpoint.name {
        // What a schema wants that is not a matter of types and patterns.
        "authenticateHawk" => {
            json!({"method": "get", "resource": "/", "host": "127.0.0.1", "port": 80})
        }
        "irc" => json!({"user": "a", "message": "m"}),
        "githubRepoToken" => json!({"repositories": ["a"], "permissions": {"contents": "read"}}),
        _ => {
            let path = schema.strip_prefix("http://schemas.taskcluster.net/");
            let path =
                path.map_or_else(|| format!("{}/{schema}", reference.service), str::to_owned);
            samples::document(&format!("{generation}/schemas/{path}"), Extent::Least)
        }
    })
}

/// Calls every endpoint; returns how many there are, and which are left to stubs.
async fn not_stubbed(
    fake: &Deployment,
    generation: &str,
    references: impl Iterator<Item = &'static Reference>,
) -> (usize, BTreeSet<String>) {
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    let (mut count, mut names, mut unreached) = (0, BTreeSet::new(), Vec::new());
    let all = references.flat_map(|reference| {
        reference.endpoints.iter().map(move |endpoint| (reference, endpoint))
    });
    for (reference, endpoint) in all {
        count += 1;
        let mut call = tc.call(reference, endpoint.name).unwrap();
        for name in endpoint.args {
            call = call.param(name, argument(name));
        }
        if let Some(payload) = payload(generation, reference, endpoint) {
            call = call.payload(payload);
        }
        let Err(error) = call.into_call().send_raw().await else { continue };
        match error.code() {
            Some("NotStubbed") => {
                names.insert(format!("{}.{}", reference.service, endpoint.name));
            }
            Some("InputValidationError" | "InvalidRequestArguments") => unreached.push(error),
            _ => {}
        }
    }
    assert!(unreached.is_empty(), "{unreached:#?}");
    (count, names)
}

/// The endpoints that a paragraph of the module's documentation names, which begins with these words. `service.*` is all of a
/// service but its `ping`, and a name without a service is an exception from that.
fn documented(
    begin: &str,
    references: impl Iterator<Item = &'static Reference>,
) -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../taskcluster/src/testing/mod.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| line.trim_start_matches("//!").trim());
    let paragraph: Vec<_> = lines.skip_while(|line| !line.starts_with(begin)).collect();
    assert!(!paragraph.is_empty(), "{begin}");
    let end = paragraph.iter().position(|line| line.is_empty()).unwrap();
    let paragraph = paragraph[..end].join(" ");
    let names: BTreeSet<_> = paragraph.split('`').skip(1).step_by(2).collect();
    let is_meant = |service: &str, endpoint: &str| {
        let is_exception = endpoint == "ping" || names.contains(endpoint);
        names.contains(format!("{service}.{endpoint}").as_str())
            || names.contains(format!("{service}.*").as_str()) && !is_exception
    };
    let all = references.flat_map(|reference| {
        reference.endpoints.iter().map(|endpoint| (reference.service, endpoint.name))
    });
    all.filter(|(service, endpoint)| is_meant(service, endpoint))
        .map(|(service, endpoint)| format!("{service}.{endpoint}"))
        .collect()
}

#[tokio::test]
async fn of_today() {
    let fake = Deployment::start().await.unwrap();
    let references = || PREBUILT.iter().copied();
    let (count, names) = not_stubbed(&fake, "current", references()).await;
    assert_eq!((count, names), (189, documented("Of today's", references())));
}

#[tokio::test]
async fn of_2017_too() {
    let fake = Deployment::start().await.unwrap();
    for reference in of_2017() {
        fake.serve(reference);
    }
    let (count, names) = not_stubbed(&fake, "2017", of_2017()).await;
    assert_eq!((count, names), (123, documented("Of those of 2017", of_2017())));
}
