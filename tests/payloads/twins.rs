//! Reading, held against plain serde derives of the same types: both take a document or neither does, and what they write
//! is the same.
//!
//! Documents made from the schemas are changed at random, byte by byte and member by member: some thousands of times in a
//! test, and for as long as one likes by a fuzzer, which learns from what the code does:
//! `cargo bolero test -p taskcluster-tests payloads::twins::unions_are_read_as_derives_read_them`.
//!
//! The differences that are meant, and which the twins or [`same`] make up for:
//! - a text that an enum does not know is kept; the twins take any text,
//! - a union of a tag that is not known is kept whole; derives refuse it,
//! - a number that no `f64` holds is kept where nobody looks; derives buffer unions as trees and refuse it,
//! - an integer may be written with a point or an exponent; derives refuse that,
//! - derives take a list of the fields' values for a struct; a record is an object.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value, json};
use taskcluster::hooks::HookStatus;
use taskcluster::legacy::queue::WorkerResponse;
use taskcluster::queue::ListTaskGroupResponse;

use crate::support::samples::{self, Extent};

struct Date(DateTime<Utc>);

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let date = DateTime::parse_from_rfc3339(&text).map_err(D::Error::custom)?;
        Ok(Self(date.with_timezone(&Utc)))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&taskcluster::dates::to_json(self.0))
    }
}

/// An integer, which JSON may write with a point or an exponent.
#[derive(Serialize)]
struct Whole(i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(from)?;
        // As far as `serde_json` gets all digits of a float right.
        let exact = |float: &f64| float.fract() == 0.0 && float.abs() < 1e15;
        let whole = match number.as_i64() {
            None if number.is_f64() => number.as_f64().filter(exact).map(|float| float as i64),
            whole => whole,
        };
        whole.map(Self).ok_or_else(|| D::Error::custom("not an integer"))
    }
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_token: Option<String>,
    expires: Date,
    scheduler_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<Date>,
    task_group_id: String,
    tasks: Vec<Member>,
}

#[derive(Deserialize, Serialize)]
struct Member {
    status: Status,
    task: Task,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    deadline: Date,
    expires: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<String>,
    project_id: String,
    provisioner_id: String,
    retries_left: Whole,
    runs: Vec<Run>,
    scheduler_id: String,
    state: String,
    task_group_id: String,
    task_id: String,
    task_queue_id: String,
    worker_type: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    reason_created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_resolved: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved: Option<Date>,
    run_id: Whole,
    scheduled: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<Date>,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_until: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker_group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker_id: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    created: Date,
    deadline: Date,
    dependencies: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Date>,
    extra: Box<RawValue>,
    metadata: Metadata,
    payload: Box<RawValue>,
    priority: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<String>,
    provisioner_id: String,
    requires: String,
    retries: Whole,
    routes: Vec<String>,
    scheduler_id: String,
    scopes: Vec<String>,
    tags: BTreeMap<String, String>,
    task_group_id: String,
    task_queue_id: String,
    worker_type: String,
}

/// Also part of requests, which may have no other properties.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    description: String,
    name: String,
    owner: String,
    source: String,
}

/// A union that is told by a tag.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Fire {
    last_fire: LastFire,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_scheduled_date: Option<Date>,
}

#[derive(Deserialize, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum LastFire {
    Success { task_id: String, time: Date },
    // A tree: the buffer of a tagged enum has no texts.
    Error { error: Value, time: Date },
    NoFire {},
}

/// With a field that must be there and may be `null`.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Worker {
    actions: Vec<Action>,
    expires: Date,
    first_claim: Date,
    provisioner_id: String,
    // Derives take what has a function of its own for one that must be there.
    #[serde(deserialize_with = "Option::deserialize")]
    quarantine_until: Option<Date>,
    recent_tasks: Vec<Recent>,
    worker_group: String,
    worker_id: String,
    worker_type: String,
}

#[derive(Deserialize, Serialize)]
struct Action {
    context: String,
    description: String,
    method: String,
    name: String,
    title: Box<RawValue>,
    url: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Recent {
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<Whole>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
}

/// Whether a document has a form that only the generated type takes.
type Excused = fn(&Value) -> bool;

fn nothing(_: &Value) -> bool {
    false
}

fn of_another_result(document: &Value) -> bool {
    let result = &document["lastFire"]["result"];
    document["lastFire"].is_object()
        && !["success", "error", "no-fire"].iter().any(|known| result == known)
}

/// What a fuzzer would call.
fn same<T, Twin>(document: &[u8], excused: Excused)
where
    T: DeserializeOwned + Serialize + PartialEq + Clone + std::fmt::Debug,
    Twin: DeserializeOwned + Serialize,
{
    let text = String::from_utf8_lossy(document);
    let (read, twin) =
        (serde_json::from_slice::<T>(document), serde_json::from_slice::<Twin>(document));
    match (read, twin) {
        (Ok(read), Ok(twin)) => {
            let json = |written: serde_json::Result<String>| {
                serde_json::from_str::<Value>(&written.unwrap()).map_err(|error| error.to_string())
            };
            let written = serde_json::to_string(&read);
            // A free-form part may hold what no tree holds, such as `1e999`; then neither can be read again.
            assert_eq!(json(written), json(serde_json::to_string(&twin)), "{}", text);
            assert!(read.clone() == read);
        }
        (Err(error), Err(twin)) => {
            // Syntax and shape are told apart alike.
            let syntax = |error: &serde_json::Error| error.is_syntax() || error.is_eof();
            if syntax(&error) != syntax(&twin) {
                assert!(error.is_data() || twin.is_data(), "{}: {}: {}", error, twin, text);
            }
        }
        (Ok(_), Err(twin)) => {
            let out_of_range =
                |error: &serde_json::Error| error.to_string().starts_with("number out of range");
            let excused = match serde_json::from_str::<Value>(&text) {
                Ok(json) => excused(&json),
                // Such a number may stand beside what the twins refuse first.
                Err(error) => out_of_range(&error),
            };
            assert!(excused || out_of_range(&twin), "only the derives refuse: {}: {}", twin, text);
        }
        (Err(error), Ok(_)) => {
            panic!("only the derives take: {error}: {text}");
        }
    }
}

fn documents(schema: &str) -> Vec<Value> {
    let extents = [Extent::Least, Extent::Most, Extent::Newer];
    extents
        .iter()
        .flat_map(|extent| samples::of(&samples::file(schema), *extent))
        .map(|mut sample| {
            close(&mut sample.document);
            sample.document
        })
        .collect()
}

/// Leaves out what [`Metadata`] may not have.
fn close(json: &mut Value) {
    match json {
        Value::Object(members) => {
            if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("brandNew");
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// What is put in front of a key that shall stand there twice.
const AGAIN: &str = "again: ";

/// What a member becomes.
fn values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("success"),
        json!("error"),
        json!("no-fire"),
        json!("2026-01-02T03:04:05Z"),
        json!("2026-01-02 03:04:05.1+01:00"),
        json!("ü\"\\\u{1}"),
        json!([]),
        json!([1]),
        json!({}),
        json!({"result": "success"}),
    ]
}

/// What a member is called.
const NAMES: &[&str] = &["", "x", "result", "status", "taskId", "error", "time"];

fn members(json: &Value) -> usize {
    match json {
        Value::Object(members) => members.values().map(|value| 1 + self::members(value)).sum(),
        Value::Array(items) => items.iter().map(members).sum(),
        _ => 0,
    }
}

/// Changes the member that comes as so many'th.
fn change(json: &mut Value, node: &mut usize, how: u8) {
    match json {
        Value::Object(members) => {
            for key in members.keys().cloned().collect::<Vec<_>>() {
                if *node == 0 {
                    change_member(members, key, how);
                    *node = usize::MAX;
                    return;
                }
                *node -= 1;
                change(&mut members[&key], node, how);
                if *node == usize::MAX {
                    return;
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                change(item, node, how);
                if *node == usize::MAX {
                    return;
                }
            }
        }
        _ => {}
    }
}

/// Removes, repeats, renames or replaces one.
fn change_member(members: &mut Map<String, Value>, key: String, how: u8) {
    let Some(value) = members.remove(&key) else { return };
    let (kind, which) = (how % 4, usize::from(how / 4));
    match kind {
        0 => {}
        1 => {
            members.insert(format!("{AGAIN}{key}"), value.clone());
            members.insert(key, value);
        }
        2 => drop(members.insert(NAMES[which % NAMES.len()].to_owned(), value)),
        _ => {
            let values = values();
            members.insert(key, values[which % values.len()].clone());
        }
    }
}

/// A random choice: a document, changes of its members by their place, and bytes to put somewhere.
type Choice = (u8, [Option<(u16, u8)>; 3], [Option<(u16, u8)>; 2]);

fn changed(documents: &[Value], (document, changes, bytes): &Choice) -> Vec<u8> {
    let mut document = documents[usize::from(*document) % documents.len()].clone();
    for (node, how) in changes.iter().flatten() {
        let count = members(&document);
        if count > 0 {
            change(&mut document, &mut (usize::from(*node) % count), *how);
        }
    }
    let mut text = document.to_string().replace(AGAIN, "").into_bytes();
    for (place, byte) in bytes.iter().flatten() {
        let place = usize::from(*place) % text.len();
        // Half of them mean something in JSON.
        let telling = b"{}[]\",:0e.-\\nt \xff";
        text[place] = match byte {
            0..128 => telling[usize::from(*byte) % telling.len()],
            _ => *byte,
        };
    }
    text
}

/// Documents that both take as they are.
fn taken<T, Twin>(schema: &str, excused: Excused) -> Vec<Value>
where
    T: DeserializeOwned + Serialize + PartialEq + Clone + std::fmt::Debug,
    Twin: DeserializeOwned + Serialize,
{
    let documents = documents(schema);
    for document in &documents {
        let text = document.to_string();
        assert!(serde_json::from_str::<T>(&text).is_ok(), "{text}");
        same::<T, Twin>(text.as_bytes(), excused);
    }
    documents
}

/// How many changed documents a test reads, unless a fuzzer runs it.
const CASES: usize = 3000;

#[test]
fn pages_are_read_as_derives_read_them() {
    let schema = "current/schemas/queue/v1/list-task-group-response.json";
    let documents = taken::<ListTaskGroupResponse, Group>(schema, nothing);
    bolero::check!().with_iterations(CASES).with_type::<Choice>().for_each(|choice| {
        same::<ListTaskGroupResponse, Group>(&changed(&documents, choice), nothing);
    });
}

#[test]
fn unions_are_read_as_derives_read_them() {
    let schema = "current/schemas/hooks/v1/hook-status.json";
    let documents = taken::<HookStatus, Fire>(schema, of_another_result);
    bolero::check!().with_iterations(CASES).with_type::<Choice>().for_each(|choice| {
        same::<HookStatus, Fire>(&changed(&documents, choice), of_another_result);
    });
}

#[test]
fn what_may_be_null_is_read_as_derives_read_it() {
    let schema = "2017/schemas/queue/v1/worker-response.json";
    let documents = taken::<WorkerResponse, Worker>(schema, nothing);
    bolero::check!().with_iterations(CASES).with_type::<Choice>().for_each(|choice| {
        same::<WorkerResponse, Worker>(&changed(&documents, choice), nothing);
    });
}
