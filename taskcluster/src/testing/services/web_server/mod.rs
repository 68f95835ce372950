//! The web server, as far as it is an API: profiles of task groups and of logs.

mod profile;

use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::{CACHE_CONTROL, HeaderMap, HeaderValue};
use serde_json::{Value, json};

use self::profile::Profile;
use crate::testing::http::answer::{Refusal, Reply};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::request::Incoming;
use crate::testing::services::context::{Context, Service};
use crate::{Object, Queue};

/// The client id of the web server, which may do what anybody may.
const CLIENT: &str = "static/taskcluster/web-server";

/// Where logs are, in the order in which they are looked for.
const LOGS: [&str; 2] = ["public/logs/live.log", "public/logs/live_backing.log"];

/// The web server, which keeps nothing.
#[derive(Default)]
pub(crate) struct WebServer;

impl Service for WebServer {
    fn answer(&self, context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
        match call.endpoint.name {
            "taskGroupProfile" => Some(of_group(context, call.arg("taskGroupId"))),
            "taskProfile" => Some(of_task(context, call.arg("taskId"))),
            _ => None,
        }
    }
}

/// Calls the queue or the object service.
fn ask(
    context: &Context,
    reference: &'static crate::Reference,
    endpoint: &str,
    args: &[(&'static str, &str)],
    payload: Option<Value>,
) -> Result<Value, Refusal> {
    context.call(reference, endpoint, (CLIENT, vec!["*".to_owned()]), args, payload)
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

fn is_open(state: &Value) -> bool {
    matches!(state.as_str(), Some("running" | "pending" | "unscheduled"))
}

/// Marks the runs of all tasks of a group. What may still change is not to be cached.
fn of_group(context: &Context, group: &str) -> Result<Reply, Refusal> {
    let (caller, args) = ((CLIENT, vec!["*".to_owned()]), [("taskGroupId", group)]);
    let tasks = context.list(&Queue::REFERENCE, "listTaskGroup", caller, &args, "tasks")?;
    let mut runs: Vec<_> = tasks
        .iter()
        .flat_map(|task| {
            task["status"]["runs"].as_array().into_iter().flatten().map(move |run| (task, run))
        })
        .filter_map(|(task, run)| Some((time(&run["started"])?, task, run)))
        .collect();
    runs.sort_by_key(|(started, ..)| *started);
    let begin = runs.first().map(|(started, ..)| *started);
    let product = format!("Task Group {group}");
    let mut profile = Profile::new(product, group, begin);
    if let Some(begin) = begin {
        let end = runs.iter().filter_map(|(_, _, run)| time(&run["resolved"])).max();
        let url = format!("{}/tasks/groups/{group}", context.root_url());
        let data = json!({"type": "TaskGroup", "name": group, "tasks": tasks.len(), "url": url});
        profile.mark("TaskGroup", begin, end, data);
    }
    for (started, task, run) in runs {
        let (state, reason) = (run["state"].as_str(), run["reasonResolved"].as_str());
        let name = match state {
            Some("completed") => "Task".to_owned(),
            state => format!("Task ({})", reason.or(state).unwrap_or_default()),
        };
        let end = time(&run["resolved"]).or((state == Some("running")).then(|| context.now()));
        let (about, id) = (&task["task"], &task["status"]["taskId"]);
        let page = format!("{}/tasks/{}", context.root_url(), id.as_str().unwrap_or_default());
        let data = json!({
            "type": "Task", "name": about["metadata"]["name"], "taskId": id,
            "owner": about["metadata"]["owner"], "description": about["metadata"]["description"],
            "source": about["metadata"]["source"], "state": run["state"],
            "reasonCreated": run["reasonCreated"], "reasonResolved": run["reasonResolved"],
            "taskURL": format!("{page}/runs/{}", run["runId"]),
        });
        profile.mark(&name, started, end, data);
    }
    let is_done = !tasks.iter().any(|task| is_open(&task["status"]["state"]));
    let cache = if is_done { "public, max-age=86400" } else { "no-cache" };
    let reply = Reply::from(profile.to_json());
    Ok(reply.header(CACHE_CONTROL, HeaderValue::from_static(cache)))
}

/// Marks the lines of the log of a task that is done.
fn of_task(context: &Context, id: &str) -> Result<Reply, Refusal> {
    let args = [("taskId", id)];
    let task = ask(context, &Queue::REFERENCE, "task", &args, None)?;
    let status = ask(context, &Queue::REFERENCE, "status", &args, None)?;
    if is_open(&status["status"]["state"]) {
        return Err(Refusal::not_found(format!("task {id} is not resolved")));
    }
    let log = LOGS.into_iter().find_map(|name| log(context, id, name));
    let log = log.ok_or_else(|| Refusal::not_found(format!("task {id} has no log")))?;
    let lines: Vec<_> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let times: Vec<_> = lines.iter().filter_map(|line| stamped(line)).map(|line| line.1).collect();
    let name = task["metadata"]["name"].as_str().unwrap_or_default();
    let (begin, end) = (times.first().copied(), times.last().copied());
    let mut profile = Profile::new(format!("{name} {id}"), "Live Log", begin);
    if let (Some(begin), Some(end)) = (begin, end) {
        let page = format!("{}/tasks/{id}", context.root_url());
        let data = json!({
            "type": "Task", "name": "Task", "taskName": name, "taskId": id,
            "taskGroupId": task["taskGroupId"], "taskURL": page,
        });
        profile.mark(name, begin, Some(end), data);
        let mut last = begin;
        for line in lines {
            // A line without a time was written after the one before it.
            let (component, time, message) = stamped(line).unwrap_or(("no timestamp", last, line));
            last = time;
            let message = profile.text(message);
            profile.mark(component, time, None, json!({"type": "LiveLogRow", "message": message}));
        }
    }
    let cache = HeaderValue::from_static("public, max-age=86400");
    Ok(Reply::from(profile.to_json()).header(CACHE_CONTROL, cache))
}

/// The component, time and message of a line such as `[taskcluster:info 2026-01-02T03:04:05.678Z] done`.
fn stamped(line: &str) -> Option<(&str, DateTime<Utc>, &str)> {
    let (head, message) = line.trim_start().strip_prefix('[')?.split_once(']')?;
    let (component, time) = head.split_once(' ')?;
    let component = component.split_once(':').map_or(component, |(component, _)| component);
    Some((component, time.trim().parse().ok()?, message.trim_start()))
}

/// The text of a log in the deployment's own storage.
fn log(context: &Context, id: &str, name: &str) -> Option<String> {
    let args = [("taskId", id), ("name", name)];
    let artifact = ask(context, &Queue::REFERENCE, "latestArtifact", &args, None).ok()?;
    let url = match artifact["storageType"].as_str()? {
        "s3" => artifact["url"].clone(),
        "object" => {
            let args = [("name", artifact["name"].as_str()?)];
            let accept = json!({"acceptDownloadMethods": {"simple": true}});
            ask(context, &Object::REFERENCE, "startDownload", &args, Some(accept)).ok()?["url"]
                .take()
        }
        _ => return None,
    };
    let request = Incoming {
        method: Method::GET,
        resource: url.as_str()?.strip_prefix(context.root_url())?.to_owned(),
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
    };
    let reply = context.storage.answer(&request, context.now())?;
    let content = reply.is_success().then(|| reply.bytes())??;
    Some(String::from_utf8_lossy(content).into_owned())
}
