//! What was read can be changed and sent back.

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use taskcluster::auth::{CreateClientRequest, CreateRoleRequest};
use taskcluster::dates::to_json;
use taskcluster::hooks::CreateHookRequest;
use taskcluster::legacy::queue::{QuarantineWorkerRequest, WorkerResponse};
use taskcluster::queue::{CreateTaskRequest, Task};
use taskcluster::testing::Deployment;
use taskcluster::worker_manager::{
    CreateWorkerPoolRequest, UpdateWorkerPoolRequest, WorkerPoolFull,
};
use taskcluster::{Auth, Hooks, Nullable, Queue, WorkerManager, slugid};

use crate::payloads::{EXPIRES, full, of_2017};
use crate::support::typed;

/// The members of a document that another one has, too.
fn common(document: &Value, with: &Value) -> Value {
    let members = document.as_object().unwrap().clone().into_iter();
    members.filter(|(name, _)| with.get(name).is_some()).collect()
}

#[test]
fn a_request_takes_over_all_that_it_has_in_common_with_an_answer() {
    let task = full("queue/v1/task.json");
    let request = CreateTaskRequest::from(&typed::<Task>(&task));
    assert_eq!(
        serde_json::to_value(&request).unwrap(),
        common(&task, &full("queue/v1/create-task-request.json"))
    );
    assert_eq!(request, typed(common(&task, &full("queue/v1/create-task-request.json"))));

    let pool = full("worker-manager/v1/worker-pool-full.json");
    let answer = typed::<WorkerPoolFull>(&pool);
    let shape = full("worker-manager/v1/update-worker-pool-request.json");
    let request = serde_json::to_value(UpdateWorkerPoolRequest::from(&answer)).unwrap();
    assert_eq!(request, common(&pool, &shape));
    let shape = full("worker-manager/v1/create-worker-pool-request.json");
    let request = serde_json::to_value(CreateWorkerPoolRequest::from(&answer)).unwrap();
    assert_eq!(request, common(&pool, &shape));
}

#[test]
fn null_and_absent_are_told_apart() {
    let mut request: QuarantineWorkerRequest = typed(json!({}));
    assert_eq!(request.quarantine_until, Nullable::Absent);
    let null = json!({"quarantineUntil": null});
    request.quarantine_until = Nullable::Null;
    assert_eq!(serde_json::to_value(&request).unwrap(), null);
    assert_eq!(typed::<QuarantineWorkerRequest>(&null), request);
    assert_eq!(request.clone(), request);
    request.quarantine_until = DateTime::UNIX_EPOCH.into();
    let text = "1970-01-01T00:00:00.000Z";
    assert_eq!(serde_json::to_value(&request).unwrap(), json!({"quarantineUntil": text}));
    request.quarantine_until = None.into();
    assert_eq!(serde_json::to_value(&request).unwrap(), json!({}));

    let mut worker = of_2017("queue/v1/worker-response.json");
    for until in [json!(null), json!(EXPIRES)] {
        worker["quarantineUntil"] = until.clone();
        let request = QuarantineWorkerRequest::from(&typed::<WorkerResponse>(&worker));
        assert_eq!(serde_json::to_value(&request).unwrap(), json!({"quarantineUntil": until}));
    }
}

#[test]
fn nullable_values_are_parts_of_a_programs_own_types() {
    #[derive(Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
    #[serde(default)]
    struct Change {
        #[serde(skip_serializing_if = "Nullable::is_absent")]
        name: Nullable<String>,
    }
    for (name, json) in [
        (Nullable::Absent, json!({})),
        (Nullable::Null, json!({"name": null})),
        ("x".to_owned().into(), json!({"name": "x"})),
    ] {
        let change = Change { name };
        assert_eq!(serde_json::to_value(&change).unwrap(), json);
        assert_eq!(typed::<Change>(&json), change);
    }
    let value = Nullable::Value(1);
    assert_eq!((value.as_ref(), value.into_value()), (Nullable::Value(&1), Some(1)));
    assert_eq!(Nullable::<i64>::from(None), Nullable::Absent);
    assert!(Nullable::<i64>::Null.is_null() && !Nullable::<i64>::Absent.is_null());
}

#[tokio::test]
async fn one_field_is_changed_and_sent_back() {
    let fake = Deployment::start().await.unwrap();
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    fake.role("hook-id:g/h", ["queue:*"]);

    let auth = Auth::new(&tc);
    fake.client("robot", "no-secret", ["a", "b"]);
    let before = auth.client("robot").await.unwrap();
    let mut client = CreateClientRequest::from(&before);
    client.description = "Newly described.".to_owned();
    let after = auth.update_client("robot", &client).await.unwrap();
    assert_eq!((&*after.description, after.scopes), ("Newly described.", before.scopes));

    fake.role("repo:x", ["a"]);
    let mut role = CreateRoleRequest::from(&auth.role("repo:x").await.unwrap());
    role.scopes.push("b".to_owned());
    assert_eq!(auth.update_role("repo:x", &role).await.unwrap().scopes, ["a", "b"]);

    let hooks = Hooks::new(&tc);
    let hook = json!({
        "metadata": {"name": "n", "description": "d", "owner": "o@example.com"},
        "schedule": ["0 0 1 * * *"], "task": {"$if": "true"},
        "triggerSchema": {"type": "object", "additionalProperties": false},
    });
    let before = hooks.create_hook("g", "h", &typed(&hook)).await.unwrap();
    let mut hook = CreateHookRequest::from(&hooks.hook("g", "h").await.unwrap());
    hook.metadata.name = "new".to_owned();
    let after = hooks.update_hook("g", "h", &hook).await.unwrap();
    assert_eq!(after.metadata.name, "new");
    assert_eq!((&after.task, &after.schedule), (&before.task, &before.schedule));
    assert_eq!(after.trigger_schema, before.trigger_schema);

    let queue = Queue::new(&tc);
    let mut task = full("queue/v1/create-task-request.json");
    let now = fake.now();
    let ids = [slugid::nice(), slugid::nice()];
    task = json!({
        "taskQueueId": "p/w", "payload": {"command": ["true"]}, "metadata": task["metadata"],
        "created": to_json(now), "deadline": to_json(now + TimeDelta::hours(1)), "tags": {"kind": "build"},
    });
    task["metadata"]["source"] = json!("https://example.com");
    queue.create_task(&ids[0], &typed(&task)).await.unwrap();
    let mut again = CreateTaskRequest::from(&queue.task(&ids[0]).await.unwrap());
    again.task_group_id = None;
    again.retries = Some(1);
    queue.create_task(&ids[1], &again).await.unwrap();
    let again = queue.task(&ids[1]).await.unwrap();
    assert_eq!((again.retries, &again.tags["kind"][..]), (1, "build"));
    assert_eq!(again.task_group_id, ids[1]);

    // The worker manager is not built in.
    let manager = WorkerManager::new(&tc);
    let endpoint = |name| WorkerManager::REFERENCE.endpoint(name);
    let mut pool = full("worker-manager/v1/worker-pool-full.json");
    (pool["workerPoolId"], pool["providerId"]) = (json!("p/w"), json!("static"));
    pool["owner"] = json!("o@example.com");
    fake.on(endpoint("workerPool")).reply(pool.clone());
    fake.on(endpoint("updateWorkerPool")).reply(pool);
    let mut request = UpdateWorkerPoolRequest::from(&manager.worker_pool("p/w").await.unwrap());
    request.email_on_error = false;
    manager.update_worker_pool("p/w", &request).await.unwrap();
    let sent = fake.calls().pop().unwrap().payload.unwrap();
    assert_eq!((&sent["emailOnError"], &sent["owner"]), (&json!(false), &json!("o@example.com")));
}
