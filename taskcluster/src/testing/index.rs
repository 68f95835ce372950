//! The index service: paths that lead to tasks.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use reqwest::{StatusCode, Url};
use serde_json::{Number, Value, json};

use super::answer::{Refusal, Reply, date, redirect, strings, timestamp};
use super::paging::page;
use super::recorded::RecordedCall;
use super::state::State;
use crate::hawk::{Signer, Target};
use crate::{Client, Credentials, Queue};

/// How long the URL of a private artifact is good, in seconds.
const SIGNED: i64 = 15 * 60;

/// All tasks by path.
#[derive(Default)]
pub(super) struct Index(Mutex<BTreeMap<String, Entry>>);

/// What a path leads to.
#[derive(Clone)]
pub(super) struct Entry {
    task_id: String,
    rank: Number,
    data: Value,
    expires: DateTime<Utc>,
}

impl Entry {
    /// The entry of a task that has named the path as a route.
    pub(super) fn of_task(id: &str, definition: &Value, expires: DateTime<Utc>) -> Self {
        let said = &definition["extra"]["index"];
        let data = if said["data"].is_object() { said["data"].clone() } else { json!({}) };
        Self {
            task_id: id.to_owned(),
            rank: said["rank"].as_number().cloned().unwrap_or(Number::from(0)),
            data,
            expires: date(said, "expires").unwrap_or(expires),
        }
    }

    fn to_json(&self, path: &str) -> Value {
        json!({
            "namespace": path, "taskId": self.task_id, "rank": self.rank, "data": self.data,
            "expires": timestamp(self.expires),
        })
    }
}

impl Index {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an entry at a path, unless one of a higher rank is there.
    pub(super) fn insert(&self, path: &str, entry: Entry, now: DateTime<Utc>) {
        let mut entries = self.lock();
        let stays =
            |known: &Entry| known.expires > now && known.rank.as_f64() > entry.rank.as_f64();
        if !entries.get(path).is_some_and(stays) {
            entries.insert(path.to_owned(), entry);
        }
    }

    fn find(&self, path: &str, now: DateTime<Utc>) -> Result<Entry, Refusal> {
        let entry = self.lock().get(path).filter(|entry| entry.expires > now).cloned();
        entry.ok_or_else(|| Refusal::not_found(format!("there is no task at {path:?}")))
    }
}

/// Answers what is built in; `None` for other endpoints.
pub(super) fn answer(state: &State, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
    let now = state.now();
    Some(match call.endpoint.name {
        "findTask" => {
            let path = path(call);
            state.index.find(path, now).map(|entry| entry.to_json(path).into())
        }
        "findTasksAtIndex" => find_several(state, call).map(Reply::from),
        "insertTask" => insert(state, call).map(Reply::from),
        "deleteTask" => {
            state.index.lock().remove(path(call));
            Ok(Reply::new(StatusCode::OK))
        }
        "listTasks" => list_tasks(state, call).map(Reply::from),
        "listNamespaces" => list_namespaces(state, call).map(Reply::from),
        "findArtifactFromTask" => find_artifact(state, call),
        _ => return None,
    })
}

/// The path that a call names; the references of both generations have several words for it.
fn path(call: &RecordedCall) -> &str {
    let named = ["indexPath", "namespace"].iter().find_map(|name| call.args.get(*name));
    named.map_or("", String::as_str)
}

fn find_several(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let (now, mut paths) = (state.now(), strings(call.payload(), "indexes")?);
    paths.sort();
    paths.dedup();
    let found = paths.into_iter().filter_map(|path| {
        let entry = state.index.find(&path, now).ok()?.to_json(&path);
        Some((path, entry))
    });
    page(&state.token_key, call, "tasks", found)
}

fn insert(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let (path, payload, now) = (path(call), call.payload(), state.now());
    if path.split('.').any(str::is_empty) {
        return Err(Refusal::input(format!("the path {path:?} has an empty word")));
    }
    let entry = Entry {
        task_id: payload["taskId"]
            .as_str()
            .ok_or_else(|| Refusal::input("`taskId` is not a text"))?
            .to_owned(),
        rank: payload["rank"]
            .as_number()
            .ok_or_else(|| Refusal::input("`rank` is not a number"))?
            .clone(),
        data: payload["data"].clone(),
        expires: date(payload, "expires")?,
    };
    let new = entry.to_json(path);
    state.index.insert(path, entry, now);
    Ok(state.index.find(path, now).map_or(new, |entry| entry.to_json(path)))
}

/// The entries below a namespace, with the rest of their paths.
fn below(state: &State, namespace: &str) -> Vec<(String, String, Entry)> {
    let (now, prefix) = (state.now(), format!("{namespace}."));
    let entries = state.index.lock();
    let entries = entries.iter().filter(|(_, entry)| entry.expires > now);
    entries
        .filter_map(|(path, entry)| {
            let rest = path.strip_prefix(&prefix)?;
            Some((path.clone(), rest.to_owned(), entry.clone()))
        })
        .collect()
}

fn list_tasks(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let children = below(state, path(call)).into_iter().filter(|(_, rest, _)| !rest.contains('.'));
    let items = children.map(|(path, _, entry)| (path.clone(), entry.to_json(&path)));
    page(&state.token_key, call, "tasks", items)
}

fn list_namespaces(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let mut children: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
    for (_, rest, entry) in below(state, path(call)) {
        if let Some((child, _)) = rest.split_once('.') {
            let expires = children.entry(child.to_owned()).or_insert(entry.expires);
            *expires = entry.expires.max(*expires);
        }
    }
    let items = children.into_iter().map(|(name, expires)| {
        let namespace = format!("{}.{name}", path(call));
        (name.clone(), json!({"namespace": namespace, "name": name, "expires": timestamp(expires)}))
    });
    page(&state.token_key, call, "namespaces", items)
}

/// Leads to an artifact of the task at a path; the URL of a private one is signed.
fn find_artifact(state: &State, call: &RecordedCall) -> Result<Reply, Refusal> {
    let entry = state.index.find(path(call), state.now())?;
    let url = artifact_url(state, &entry.task_id, call.arg("name"))
        .map_err(|error| Refusal::input(error.message()))?;
    redirect(url.as_str(), &json!({"url": url.as_str()}))
}

fn artifact_url(state: &State, task_id: &str, name: &str) -> crate::error::Result<Url> {
    let client = Client::builder(state.root_url()).build()?;
    let mut url = Queue::new(&client).get_latest_artifact(task_id, name).url()?;
    if !name.starts_with("public/") {
        let (id, token) = state.service_account();
        let target = Target {
            method: "GET",
            resource: url.path(),
            host: url.host_str().unwrap_or_default(),
            port: url.port_or_known_default().unwrap_or_default(),
        };
        let expires = state.clock.signing().timestamp() + SIGNED;
        let bewit = Signer::new(&Credentials::new(id, token), None)?.bewit(&target, expires);
        url.set_query(Some(&format!("bewit={bewit}")));
    }
    Ok(url)
}
