//! The index service: finds tasks by paths.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use reqwest::Url;
use serde_json::{Number, Value, json};

use crate::hawk::{Signer, Target};
use crate::testing::http::answer::{Refusal, Reply, date, redirect_in_words, strings, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::message::Message;
use crate::testing::services::context::{Context, Service};
use crate::{Client, Error, Queue, QueueEvents};

/// The lifetime of a private artifact's URL, in seconds.
const SIGNED: i64 = 15 * 60;

/// All tasks by path.
#[derive(Default)]
pub(crate) struct Index {
    entries: Mutex<BTreeMap<String, Entry>>,
    /// Completed tasks that are still to be indexed, with their paths.
    completed: Mutex<Vec<(String, Vec<String>)>>,
}

/// The task at a path.
#[derive(Clone)]
struct Entry {
    task_id: String,
    rank: Number,
    data: Value,
    expires: DateTime<Utc>,
}

impl Entry {
    /// Creates the entry of a task that has the path as a route.
    fn of_task(id: &str, definition: &Value) -> Result<Self, Refusal> {
        let said = &definition["extra"]["index"];
        let data = if said["data"].is_object() { said["data"].clone() } else { json!({}) };
        Ok(Self {
            task_id: id.to_owned(),
            rank: said["rank"].as_number().cloned().unwrap_or(Number::from(0)),
            data,
            expires: date(said, "expires").or_else(|_| date(definition, "expires"))?,
        })
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
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn completed(&self) -> MutexGuard<'_, Vec<(String, Vec<String>)>> {
        self.completed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an entry at a path, unless the path has one of a higher rank.
    fn insert(&self, path: &str, entry: Entry, now: DateTime<Utc>) {
        let mut entries = self.lock();
        let stays =
            |known: &Entry| known.expires > now && known.rank.as_f64() > entry.rank.as_f64();
        if !entries.get(path).is_some_and(stays) {
            entries.insert(path.to_owned(), entry);
        }
    }

    fn find(&self, path: &str, now: DateTime<Utc>) -> Result<Entry, Refusal> {
        let entry = self.lock().get(path).filter(|entry| entry.expires > now).cloned();
        entry.ok_or_else(|| Refusal::not_found(format!("no task is indexed at {path:?}")))
    }
}

impl Service for Index {
    fn answer(&self, context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
        let now = context.now();
        Some(match call.endpoint.name {
            "findTask" => {
                let path = path(call);
                self.find(path, now).map(|entry| entry.to_json(path).into())
            }
            "findTasksAtIndex" => find_several(self, context, call).map(Reply::from),
            "insertTask" => insert(self, context, call).map(Reply::from),
            "deleteTask" => {
                self.lock().remove(path(call));
                Ok(json!({}).into())
            }
            "listTasks" => list_tasks(self, context, call).map(Reply::from),
            "listNamespaces" => list_namespaces(self, context, call).map(Reply::from),
            "findArtifactFromTask" => find_artifact(self, context, call),
            _ => return None,
        })
    }

    fn hear(&self, message: &Message) {
        if message.exchange != QueueEvents::task_completed().exchange().exchange {
            return;
        }
        let paths: Vec<_> = message
            .routes()
            .filter_map(|route| route.strip_prefix("index."))
            .map(str::to_owned)
            .collect();
        if let Some(task_id) = message.payload["status"]["taskId"].as_str()
            && !paths.is_empty()
        {
            self.completed().push((task_id.to_owned(), paths));
        }
    }

    fn work_on_messages(&self, context: &Context) {
        let completed = std::mem::take(&mut *self.completed());
        for (task_id, paths) in completed {
            // The queue may have removed the task.
            let Ok(task) = definition(context, &task_id) else { continue };
            for path in paths {
                if let Ok(entry) = Entry::of_task(&task_id, &task) {
                    self.insert(&path, entry, context.now());
                }
            }
        }
    }
}

/// Gets the definition of a task from the queue.
fn definition(context: &Context, task_id: &str) -> Result<Value, Refusal> {
    let caller = ("static/taskcluster/index", vec![format!("queue:get-task:{task_id}")]);
    context.call(&Queue::REFERENCE, "task", caller, &[("taskId", task_id)], None)
}

/// Returns the path in a call's arguments, which go by several names in the references of both generations.
fn path(call: &RecordedCall) -> &str {
    let named = ["indexPath", "namespace"].iter().find_map(|name| call.args.get(*name));
    named.map_or("", String::as_str)
}

fn find_several(index: &Index, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let (now, mut paths) = (context.now(), strings(call.payload(), "indexes")?);
    paths.sort();
    paths.dedup();
    let found = paths.into_iter().filter_map(|path| {
        let entry = index.find(&path, now).ok()?.to_json(&path);
        Some((path, entry))
    });
    page(&context.token_key, call, "tasks", found)
}

fn insert(index: &Index, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let (path, payload, now) = (path(call), call.payload(), context.now());
    let entry = Entry {
        task_id: payload["taskId"]
            .as_str()
            .ok_or_else(|| Refusal::input("`taskId` is not a string"))?
            .to_owned(),
        rank: payload["rank"]
            .as_number()
            .ok_or_else(|| Refusal::input("`rank` is not a number"))?
            .clone(),
        data: payload["data"].clone(),
        expires: date(payload, "expires")?,
    };
    if entry.rank.as_i64().is_none_or(|rank| i32::try_from(rank).is_err()) {
        return Err(Refusal::internal("a rank must be an integer of 32 bits"));
    }
    let new = entry.to_json(path);
    context
        .schemas
        .check_answer(call.service, call.endpoint, &new.clone().into())
        .map_err(Refusal::internal)?;
    index.insert(path, entry, now);
    Ok(index.find(path, now).map_or(new, |entry| entry.to_json(path)))
}

/// Returns the prefix of the paths in a namespace. The namespace with an empty name is the top, which contains all paths.
fn prefix(namespace: &str) -> String {
    if namespace.is_empty() { String::new() } else { format!("{namespace}.") }
}

/// Returns the entries below a namespace, with the rest of their paths.
fn below(index: &Index, context: &Context, namespace: &str) -> Vec<(String, String, Entry)> {
    let (now, prefix) = (context.now(), prefix(namespace));
    let entries = index.lock();
    let entries = entries.iter().filter(|(_, entry)| entry.expires > now);
    entries
        .filter_map(|(path, entry)| {
            let rest = path.strip_prefix(&prefix)?;
            Some((path.clone(), rest.to_owned(), entry.clone()))
        })
        .collect()
}

fn list_tasks(index: &Index, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let children =
        below(index, context, path(call)).into_iter().filter(|(_, rest, _)| !rest.contains('.'));
    let items = children.map(|(path, _, entry)| (path.clone(), entry.to_json(&path)));
    page(&context.token_key, call, "tasks", items)
}

fn list_namespaces(
    index: &Index,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let mut children: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
    for (_, rest, entry) in below(index, context, path(call)) {
        if let Some((child, _)) = rest.split_once('.') {
            let expires = children.entry(child.to_owned()).or_insert(entry.expires);
            *expires = entry.expires.max(*expires);
        }
    }
    let items = children.into_iter().map(|(name, expires)| {
        let namespace = prefix(path(call)) + &name;
        (name.clone(), json!({"namespace": namespace, "name": name, "expires": timestamp(expires)}))
    });
    page(&context.token_key, call, "namespaces", items)
}

/// Redirects to an artifact of the task at a path. The URL of a private artifact is signed.
fn find_artifact(index: &Index, context: &Context, call: &RecordedCall) -> Result<Reply, Refusal> {
    let entry = index.find(path(call), context.now())?;
    let url = artifact_url(context, &entry.task_id, call.arg("name"))
        .map_err(|error| Refusal::input(error.message()))?;
    redirect_in_words(url.as_str())
}

fn artifact_url(context: &Context, task_id: &str, name: &str) -> Result<Url, Error> {
    let client = Client::builder(context.root_url()).build()?;
    let mut url = Queue::new(&client).get_latest_artifact(task_id, name).url()?;
    if !name.starts_with("public/") {
        let target = Target {
            method: "GET",
            resource: url.path(),
            host: url.host_str().unwrap_or_default(),
            port: url.port_or_known_default().unwrap_or_default(),
        };
        let expires = context.clock.signing().timestamp() + SIGNED;
        let bewit = Signer::new(&context.credentials(), None)?.bewit(&target, expires);
        url.set_query(Some(&format!("bewit={bewit}")));
    }
    Ok(url)
}
