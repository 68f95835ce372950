//! Endpoints about workers and the task queues that they work for.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::lifecycle::Tasks;
use super::lists::task_queue;
use super::store::Queue;
use super::task::Worker;
use super::workers::{REMEMBERED, Record};
use crate::testing::http::answer::{Refusal, date, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::Context;

/// The client of the service that tells why workers are quarantined, which the queue does not.
const WORKER_MANAGER: &str = "static/taskcluster/worker-manager";

/// Answers calls about workers and their task queues. Returns `None` for other endpoints.
pub(super) fn answer(
    queue: &Queue,
    context: &Context,
    call: &RecordedCall,
    endpoint: &str,
) -> Option<Result<Value, Refusal>> {
    type Act = fn(&Context, &RecordedCall, &mut Tasks, DateTime<Utc>) -> Result<Value, Refusal>;
    let act: Act = match endpoint {
        "listProvisioners" => |context, call, tasks, _| {
            let workers = &tasks.workers;
            let names = workers.task_queues().filter_map(|name| Some(name.split_once('/')?.0));
            let names: BTreeSet<_> = names.collect();
            list(context, call, "provisioners", names, |name| workers.about_provisioner(name))
        },
        "getProvisioner" => |_, call, tasks, _| {
            let provisioner = call.arg("provisionerId");
            let found = tasks.workers.about_provisioner(provisioner);
            found.ok_or_else(|| {
                Refusal::not_found(format!("provisioner {provisioner} does not exist"))
            })
        },
        "listTaskQueues" => |context, call, tasks, _| {
            let workers = &tasks.workers;
            let names = workers.task_queues();
            list(context, call, "taskQueues", names, |name| workers.about_task_queue(name))
        },
        "getTaskQueue" => |_, call, tasks, _| {
            let name = task_queue(call);
            tasks.workers.about_task_queue(&name).ok_or_else(|| no_queue(&name))
        },
        "listWorkerTypes" => |context, call, tasks, _| {
            let workers = &tasks.workers;
            let names = workers.task_queues_of(call.arg("provisionerId"));
            list(context, call, "workerTypes", names, |name| workers.about_worker_type(name))
        },
        "getWorkerType" => |_, call, tasks, _| {
            let name = task_queue(call);
            tasks.workers.about_worker_type(&name).ok_or_else(|| no_queue(&name))
        },
        "listWorkers" => list_workers,
        "getWorker" => |_, call, tasks, _| {
            let (name, worker) = (task_queue(call), worker(call));
            find(tasks, &name, &worker).map(|record| {
                let mut about = record.with_all(&name, &worker);
                if call.caller() == WORKER_MANAGER {
                    about["quarantineDetails"] = json!(record.quarantine);
                }
                about
            })
        },
        "quarantineWorker" => quarantine,
        "declareWorker" => declare,
        _ => return None,
    };
    Some(queue.with(context, |tasks, now| {
        tasks.workers.forget(now);
        act(context, call, tasks, now)
    }))
}

fn no_queue(name: &str) -> Refusal {
    Refusal::not_found(format!("task queue {name} has no workers"))
}

fn worker(call: &RecordedCall) -> Worker {
    Worker { group: call.arg("workerGroup").to_owned(), id: call.arg("workerId").to_owned() }
}

fn find<'q>(
    tasks: &'q mut Tasks,
    task_queue: &str,
    worker: &Worker,
) -> Result<&'q mut Record, Refusal> {
    let found = tasks.workers.0.get_mut(task_queue).and_then(|workers| workers.get_mut(worker));
    found.ok_or_else(|| {
        Refusal::not_found(format!(
            "task queue {task_queue} has no worker {}/{}",
            worker.group, worker.id
        ))
    })
}

/// A page of what is known about provisioners or task queues.
fn list<'n>(
    context: &Context,
    call: &RecordedCall,
    property: &str,
    names: impl IntoIterator<Item = &'n str>,
    about: impl Fn(&str) -> Option<Value>,
) -> Result<Value, Refusal> {
    let items = names.into_iter().filter_map(|name| Some((name.to_owned(), about(name)?)));
    page(&context.token_key, call, property, items)
}

fn list_workers(
    context: &Context,
    call: &RecordedCall,
    tasks: &mut Tasks,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let wanted = call.query_value("quarantined").map(|wanted| wanted == "true");
    let workers = tasks.workers.0.get(&task_queue(call));
    let items = workers.into_iter().flatten().filter_map(|(worker, record)| {
        let quarantined = record.quarantine_until > now;
        if wanted.is_some_and(|wanted| wanted != quarantined) {
            return None;
        }
        let mut item = record.to_json(worker);
        if quarantined {
            item["quarantineUntil"] = json!(timestamp(record.quarantine_until));
        }
        if let Some(run) = record.recent.last() {
            item["latestTask"] = run.clone();
        }
        Some((format!("{}/{}", worker.group, worker.id), item))
    });
    page(&context.token_key, call, "workers", items)
}

fn quarantine(
    _: &Context,
    call: &RecordedCall,
    tasks: &mut Tasks,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let (name, worker) = (task_queue(call), worker(call));
    let until = date(call.payload(), "quarantineUntil")?;
    let record = find(tasks, &name, &worker)?;
    record.quarantine_until = until;
    let why = call.payload()["quarantineInfo"].as_str().filter(|why| !why.is_empty());
    record.quarantine.push(json!({
        "clientId": call.caller(), "quarantineInfo": why.unwrap_or("[unspecified]"),
        "quarantineUntil": timestamp(until), "updatedAt": timestamp(now),
    }));
    record.expires = record.expires.max(now + REMEMBERED);
    Ok(record.with_all(&name, &worker))
}

fn declare(
    _: &Context,
    call: &RecordedCall,
    tasks: &mut Tasks,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let (name, worker) = (task_queue(call), worker(call));
    let expires = date(call.payload(), "expires")?;
    let record = tasks.workers.record(&name, &worker, now);
    record.expires = expires;
    Ok(record.with_all(&name, &worker))
}
