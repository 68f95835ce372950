//! What the real services accept as path arguments and query options, beyond what the references say.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::answer::Refusal;
use super::call::RecordedCall;

const SLUGID: &str =
    "^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$";
const GENERIC_ID: &str = "^[a-zA-Z0-9_-]{1,38}$";
const TASK_QUEUE: &str = "^[a-zA-Z0-9_-]{1,38}/[a-z]([-a-z0-9]{0,36}[a-z0-9])?$";
const PRINTABLE: &str = r"^[\x20-\x7e]+$";
const CLIENT: &str = "^[A-Za-z0-9!@/:.+|_-]+$";
const NAMESPACE: &str = "^([a-zA-Z0-9_!~*'()%-]+\\.)*[a-zA-Z0-9_!~*'()%-]+$";
const NUMBER: &str = "^[0-9]+$";
const FLAG: &str = "^(true|false)$";

/// Arguments by service and name. Those that are not here may be anything.
const ARGUMENTS: &[(&str, &str, &str)] = &[
    ("auth", "account", "^[a-z0-9]{3,24}$"),
    ("auth", "appName", "^[a-zA-Z0-9_-]+$"),
    ("auth", "bucket", "^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$"),
    ("auth", "clientId", CLIENT),
    ("auth", "entityType", "^(client|role|secret|hook|worker-pool)$"),
    ("auth", "level", "^(read-write|read-only)$"),
    ("auth", "owner", "^[A-Za-z0-9._-]+$"),
    ("auth", "project", "^[a-zA-Z0-9_-]{1,64}$"),
    ("auth", "roleId", PRINTABLE),
    ("auth", "table", "^[A-Za-z][A-Za-z0-9]{2,62}$"),
    ("auth", "wstAudience", GENERIC_ID),
    ("auth", "wstClient", "^[a-zA-Z0-9_~.%-]+$"),
    ("hooks", "hookGroupId", "^[a-zA-Z0-9_-]{1,1000}$"),
    ("hooks", "hookId", "^[a-zA-Z0-9_/-]{1,1000}$"),
    ("index", "indexPath", NAMESPACE),
    ("index", "namespace", NAMESPACE),
    ("object", "name", PRINTABLE),
    ("purge-cache", "provisionerId", GENERIC_ID),
    ("purge-cache", "workerPoolId", "^[A-Za-z0-9_-]{1,38}/[A-Za-z0-9_-]{1,38}$"),
    ("purge-cache", "workerType", GENERIC_ID),
    ("queue", "name", PRINTABLE),
    ("queue", "provisionerId", GENERIC_ID),
    ("queue", "runId", "^[1-9]*[0-9]+$"),
    ("queue", "taskGroupId", SLUGID),
    ("queue", "taskId", SLUGID),
    ("queue", "taskQueueId", TASK_QUEUE),
    ("queue", "workerGroup", GENERIC_ID),
    ("queue", "workerId", GENERIC_ID),
    ("queue", "workerType", GENERIC_ID),
    ("web-server", "taskGroupId", SLUGID),
    ("web-server", "taskId", SLUGID),
    ("worker-manager", "workerGroup", GENERIC_ID),
    ("worker-manager", "workerId", GENERIC_ID),
    ("worker-manager", "workerPoolId", TASK_QUEUE),
];

/// Query options by service and name; an empty name of a service stands for all services.
const OPTIONS: &[(&str, &str, &str)] = &[
    ("", "continuationToken", "."),
    ("", "limit", NUMBER),
    ("auth", "prefix", CLIENT),
    ("github", "organization", "^[a-zA-Z0-9_%-]*$"),
    ("github", "pullRequest", "^[0-9]*$"),
    ("github", "repository", "^[a-zA-Z0-9_%-]*$"),
    ("github", "sha", "."),
    ("purge-cache", "since", r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?)?$"),
    ("queue", "quarantined", FLAG),
    ("worker-manager", "errorId", "^[a-zA-Z0-9_-]+$"),
    ("worker-manager", "includeArchived", FLAG),
    ("worker-manager", "launchConfigId", "^[a-zA-Z0-9-]{1,38}$"),
    ("worker-manager", "quarantined", FLAG),
    ("worker-manager", "state", "^(requested|running|stopping|stopped|standalone)$"),
    ("worker-manager", "workerPoolId", "^([a-zA-Z0-9/-]+)?$"),
    ("worker-manager", "workerState", "^(requested|running|stopping|stopped)$"),
];

type Table = Vec<(&'static str, &'static str, Regex)>;

static COMPILED: LazyLock<[Table; 2]> = LazyLock::new(|| [ARGUMENTS, OPTIONS].map(compile));

fn compile(table: &[(&'static str, &'static str, &str)]) -> Table {
    // All of them are valid, as the test below shows.
    let compiled = table.iter().filter_map(|(service, name, pattern)| {
        Some((*service, *name, Regex::new(pattern).ok()?))
    });
    compiled.collect()
}

/// Refuses a call with an argument that the service does not accept.
pub(crate) fn check_arguments(call: &RecordedCall) -> Result<(), Refusal> {
    let [arguments, _] = &*COMPILED;
    for (name, value) in &call.args {
        check("argument", name, value, pattern(arguments, call.service, name))?;
    }
    Ok(())
}

/// Refuses a call with a query option whose value the service does not accept, or that comes twice.
pub(crate) fn check_options(call: &RecordedCall) -> Result<(), Refusal> {
    let [_, options] = &*COMPILED;
    for (number, (name, value)) in call.query.iter().enumerate() {
        if call.query[..number].iter().any(|(known, _)| known == name) {
            return Err(Refusal::arguments(format!("the query option `{name}` comes twice")));
        }
        check("query option", name, value, pattern(options, call.service, name))?;
    }
    Ok(())
}

/// Whether a text is the id of a task.
pub(crate) fn is_slugid(text: &str) -> bool {
    let [arguments, _] = &*COMPILED;
    pattern(arguments, "queue", "taskId").is_some_and(|pattern| pattern.is_match(text))
}

fn pattern<'t>(table: &'t Table, service: &str, name: &str) -> Option<&'t Regex> {
    let is_it = |(known, of, _): &&(&str, &str, Regex)| {
        (known.is_empty() || *known == service) && *of == name
    };
    table.iter().find(is_it).map(|(_, _, pattern)| pattern)
}

fn check(what: &str, name: &str, value: &str, pattern: Option<&Regex>) -> Result<(), Refusal> {
    match pattern {
        Some(pattern) if !pattern.is_match(value) => Err(Refusal::arguments(format!(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_valid() {
        let [arguments, options] = &*COMPILED;
        assert_eq!((arguments.len(), options.len()), (ARGUMENTS.len(), OPTIONS.len()));
    }
}
