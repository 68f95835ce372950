//! What the real services accept as path arguments and query options, beyond what the references say.

use super::answer::Refusal;
use super::call::RecordedCall;
use crate::{Endpoint, model};

/// Refuses a call with an argument that the service does not accept. The top of the index has no name, and no pattern.
pub(crate) fn check_arguments(call: &RecordedCall) -> Result<(), Refusal> {
    let Endpoint { args, patterns, .. } = call.endpoint;
    for (name, pattern) in args.iter().zip(*patterns) {
        let value = call.arg(name);
        if !(value.is_empty() && call.service == "index") {
            check("argument", name, value, *pattern)?;
        }
    }
    Ok(())
}

/// Refuses a call with a query option whose value the service does not accept, or that comes twice.
pub(crate) fn check_options(call: &RecordedCall) -> Result<(), Refusal> {
    let Endpoint { query, query_patterns, .. } = call.endpoint;
    for (number, (name, value)) in call.query.iter().enumerate() {
        if call.query[..number].iter().any(|(known, _)| known == name) {
            return Err(Refusal::arguments(format!("the query option `{name}` comes twice")));
        }
        let known = query.iter().position(|known| known == name);
        let pattern = known.and_then(|place| *query_patterns.get(place)?);
        // No token is empty.
        let pattern = pattern.or((name == "continuationToken").then_some("."));
        check("query option", name, value, pattern)?;
    }
    Ok(())
}

fn check(
    what: &str,
    name: &str,
    value: &str,
    pattern: Option<&'static str>,
) -> Result<(), Refusal> {
    match pattern {
        Some(pattern) if !model::matches(pattern, value) => Err(Refusal::arguments(format!(
            "the {what} `{name}` is {value:?}, which does not match {pattern}"
        ))),
        _ => Ok(()),
    }
}

/// Whether slashes in the path may belong to an argument, as the routes of the services have it.
pub(crate) fn takes_slashes(service: &str, endpoint: &str, argument: &str) -> bool {
    match (service, argument) {
        ("auth", "prefix")
        | ("index" | "queue" | "secrets", "name")
        | ("purge-cache", "workerPoolId") => true,
        ("object", "name") => !matches!(endpoint, "createUpload" | "finishUpload"),
        ("queue", "taskQueueId") => endpoint != "getTaskQueue",
        ("worker-manager", "workerPoolId") => matches!(
            endpoint,
            "createWorkerPool"
                | "deleteWorkerPool"
                | "listWorkerPoolErrors"
                | "listWorkersForWorkerPool"
                | "reportWorkerError"
                | "updateWorkerPool"
                | "workerPool"
                | "workerPoolStats"
        ),
        _ => false,
    }
}
