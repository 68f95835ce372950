//! What the queue remembers of workers, and of the task queues that they work for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::super::answer::{Refusal, date, timestamp};
use super::super::authorization::ANONYMOUS;
use super::super::paging::page;
use super::super::recorded::RecordedCall;
use super::super::state::State;
use super::lifecycle::Queue;
use super::lists::task_queue;
use super::task::Worker;

/// How long a worker is remembered after its last claim.
const REMEMBERED: TimeDelta = TimeDelta::days(1);

/// How many of a worker's runs are remembered.
const RECENT: usize = 20;

/// All workers, by task queue and then by name.
#[derive(Default)]
pub(super) struct Workers(BTreeMap<String, BTreeMap<Worker, Record>>);

struct Record {
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    expires: DateTime<Utc>,
    /// Tasks and runs, the latest last.
    recent: Vec<Value>,
    /// What was said about its quarantine, the latest last.
    quarantine: Vec<Value>,
    quarantine_until: Option<DateTime<Utc>>,
}

impl Record {
    fn new(now: DateTime<Utc>) -> Self {
        let (recent, quarantine) = (Vec::new(), Vec::new());
        let expires = now + REMEMBERED;
        Self { first: now, last: now, expires, recent, quarantine, quarantine_until: None }
    }

    fn to_json(&self, worker: &Worker) -> Value {
        let mut json = json!({
            "workerGroup": worker.group, "workerId": worker.id, "firstClaim": timestamp(self.first),
            "lastDateActive": timestamp(self.last),
        });
        if let Some(until) = self.quarantine_until {
            json["quarantineUntil"] = json!(timestamp(until));
        }
        json
    }

    fn with_all(&self, task_queue: &str, worker: &Worker) -> Value {
        let (provisioner, worker_type) = task_queue.split_once('/').unwrap_or((task_queue, ""));
        let mut json = self.to_json(worker);
        json["taskQueueId"] = json!(task_queue);
        json["provisionerId"] = json!(provisioner);
        json["workerType"] = json!(worker_type);
        json["expires"] = json!(timestamp(self.expires));
        json["recentTasks"] = json!(self.recent);
        if !self.quarantine.is_empty() {
            json["quarantineDetails"] = json!(self.quarantine);
        }
        json
    }
}

impl Workers {
    fn forget(&mut self, now: DateTime<Utc>) {
        for workers in self.0.values_mut() {
            workers.retain(|_, record| record.expires > now);
        }
        self.0.retain(|_, workers| !workers.is_empty());
    }

    fn record(&mut self, task_queue: &str, worker: &Worker, now: DateTime<Utc>) -> &mut Record {
        let workers = self.0.entry(task_queue.to_owned()).or_default();
        workers.entry(worker.clone()).or_insert_with(|| Record::new(now))
    }

    /// Notes that a worker asks for tasks; says whether it may have any.
    pub(super) fn seen(&mut self, task_queue: &str, worker: &Worker, now: DateTime<Utc>) -> bool {
        let record = self.record(task_queue, worker, now);
        record.last = now;
        record.expires = record.expires.max(now + REMEMBERED);
        record.quarantine_until.is_none_or(|until| until <= now)
    }

    /// Notes what a worker has got.
    pub(super) fn took(
        &mut self,
        task_queue: &str,
        worker: &Worker,
        run: Value,
        now: DateTime<Utc>,
    ) {
        let recent = &mut self.record(task_queue, worker, now).recent;
        recent.push(run);
        if recent.len() > RECENT {
            recent.remove(0);
        }
    }

    /// When a task queue, or several of them, was active last, and when it is forgotten.
    fn activity<'a>(&self, task_queues: impl Iterator<Item = &'a String>) -> Option<Value> {
        let records: Vec<_> = task_queues.flat_map(|name| self.0[name].values()).collect();
        let last = records.iter().map(|record| record.last).max()?;
        let expires = records.iter().map(|record| record.expires).max()?;
        Some(json!({
            "lastDateActive": timestamp(last), "expires": timestamp(expires), "description": "",
            "stability": "experimental",
        }))
    }

    fn about_provisioner(&self, provisioner: &str) -> Option<Value> {
        let of_provisioner =
            |name: &&String| name.split_once('/').is_some_and(|(p, _)| p == provisioner);
        let mut about = self.activity(self.0.keys().filter(of_provisioner))?;
        about["provisionerId"] = json!(provisioner);
        Some(about)
    }

    fn about_task_queue(&self, name: &str) -> Option<Value> {
        let mut about = self.activity(self.0.keys().filter(|known| *known == name))?;
        about["taskQueueId"] = json!(name);
        Some(about)
    }

    fn about_worker_type(&self, name: &str) -> Option<Value> {
        let mut about = self.about_task_queue(name)?;
        let (provisioner, worker_type) = name.split_once('/')?;
        about["provisionerId"] = json!(provisioner);
        about["workerType"] = json!(worker_type);
        Some(about)
    }
}

/// Answers what is about workers and the queues that they work for; `None` for other endpoints.
pub(super) fn answer(
    state: &State,
    call: &RecordedCall,
    endpoint: &str,
) -> Option<Result<Value, Refusal>> {
    type Act = fn(&State, &RecordedCall, &mut Queue, DateTime<Utc>) -> Result<Value, Refusal>;
    let act: Act = match endpoint {
        "listProvisioners" => list_provisioners,
        "getProvisioner" => |_, call, queue, _| {
            let provisioner = call.arg("provisionerId");
            let found = queue.workers.about_provisioner(provisioner);
            found
                .ok_or_else(|| Refusal::not_found(format!("no provisioner {provisioner} is known")))
        },
        "listTaskQueues" => list_task_queues,
        "getTaskQueue" => |_, call, queue, _| {
            let name = task_queue(call);
            queue.workers.about_task_queue(&name).ok_or_else(|| no_queue(&name))
        },
        "listWorkerTypes" => list_worker_types,
        "getWorkerType" => |_, call, queue, _| {
            let name = task_queue(call);
            queue.workers.about_worker_type(&name).ok_or_else(|| no_queue(&name))
        },
        "listWorkers" => list_workers,
        "getWorker" => |_, call, queue, _| {
            let (name, worker) = (task_queue(call), worker(call));
            find(queue, &name, &worker).map(|record| record.with_all(&name, &worker))
        },
        "quarantineWorker" => quarantine,
        "declareWorker" => declare,
        _ => return None,
    };
    Some(state.with_queue(|queue, now| {
        queue.workers.forget(now);
        act(state, call, queue, now)
    }))
}

fn no_queue(name: &str) -> Refusal {
    Refusal::not_found(format!("no worker has worked for {name}"))
}

fn worker(call: &RecordedCall) -> Worker {
    Worker { group: call.arg("workerGroup").to_owned(), id: call.arg("workerId").to_owned() }
}

fn find<'q>(
    queue: &'q mut Queue,
    task_queue: &str,
    worker: &Worker,
) -> Result<&'q mut Record, Refusal> {
    let found = queue.workers.0.get_mut(task_queue).and_then(|workers| workers.get_mut(worker));
    found.ok_or_else(|| {
        Refusal::not_found(format!("{}/{} is no worker of {task_queue}", worker.group, worker.id))
    })
}

fn list_provisioners(
    state: &State,
    call: &RecordedCall,
    queue: &mut Queue,
    _: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let names = queue.workers.0.keys().filter_map(|name| Some(name.split_once('/')?.0));
    let names: BTreeSet<_> = names.collect();
    let items = names
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), queue.workers.about_provisioner(name)?)));
    page(&state.token_key, call, "provisioners", items)
}

fn list_task_queues(
    state: &State,
    call: &RecordedCall,
    queue: &mut Queue,
    _: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let names = queue.workers.0.keys();
    let items =
        names.filter_map(|name| Some((name.clone(), queue.workers.about_task_queue(name)?)));
    page(&state.token_key, call, "taskQueues", items)
}

fn list_worker_types(
    state: &State,
    call: &RecordedCall,
    queue: &mut Queue,
    _: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let prefix = format!("{}/", call.arg("provisionerId"));
    let names = queue.workers.0.keys().filter(|name| name.starts_with(&prefix));
    let items =
        names.filter_map(|name| Some((name.clone(), queue.workers.about_worker_type(name)?)));
    page(&state.token_key, call, "workerTypes", items)
}

fn list_workers(
    state: &State,
    call: &RecordedCall,
    queue: &mut Queue,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let wanted = match call.query_value("quarantined") {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => {
            return Err(Refusal::input(format!("`quarantined` is no truth value: {other:?}")));
        }
    };
    let workers = queue.workers.0.get(&task_queue(call));
    let items = workers.into_iter().flatten().filter_map(|(worker, record)| {
        let quarantined = record.quarantine_until.is_some_and(|until| until > now);
        if wanted.is_some_and(|wanted| wanted != quarantined) {
            return None;
        }
        let mut item = record.to_json(worker);
        if let Some(run) = record.recent.last() {
            item["latestTask"] = run.clone();
        }
        Some((format!("{}/{}", worker.group, worker.id), item))
    });
    page(&state.token_key, call, "workers", items)
}

fn quarantine(
    _: &State,
    call: &RecordedCall,
    queue: &mut Queue,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let (name, worker) = (task_queue(call), worker(call));
    let until = date(call.payload(), "quarantineUntil")?;
    let record = find(queue, &name, &worker)?;
    record.quarantine_until = Some(until);
    record.expires = record.expires.max(until);
    record.quarantine.push(json!({
        "clientId": call.client_id.as_deref().unwrap_or(ANONYMOUS),
        "quarantineInfo": call.payload()["quarantineInfo"].as_str().unwrap_or_default(),
        "quarantineUntil": timestamp(until),
        "updatedAt": timestamp(now),
    }));
    Ok(record.with_all(&name, &worker))
}

fn declare(
    _: &State,
    call: &RecordedCall,
    queue: &mut Queue,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let (name, worker) = (task_queue(call), worker(call));
    let expires = date(call.payload(), "expires")?;
    let record = queue.workers.record(&name, &worker, now);
    record.expires = expires;
    Ok(record.with_all(&name, &worker))
}
