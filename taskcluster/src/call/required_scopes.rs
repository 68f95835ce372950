//! The scopes that a call requires, computed before it is sent.

use serde_json::{Map, Value, json};

use super::request::Request;
use crate::error::{Error, Result};
use crate::scopes::{Expression, Params};

/// Task priorities, highest first.
pub(crate) const PRIORITIES: [&str; 7] =
    ["highest", "very-high", "high", "medium", "low", "very-low", "lowest"];

/// Expands the endpoint's template with the values of the call.
pub(super) fn required_scopes(request: &Request) -> Result<Expression> {
    request.check()?;
    let Some(template) = &request.endpoint.scopes else { return Ok(Expression::AllOf(Vec::new())) };
    let payload = request.payload.as_deref().and_then(|json| serde_json::from_slice(json).ok());
    let known = parameters(
        request.service.reference().service,
        request.endpoint.name,
        payload.unwrap_or_default(),
        request.query().iter().map(|(name, value)| (name.to_string(), value.clone())),
        request.args().into_iter().map(|(name, value)| (name.to_owned(), value)),
    );
    let mut params = Params::new();
    for (name, value) in &known {
        params = match value {
            Value::String(text) => params.value(name, text),
            Value::Bool(flag) => params.flag(name, *flag),
            Value::Array(items) => params.list(name, items.iter().filter_map(Value::as_str)),
            _ => params,
        };
    }
    template
        .expand(&params)
        .map_err(|missing| Error::input(format!("{}: {missing}", request.endpoint.name)))
}

/// The values for a call's template, by name, as far as the call contains them: the fields of its payload, its query
/// options and arguments, and the values that its service derives from these.
pub(crate) fn parameters(
    service: &str,
    endpoint: &str,
    payload: Map<String, Value>,
    query: impl IntoIterator<Item = (String, String)>,
    args: impl IntoIterator<Item = (String, String)>,
) -> Map<String, Value> {
    let mut known = payload;
    match (service, endpoint) {
        ("queue", "createTask" | "defineTask") => {
            add_defaults_of_tasks(&mut known);
            // The scope for a higher priority covers this one, too.
            let enough = PRIORITIES.iter().position(|priority| known["priority"] == *priority);
            let enough = json!(PRIORITIES[..=enough.unwrap_or(PRIORITIES.len() - 1)]);
            known.insert("priorities".to_owned(), enough);
        }
        ("queue", "declareWorker") => {
            let properties = known.keys().cloned().collect();
            known.insert("properties".to_owned(), properties);
        }
        ("index", "findTasksAtIndex") => {
            let paths = known.get("indexes").cloned().unwrap_or_else(|| json!([]));
            known.insert("indexPaths".to_owned(), paths);
        }
        ("auth", "githubRepoToken") => {
            let permissions = permissions_of_repositories(&known);
            known.insert("repoPerms".to_owned(), permissions);
        }
        _ => {}
    }
    known.extend(query.into_iter().map(|(name, value)| (name, json!(value))));
    for (name, value) in args {
        // GitHub ignores the case of names; scopes have them in lower case.
        let value = match (endpoint, name.as_str()) {
            ("githubRepoToken", "owner") => value.to_lowercase(),
            _ => value,
        };
        match (service, name.as_str()) {
            // A link stands for two artifacts; only the queue knows the other one.
            ("queue", "name") => known.insert("names".to_owned(), json!([value])),
            ("auth", "level") => {
                known.insert("levelIsReadOnly".to_owned(), json!(value == "read-only"))
            }
            _ => None,
        };
        known.insert(name, json!(value));
    }
    known
}

/// What `githubRepoToken` asks for: `repository:permission:level` for each repository and permission.
fn permissions_of_repositories(payload: &Map<String, Value>) -> Value {
    let repositories = payload.get("repositories").and_then(Value::as_array).into_iter().flatten();
    let repositories: Vec<_> =
        repositories.filter_map(Value::as_str).map(str::to_lowercase).collect();
    let permissions = payload.get("permissions").and_then(Value::as_object).into_iter().flatten();
    permissions
        .filter_map(|(permission, level)| Some((permission, level.as_str()?)))
        .flat_map(|(permission, level)| {
            repositories.iter().map(move |name| format!("{name}:{permission}:{level}"))
        })
        .collect()
}

/// Fills in the queue's defaults for a new task, from `create-task-request.json`, and names the task queue in both forms,
/// since the request needs only one of them.
pub(crate) fn add_defaults_of_tasks(task: &mut Map<String, Value>) {
    let text = |name: &str| task.get(name).and_then(Value::as_str);
    let halves = text("taskQueueId").and_then(|id| id.split_once('/'));
    let halves = halves.or_else(|| text("provisionerId").zip(text("workerType")));
    if let Some((provisioner, worker_type)) = halves {
        let task_queue = json!(format!("{provisioner}/{worker_type}"));
        let (provisioner, worker_type) = (json!(provisioner), json!(worker_type));
        task.entry("provisionerId").or_insert(provisioner);
        task.entry("workerType").or_insert(worker_type);
        task.entry("taskQueueId").or_insert(task_queue);
    }
    for (name, default) in [
        ("schedulerId", json!("-")),
        ("projectId", json!("none")),
        ("dependencies", json!([])),
        ("requires", json!("all-completed")),
        ("routes", json!([])),
        ("priority", json!("lowest")),
        ("retries", json!(5)),
        ("scopes", json!([])),
        ("tags", json!({})),
        ("extra", json!({})),
    ] {
        task.entry(name).or_insert(default);
    }
    // The name that this priority had in 2017.
    if task["priority"] == "normal" {
        task.insert("priority".to_owned(), json!("lowest"));
    }
}
