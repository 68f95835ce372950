//! The queue's record of workers and their task queues.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::task::Worker;
use crate::testing::http::answer::timestamp;

/// How long a worker is remembered after its last claim.
pub(super) const REMEMBERED: TimeDelta = TimeDelta::days(1);

/// How long ago the quarantine of a new worker ended.
const LONG_AGO: TimeDelta = TimeDelta::days(3650);

/// How many of a worker's runs are remembered.
const RECENT: usize = 20;

/// All workers, by task queue and then by name.
#[derive(Default)]
pub(super) struct Workers(pub(super) BTreeMap<String, BTreeMap<Worker, Record>>);

pub(super) struct Record {
    pub(super) first: DateTime<Utc>,
    pub(super) last: DateTime<Utc>,
    pub(super) expires: DateTime<Utc>,
    /// Tasks and runs, the latest last.
    pub(super) recent: Vec<Value>,
    /// Changes of its quarantine, the latest last.
    pub(super) quarantine: Vec<Value>,
    /// In the past if it is not quarantined.
    pub(super) quarantine_until: DateTime<Utc>,
}

impl Record {
    fn new(now: DateTime<Utc>) -> Self {
        let (expires, quarantine_until) = (now + REMEMBERED, now - LONG_AGO);
        let (recent, quarantine) = (Vec::new(), Vec::new());
        Self { first: now, last: now, expires, recent, quarantine, quarantine_until }
    }

    pub(super) fn to_json(&self, worker: &Worker) -> Value {
        json!({
            "workerGroup": worker.group, "workerId": worker.id, "firstClaim": timestamp(self.first),
            "lastDateActive": timestamp(self.last),
        })
    }

    pub(super) fn with_all(&self, task_queue: &str, worker: &Worker) -> Value {
        let (provisioner, worker_type) = task_queue.split_once('/').unwrap_or((task_queue, ""));
        let mut json = self.to_json(worker);
        json["taskQueueId"] = json!(task_queue);
        json["provisionerId"] = json!(provisioner);
        json["workerType"] = json!(worker_type);
        json["expires"] = json!(timestamp(self.expires));
        json["recentTasks"] = json!(self.recent);
        json["quarantineUntil"] = json!(timestamp(self.quarantine_until));
        json
    }
}

impl Workers {
    pub(super) fn forget(&mut self, now: DateTime<Utc>) {
        for workers in self.0.values_mut() {
            workers.retain(|_, record| record.expires > now || record.quarantine_until > now);
        }
        self.0.retain(|_, workers| !workers.is_empty());
    }

    pub(super) fn record(
        &mut self,
        task_queue: &str,
        worker: &Worker,
        now: DateTime<Utc>,
    ) -> &mut Record {
        let workers = self.0.entry(task_queue.to_owned()).or_default();
        workers.entry(worker.clone()).or_insert_with(|| Record::new(now))
    }

    pub(super) fn task_queues(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn task_queues_of(&self, provisioner: &str) -> impl Iterator<Item = &str> {
        let is_of = move |name: &&str| name.split_once('/').is_some_and(|(p, _)| p == provisioner);
        self.task_queues().filter(is_of)
    }

    /// Records that a worker asks for tasks, and returns whether it may have any.
    pub(super) fn seen(&mut self, task_queue: &str, worker: &Worker, now: DateTime<Utc>) -> bool {
        let record = self.record(task_queue, worker, now);
        record.last = now;
        record.expires = record.expires.max(now + REMEMBERED);
        record.quarantine_until <= now
    }

    /// Records a run that a worker has claimed.
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

    /// Returns when one or more task queues were last active, and when they expire.
    fn activity<'a>(&self, task_queues: impl Iterator<Item = &'a str>) -> Option<Value> {
        let records: Vec<_> = task_queues.flat_map(|name| self.0[name].values()).collect();
        let last = records.iter().map(|record| record.last).max()?;
        let expires = records.iter().map(|record| record.expires).max()?;
        Some(json!({
            "lastDateActive": timestamp(last), "expires": timestamp(expires), "description": "",
            "stability": "experimental",
        }))
    }

    pub(super) fn about_provisioner(&self, provisioner: &str) -> Option<Value> {
        let mut about = self.activity(self.task_queues_of(provisioner))?;
        about["provisionerId"] = json!(provisioner);
        Some(about)
    }

    pub(super) fn about_task_queue(&self, name: &str) -> Option<Value> {
        let mut about = self.activity(self.task_queues().filter(|known| *known == name))?;
        about["taskQueueId"] = json!(name);
        Some(about)
    }

    pub(super) fn about_worker_type(&self, name: &str) -> Option<Value> {
        let mut about = self.about_task_queue(name)?;
        let (provisioner, worker_type) = name.split_once('/')?;
        about["provisionerId"] = json!(provisioner);
        about["workerType"] = json!(worker_type);
        Some(about)
    }
}
