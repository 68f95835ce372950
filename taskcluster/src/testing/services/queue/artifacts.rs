//! Uploads and finds artifacts.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::artifact::{Artifact, Kind};
use super::lifecycle::Tasks;
use super::store::Queue;
use super::task::{Run, RunState, Worker};
use super::work::run_of;
use crate::testing::http::answer::{Refusal, Reply, redirect, text, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::{Context, SERVICE};
use crate::{Object, QueueEvents};

/// How long after an exception its artifacts may still be uploaded.
const LATE: TimeDelta = TimeDelta::minutes(25);

/// How long credentials for a download from the object service are good, and those for an upload unless the artifact ends
/// earlier.
const DOWNLOAD: TimeDelta = TimeDelta::hours(1);
const UPLOAD: TimeDelta = TimeDelta::hours(24);

/// How long URLs of content in S3 are good.
const PUT_URL: TimeDelta = TimeDelta::minutes(45);
const GET_URL: TimeDelta = TimeDelta::minutes(30);

/// How far in the past `expires` may be.
const PAST: TimeDelta = TimeDelta::minutes(15);

/// The longest name that fits into the message about an artifact.
const LONGEST_NAME: usize = 1024;

/// How far the credentials reach back, for clients whose clocks are slow.
const LEEWAY: TimeDelta = TimeDelta::hours(1);

/// Answers calls about artifacts. Returns `None` for other endpoints.
pub(super) fn answer(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
    endpoint: &str,
) -> Option<Result<Reply, Refusal>> {
    Some(match endpoint {
        "createArtifact" => create(queue, context, call).map(Reply::from),
        "finishArtifact" => finish(queue, context, call),
        "getArtifact" | "getLatestArtifact" => lead(queue, context, call),
        "artifact" | "latestArtifact" => content(queue, context, call).map(Reply::from),
        "artifactInfo" | "latestArtifactInfo" => info(queue, context, call).map(Reply::from),
        "listArtifacts" | "listLatestArtifacts" => list(queue, context, call).map(Reply::from),
        _ => return None,
    })
}

/// Returns the artifact that a link finally leads to, if the call is about a link.
pub(super) fn link_target(tasks: &Tasks, call: &RecordedCall) -> Option<String> {
    let run = chosen_run(tasks, call).ok()?;
    let (name, _) = follow(run, call.arg("name"), DateTime::<Utc>::MIN_UTC).ok()?;
    (name != call.arg("name")).then(|| name.to_owned())
}

/// Returns the run that a call names, or the latest one.
pub(super) fn chosen_run<'q>(tasks: &'q Tasks, call: &RecordedCall) -> Result<&'q Run, Refusal> {
    let (id, task) = (call.arg("taskId"), tasks.task(call.arg("taskId"))?);
    let run = match call.args.get("runId") {
        Some(_) => task.runs.get(run_of(tasks, call)?),
        None => task.runs.last(),
    };
    run.ok_or_else(|| Refusal::not_found(format!("task {id} has no run yet")))
}

fn find<'r>(
    run: &'r Run,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(&'r str, &'r Artifact), Refusal> {
    let found = run.artifacts.get_key_value(name);
    match found.map(|(name, artifact)| (name.as_str(), artifact)) {
        Some((name, artifact)) if artifact.expires <= now => {
            Err(Refusal::expired(format!("artifact {name:?} has expired")))
        }
        Some(found) if found.1.is_there(now) => Ok(found),
        _ => Err(Refusal::not_found(format!("artifact {name:?} does not exist"))),
    }
}

/// Finds an artifact, following links.
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
    Err(Refusal::input(format!("the artifact {name:?} links back to itself")))
}

/// Returns an artifact's name in the object service.
fn object_name(call: &RecordedCall, run: usize, name: &str) -> String {
    format!("t/{}/{run}/{name}", call.arg("taskId"))
}

fn create(queue: &Queue, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let (id, name) = (call.arg("taskId"), call.arg("name"));
    let new = Artifact::new(call.payload())?;
    if name.len() > LONGEST_NAME {
        return Err(Refusal::internal("the name of the artifact is too long for its message"));
    }
    queue.with(context, |tasks, now| {
        if new.expires < now - PAST {
            return Err(Refusal::input("`expires` is past"));
        }
        // Whatever is missing, it is the request that is wrong.
        let missing = |_| Refusal::input(format!("task {id} has no run {}", call.arg("runId")));
        let number = run_of(tasks, call).map_err(missing)?;
        let task = tasks.task_mut(id)?;
        let project = task.definition.text("projectId").to_owned();
        let Some(worker) = task.runs[number].worker.clone() else {
            return Err(Refusal::input(format!("no worker has claimed run {number} of task {id}")));
        };
        if new.expires > task.definition.expires {
            return Err(Refusal::input("the artifact expires after its task"));
        }
        let run = &task.runs[number];
        let is_late = || run.resolved.is_some_and(|resolved| now <= resolved + LATE);
        match run.state {
            RunState::Running => {}
            RunState::Exception if is_late() => {}
            state => {
                return Err(Refusal::conflict(format!(
                    "run {number} of task {id} is {} and takes no artifacts",
                    state.name()
                )));
            }
        }
        let mut artifact = run.artifacts.get(name).unwrap_or(&new).clone();
        if !artifact.may_become(&new) {
            return Err(Refusal::conflict(format!("a different artifact {name:?} already exists")));
        }
        artifact.expires = new.expires;
        if let Kind::Reference(_) | Kind::Link(_) = new.kind {
            artifact.kind = new.kind;
        }
        let mut answer = json!({"storageType": artifact.storage_type()});
        match &artifact.kind {
            Kind::S3(key) => {
                let (expires, content_type) = (now + PUT_URL, &artifact.content_type);
                let headers = [(CONTENT_TYPE, content_type.clone())];
                answer["putUrl"] = json!(context.put_url(key, expires, &headers));
                answer["contentType"] = json!(content_type);
                answer["expires"] = json!(timestamp(expires));
            }
            Kind::Object { upload_id, .. } => {
                let object = object_name(call, number, name);
                let scope = format!("object:upload:{project}:{object}");
                // Begins the upload, so that nobody else can.
                let upload = json!({
                    "projectId": project, "uploadId": upload_id, "proposedUploadMethods": {},
                    "expires": timestamp(artifact.expires),
                });
                let caller = (SERVICE, vec![scope.clone()]);
                let args = [("name", object.as_str())];
                context.call(&Object::REFERENCE, "createUpload", caller, &args, Some(upload))?;
                let Worker { group, id: worker } = &worker;
                let client = format!("artifact-upload/{id}/{number}/on/{group}/{worker}");
                answer["credentials"] = context.temporary_credentials(
                    &client_id(&client),
                    vec![scope],
                    now - LEEWAY,
                    artifact.expires.min(now + UPLOAD),
                )?;
                answer["name"] = json!(object);
                answer["projectId"] = json!(project);
                answer["uploadId"] = json!(upload_id);
                answer["expires"] = json!(timestamp(artifact.expires));
            }
            _ => {}
        }
        let is_announced =
            !matches!(artifact.kind, Kind::Object { finished: false, .. } | Kind::S3(_));
        task.runs[number].artifacts.insert(name.to_owned(), artifact);
        if is_announced {
            announce(tasks, call, number);
        }
        Ok(answer)
    })
}

/// A client id may contain only these characters.
fn client_id(text: &str) -> String {
    let known = |c: char| c.is_ascii_alphanumeric() || "!@/:.+|_-".contains(c);
    text.chars().map(|c| if known(c) { c } else { '_' }).collect()
}

fn announce(tasks: &mut Tasks, call: &RecordedCall, run: usize) {
    let (id, name) = (call.arg("taskId"), call.arg("name"));
    let Ok(task) = tasks.task(id) else { return };
    let Some(artifact) = task.runs[run].artifacts.get(name) else { return };
    let mut about = artifact.about(name);
    if let Some(about) = about.as_object_mut() {
        about.remove("contentLength");
    }
    let exchange = QueueEvents::artifact_created().exchange();
    let fields = ["runId", "workerGroup", "workerId"];
    tasks.announce_with(exchange, id, Some(run), &fields, json!({"artifact": about}));
}

fn finish(queue: &Queue, context: &Context, call: &RecordedCall) -> Result<Reply, Refusal> {
    let name = call.arg("name");
    queue.with(context, |tasks, _| {
        let number = run_of(tasks, call)?;
        let run = &mut tasks.task_mut(call.arg("taskId"))?.runs[number];
        let artifact = run.artifacts.get_mut(name);
        let Some(artifact) = artifact else {
            return Err(Refusal::not_found(format!("no upload of an artifact {name:?} has begun")));
        };
        let Kind::Object { upload_id, finished } = &mut artifact.kind else {
            return Err(Refusal::input(format!("the artifact {name:?} is not of type object")));
        };
        // It may be finished again, and is announced again.
        if !*finished {
            if call.payload()["uploadId"] != *upload_id {
                return Err(Refusal::input("`uploadId` is not the artifact's"));
            }
            check_object(context, &object_name(call, number, name))?;
            *finished = true;
        }
        announce(tasks, call, number);
        Ok(Reply::new(StatusCode::NO_CONTENT))
    })
}

/// Refuses to finish an artifact whose object is not there.
fn check_object(context: &Context, name: &str) -> Result<(), Refusal> {
    let caller = (SERVICE, vec![format!("object:download:{name}")]);
    match context.call(&Object::REFERENCE, "object", caller, &[("name", name)], None) {
        Ok(_) => Ok(()),
        Err(_) => Err(Refusal::input(format!("the upload of the object {name:?} is not finished"))),
    }
}

/// The place of an artifact's content.
enum Found {
    Url(&'static str, String),
    Object(String),
    Error(Value),
}

fn look_up(queue: &Queue, context: &Context, call: &RecordedCall) -> Result<Found, Refusal> {
    queue.with(context, |tasks, now| {
        let run = chosen_run(tasks, call)?;
        let (name, artifact) = follow(run, call.arg("name"), now)?;
        Ok(match &artifact.kind {
            Kind::S3(key) => Found::Url("s3", context.get_url(key, now + GET_URL)),
            Kind::Reference(url) => Found::Url("reference", url.clone()),
            Kind::Object { .. } => {
                let runs = &tasks.task(call.arg("taskId"))?.runs;
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

fn lead(queue: &Queue, context: &Context, call: &RecordedCall) -> Result<Reply, Refusal> {
    let (kind, url) = match look_up(queue, context, call)? {
        Found::Url(kind, url) => (kind, url),
        Found::Object(name) => ("object", object_url(context, &name)?),
        Found::Error(error) => return Ok(Reply::json(StatusCode::FAILED_DEPENDENCY, &error)),
    };
    let kind_header = HeaderName::from_static("x-taskcluster-artifact-storage-type");
    Ok(redirect(&url, &json!({"storageType": kind, "url": url}))?
        .header(kind_header, HeaderValue::from_static(kind)))
}

/// Gets the URL of an object's content from the object service.
fn object_url(context: &Context, name: &str) -> Result<String, Refusal> {
    let caller = (SERVICE, vec![format!("object:download:{name}")]);
    let payload = json!({"acceptDownloadMethods": {"simple": true}});
    let download = context.call(
        &Object::REFERENCE,
        "startDownload",
        caller,
        &[("name", name)],
        Some(payload),
    )?;
    text(&download, "url")
}

fn content(queue: &Queue, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    Ok(match look_up(queue, context, call)? {
        Found::Url(kind, url) => json!({"storageType": kind, "url": url}),
        Found::Object(name) => {
            let now = context.now();
            let scope = format!("object:download:{name}");
            let of_run = name.strip_prefix("t/").unwrap_or(&name);
            let client = client_id(&format!("artifact-download/{of_run}"));
            let credentials = context.temporary_credentials(
                &client,
                vec![scope],
                now - LEEWAY,
                now + DOWNLOAD,
            )?;
            json!({"storageType": "object", "name": name, "credentials": credentials})
        }
        Found::Error(mut error) => {
            error["storageType"] = json!("error");
            error
        }
    })
}

fn info(queue: &Queue, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    queue.with(context, |tasks, now| {
        let (name, artifact) = find(chosen_run(tasks, call)?, call.arg("name"), now)?;
        Ok(artifact.about(name))
    })
}

fn list(queue: &Queue, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    queue.with(context, |tasks, now| {
        let there = chosen_run(tasks, call)?.artifacts.iter();
        let there = there.filter(|(_, artifact)| artifact.is_there(now));
        let items = there.map(|(name, artifact)| (name.clone(), artifact.about(name)));
        page(&context.token_key, call, "artifacts", items)
    })
}
