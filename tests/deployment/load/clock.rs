use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::testing::Deployment;
use taskcluster::{Client, Hooks, Index, NamedCall, Queue, Reference, Secrets, slugid};

use super::assert_sound;
use crate::deployment::services::{complete, connected};
use crate::deployment::{metadata, task_of, with};

const YEAR: i64 = 365 * 86_400;

fn call(tc: &Client, reference: &'static Reference, name: &str) -> NamedCall {
    tc.call(reference, name).unwrap()
}

/// Creates what has times: a task that is claimed, one that waits, a secret, and a hook with a schedule.
async fn fill(fake: &Deployment, tc: &Client) -> [String; 2] {
    let done = complete(fake, tc, json!({})).await;
    let id = slugid::nice();
    let task = with(task_of(fake.now()), json!({"taskQueueId": "p/w"}));
    let queue = |name| call(tc, &Queue::REFERENCE, name);
    queue("createTask").param("taskId", &id).payload(task).await.unwrap();
    let worker = json!({"workerGroup": "g", "workerId": "w"});
    queue("claimTask").param("taskId", &id).param("runId", 0).payload(worker).await.unwrap();
    let expires = to_json(fake.now() + TimeDelta::hours(1));
    let secret = json!({"secret": {}, "expires": expires});
    let secrets = call(tc, &Secrets::REFERENCE, "set").param("name", &id);
    secrets.payload(secret).await.unwrap();
    let entry = json!({"taskId": id, "rank": 1, "data": {}, "expires": expires});
    let index = call(tc, &Index::REFERENCE, "insertTask").param("namespace", "a.b");
    index.payload(entry).await.unwrap();
    [done, id]
}

/// Makes calls about it, of which none may fail for a reason of the service's own.
async fn look(tc: &Client, ids: &[String; 2]) {
    let mut calls = vec![
        call(tc, &Secrets::REFERENCE, "list"),
        call(tc, &Secrets::REFERENCE, "get").param("name", &ids[1]),
        call(tc, &Hooks::REFERENCE, "listLastFires").param("hookGroupId", "g").param("hookId", "h"),
        call(tc, &Hooks::REFERENCE, "hook").param("hookGroupId", "g").param("hookId", "h"),
        call(tc, &Index::REFERENCE, "findTask").param("indexPath", "a.b"),
        call(tc, &Queue::REFERENCE, "listTaskQueues"),
    ];
    for id in ids {
        for name in ["task", "status", "listLatestArtifacts"] {
            calls.push(call(tc, &Queue::REFERENCE, name).param("taskId", id));
        }
        let claim = json!({"workerGroup": "g", "workerId": "w", "tasks": 1});
        calls.push(
            call(tc, &Queue::REFERENCE, "claimWork").param("taskQueueId", "p/w").payload(claim),
        );
    }
    for call in calls {
        let shown = format!("{call:?}");
        if let Err(error) = call.await {
            let status = error.status().unwrap_or_else(|| panic!("{shown}: {error}"));
            assert!(status.is_client_error(), "{shown}: {error}");
        }
    }
}

async fn hook(tc: &Client) {
    let mut about = metadata();
    about.as_object_mut().unwrap().remove("source");
    let task = json!({
        "taskQueueId": "p/w", "payload": {}, "metadata": metadata(),
        "created": {"$fromNow": "0 seconds"}, "deadline": {"$fromNow": "1 hour"},
    });
    let hook: Value = json!({"metadata": about, "task": task, "schedule": ["0 0 * * * *"]});
    let create = call(tc, &Hooks::REFERENCE, "createHook");
    create.param("hookGroupId", "g").param("hookId", "h").payload(hook).await.unwrap();
}

#[tokio::test]
async fn a_clock_that_jumps_breaks_nothing() {
    let (fake, tc) = connected().await;
    hook(&tc).await;
    let mut all = Vec::new();
    for offset in [0, 86_400, -86_400, 100 * YEAR, -100 * YEAR, i64::MAX, i64::MIN, 1, -YEAR, 0] {
        fake.set_clock_offset(offset);
        all.push(fill(&fake, &tc).await);
        for ids in &all {
            look(&tc, ids).await;
        }
        assert_sound(&fake, &tc).await;
    }
}

#[tokio::test]
async fn a_clock_that_runs_to_its_end_breaks_nothing() {
    let (fake, tc) = connected().await;
    hook(&tc).await;
    for step in
        [Duration::from_millis(1), Duration::from_secs(86_400), Duration::MAX, Duration::MAX]
    {
        let ids = fill(&fake, &tc).await;
        fake.advance(step);
        look(&tc, &ids).await;
        assert_sound(&fake, &tc).await;
    }
    // With both, it is as far from this machine's clock as it can be.
    for offset in [i64::MAX, i64::MIN] {
        fake.set_clock_offset(offset);
        let ids = fill(&fake, &tc).await;
        look(&tc, &ids).await;
        assert_sound(&fake, &tc).await;
    }
}
