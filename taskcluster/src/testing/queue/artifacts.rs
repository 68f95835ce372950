//! What tasks leave behind.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::super::answer::{Refusal, Reply, date, redirect, text, timestamp};
use super::super::paging::page;
use super::super::recorded::RecordedCall;
use super::super::state::State;
use super::lifecycle::Queue;
use super::task::{Run, RunState};
use super::work::run_of;
use crate::{QueueEvents, slugid};

/// How long after an exception its artifacts may still come.
const LATE: TimeDelta = TimeDelta::minutes(25);

/// How long credentials for the object service are good.
const TRANSFER: TimeDelta = TimeDelta::hours(1);

#[derive(Clone, PartialEq)]
pub(super) struct Artifact {
    content_type: String,
    content_length: Option<u64>,
    expires: DateTime<Utc>,
    kind: Kind,
}

#[derive(Clone, PartialEq)]
enum Kind {
    /// Content behind an URL of this deployment, named by its key.
    S3(String),
    /// An object of the object service; it is there once the upload is finished.
    Object {
        upload_id: String,
        finished: bool,
    },
    Reference(String),
    /// Another artifact of the same run.
    Link(String),
    Error {
        reason: String,
        message: String,
    },
}

impl Artifact {
    fn new(payload: &Value) -> Result<Self, Refusal> {
        let text = |name| text(payload, name);
        let (mut content_type, mut content_length) = (text("contentType"), None);
        let kind = match payload["storageType"].as_str() {
            Some("s3") => {
                content_length = payload["contentLength"].as_u64();
                Kind::S3(slugid::nice())
            }
            Some("object") => {
                content_length = payload["contentLength"].as_u64();
                Kind::Object { upload_id: slugid::nice(), finished: false }
            }
            Some("reference") => Kind::Reference(text("url")?),
            Some("link") => {
                content_type = content_type.or(Ok("application/binary".to_owned()));
                Kind::Link(text("artifact")?)
            }
            Some("error") => {
                content_type = Ok("application/json".to_owned());
                Kind::Error { reason: text("reason")?, message: text("message")? }
            }
            _ => return Err(Refusal::input("`storageType` is none that there is")),
        };
        let expires = date(payload, "expires")?;
        Ok(Self { content_type: content_type?, content_length, expires, kind })
    }

    fn storage_type(&self) -> &'static str {
        match &self.kind {
            Kind::S3(_) => "s3",
            Kind::Object { .. } => "object",
            Kind::Reference(_) => "reference",
            Kind::Link(_) => "link",
            Kind::Error { .. } => "error",
        }
    }

    /// Whether another request for the same name means this artifact.
    fn is_same(&self, other: &Self) -> bool {
        let same_kind = match (&self.kind, &other.kind) {
            // What was made up here, and the URL of a reference, may differ.
            (Kind::S3(_), Kind::S3(_))
            | (Kind::Object { .. }, Kind::Object { .. })
            | (Kind::Reference(_), Kind::Reference(_)) => true,
            (one, other) => one == other,
        };
        same_kind
            && self.content_type == other.content_type
            && self.content_length == other.content_length
            && self.expires == other.expires
    }

    fn is_there(&self, now: DateTime<Utc>) -> bool {
        self.expires > now && !matches!(self.kind, Kind::Object { finished: false, .. })
    }

    fn about(&self, name: &str) -> Value {
        let mut about = json!({
            "name": name, "storageType": self.storage_type(), "contentType": self.content_type,
            "expires": timestamp(self.expires),
        });
        if let Some(length) = self.content_length {
            about["contentLength"] = json!(length);
        }
        about
    }
}

/// Answers what is about artifacts; `None` for other endpoints.
pub(super) fn answer(
    state: &State,
    call: &RecordedCall,
    endpoint: &str,
) -> Option<Result<Reply, Refusal>> {
    Some(match endpoint {
        "createArtifact" => create(state, call).map(Reply::from),
        "finishArtifact" => finish(state, call),
        "getArtifact" | "getLatestArtifact" => lead(state, call),
        "artifact" | "latestArtifact" => content(state, call).map(Reply::from),
        "artifactInfo" | "latestArtifactInfo" => info(state, call).map(Reply::from),
        "listArtifacts" | "listLatestArtifacts" => list(state, call).map(Reply::from),
        _ => return None,
    })
}

/// The artifact that a link leads to in the end, if the call is about a link.
pub(super) fn link_target(queue: &Queue, call: &RecordedCall) -> Option<String> {
    let run = chosen_run(queue, call).ok()?;
    let (name, _) = follow(run, call.arg("name"), DateTime::<Utc>::MIN_UTC).ok()?;
    (name != call.arg("name")).then(|| name.to_owned())
}

/// The run that a call names, or the latest one.
fn chosen_run<'q>(queue: &'q Queue, call: &RecordedCall) -> Result<&'q Run, Refusal> {
    let (id, task) = (call.arg("taskId"), queue.task(call.arg("taskId"))?);
    let run = match call.args.get("runId") {
        Some(_) => task.runs.get(run_of(queue, call)?),
        None => task.runs.last(),
    };
    run.ok_or_else(|| Refusal::not_found(format!("task {id} has no run yet")))
}

fn find<'r>(
    run: &'r Run,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(&'r str, &'r Artifact), Refusal> {
    run.artifacts
        .get_key_value(name)
        .filter(|(_, artifact)| artifact.is_there(now))
        .map(|(name, artifact)| (name.as_str(), artifact))
        .ok_or_else(|| Refusal::not_found(format!("there is no artifact {name:?}")))
}

/// Finds an artifact, or the one that it is a link to.
fn follow<'r>(
    run: &'r Run,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(&'r str, &'r Artifact), Refusal> {
    let mut found = find(run, name, now)?;
    for _ in 0..run.artifacts.len() {
        match &found.1.kind {
            Kind::Link(target) => found = find(run, target, now)?,
            _ => return Ok(found),
        }
    }
    Err(Refusal::input(format!("the artifact {name:?} is a link to itself, by whatever detours")))
}

/// The name that the object service knows an artifact by.
fn object_name(call: &RecordedCall, run: usize, name: &str) -> String {
    format!("t/{}/{run}/{name}", call.arg("taskId"))
}

fn create(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let (id, name) = (call.arg("taskId"), call.arg("name"));
    let new = Artifact::new(call.payload())?;
    state.with_queue(|queue, now| {
        let number = run_of(queue, call)?;
        let task = queue.task_mut(id)?;
        let project = task.definition.text("projectId").to_owned();
        if new.expires > task.definition.expires {
            return Err(Refusal::input("the artifact would outlive its task"));
        }
        let run = &mut task.runs[number];
        let is_late = || run.resolved.is_some_and(|resolved| now <= resolved + LATE);
        match run.state {
            RunState::Running => {}
            RunState::Exception if is_late() => {}
            state => {
                return Err(Refusal::conflict(format!(
                    "run {number} of task {id} is {}, so that it takes no artifacts",
                    state.name()
                )));
            }
        }
        let is_new = !run.artifacts.contains_key(name);
        let artifact = run.artifacts.entry(name.to_owned()).or_insert_with(|| new.clone());
        if !artifact.is_same(&new) {
            return Err(Refusal::conflict(format!(
                "there is an artifact {name:?} already, and it is another one"
            )));
        }
        if let Kind::Reference(url) = new.kind {
            artifact.kind = Kind::Reference(url);
        }
        let mut answer = json!({"storageType": artifact.storage_type()});
        match &artifact.kind {
            Kind::S3(key) => {
                answer["putUrl"] = json!(state.storage_url(key));
                answer["contentType"] = json!(artifact.content_type);
                answer["expires"] = json!(timestamp(now + TRANSFER));
                state.storage.expect(key, &artifact.content_type);
            }
            Kind::Object { upload_id, .. } => {
                let object = object_name(call, number, name);
                let scope = format!("object:upload:{project}:{object}");
                let client = format!("artifact-upload/{id}/{number}/on/{name}");
                answer["credentials"] = state.service_credentials(
                    &client_id(&client),
                    vec![scope],
                    now - TRANSFER,
                    now + TRANSFER,
                )?;
                answer["name"] = json!(object);
                answer["projectId"] = json!(project);
                answer["uploadId"] = json!(upload_id);
                answer["expires"] = json!(timestamp(artifact.expires));
            }
            _ => {}
        }
        if is_new && !matches!(artifact.kind, Kind::Object { .. } | Kind::S3(_)) {
            announce(queue, call, number);
        }
        Ok(answer)
    })
}

/// A client id has no other characters than these.
fn client_id(text: &str) -> String {
    let known = |c: char| c.is_ascii_alphanumeric() || "!@/:.+|_-".contains(c);
    text.chars().map(|c| if known(c) { c } else { '_' }).collect()
}

fn announce(queue: &mut Queue, call: &RecordedCall, run: usize) {
    let (id, name) = (call.arg("taskId"), call.arg("name"));
    let Ok(task) = queue.task(id) else { return };
    let Some(artifact) = task.runs[run].artifacts.get(name) else { return };
    let mut about = artifact.about(name);
    if let Some(about) = about.as_object_mut() {
        about.remove("contentLength");
    }
    let exchange = QueueEvents::artifact_created().exchange();
    let fields = ["runId", "workerGroup", "workerId"];
    queue.announce_with(exchange, id, Some(run), &fields, json!({"artifact": about}));
}

fn finish(state: &State, call: &RecordedCall) -> Result<Reply, Refusal> {
    let name = call.arg("name");
    state.with_queue(|queue, _| {
        let number = run_of(queue, call)?;
        let run = &mut queue.task_mut(call.arg("taskId"))?.runs[number];
        let artifact = run.artifacts.get_mut(name);
        let Some(Kind::Object { upload_id, finished }) = artifact.map(|found| &mut found.kind)
        else {
            return Err(Refusal::not_found(format!("there is no upload of an artifact {name:?}")));
        };
        if call.payload()["uploadId"] != *upload_id {
            return Err(Refusal::input("`uploadId` is another one than that of this artifact"));
        }
        if !std::mem::replace(finished, true) {
            announce(queue, call, number);
        }
        Ok(Reply::new(StatusCode::OK))
    })
}

/// What an URL that leads to the content is made of.
enum Found {
    Url(&'static str, String),
    Object(String),
    Error(Value),
}

fn look_up(state: &State, call: &RecordedCall) -> Result<Found, Refusal> {
    state.with_queue(|queue, now| {
        let run = chosen_run(queue, call)?;
        let (name, artifact) = follow(run, call.arg("name"), now)?;
        Ok(match &artifact.kind {
            Kind::S3(key) => Found::Url("s3", state.storage_url(key)),
            Kind::Reference(url) => Found::Url("reference", url.clone()),
            Kind::Object { .. } => {
                let runs = &queue.task(call.arg("taskId"))?.runs;
                let number = runs.iter().position(|known| std::ptr::eq(known, run));
                Found::Object(object_name(call, number.unwrap_or_default(), name))
            }
            Kind::Error { reason, message } => {
                Found::Error(json!({"reason": reason, "message": message}))
            }
            Kind::Link(_) => return Err(Refusal::not_found("the link leads nowhere")),
        })
    })
}

fn lead(state: &State, call: &RecordedCall) -> Result<Reply, Refusal> {
    let (kind, url) = match look_up(state, call)? {
        Found::Url(kind, url) => (kind, url),
        Found::Object(name) => ("object", state.object_url(&name)?),
        Found::Error(error) => return Ok(Reply::json(StatusCode::FAILED_DEPENDENCY, &error)),
    };
    redirect(&url, &json!({"storageType": kind, "url": url}))
}

fn content(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    Ok(match look_up(state, call)? {
        Found::Url(kind, url) => json!({"storageType": kind, "url": url}),
        Found::Object(name) => {
            let now = state.now();
            let scope = format!("object:download:{name}");
            let client = client_id(&format!("artifact-download/{name}"));
            let credentials =
                state.service_credentials(&client, vec![scope], now - TRANSFER, now + TRANSFER)?;
            json!({"storageType": "object", "name": name, "credentials": credentials})
        }
        Found::Error(mut error) => {
            error["storageType"] = json!("error");
            error
        }
    })
}

fn info(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    state.with_queue(|queue, now| {
        let (name, artifact) = find(chosen_run(queue, call)?, call.arg("name"), now)?;
        Ok(artifact.about(name))
    })
}

fn list(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    state.with_queue(|queue, now| {
        let there = chosen_run(queue, call)?.artifacts.iter();
        let there = there.filter(|(_, artifact)| artifact.is_there(now));
        let items = there.map(|(name, artifact)| (name.clone(), artifact.about(name)));
        page(&state.token_key, call, "artifacts", items)
    })
}
