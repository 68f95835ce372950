//! Whatever a service answers or publishes is what its reference says.

use chrono::TimeDelta;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::testing::{Deployment, RecordedCall};
use taskcluster::{
    Auth, Endpoint, Hooks, Index, Method, Queue, QueueEvents, Secrets, StatusCode, from_now_json,
    queue, queue_events, slugid,
};

use crate::deployment::{TASK_ID, deployment, send, task_definition, task_of, with};
use crate::references::PREBUILT;
use crate::support::plain;

#[tokio::test]
async fn every_service_says_that_it_is_up_and_what_it_is() {
    let fake = deployment().await;
    let services = [
        "auth",
        "github",
        "hooks",
        "index",
        "notify",
        "object",
        "purge-cache",
        "queue",
        "secrets",
        "web-server",
        "worker-manager",
    ];
    for service in services {
        let (status, answer) =
            send(plain().get(format!("{}/api/{service}/v1/ping", fake.root_url()))).await;
        assert_eq!((status, &answer["alive"]), (StatusCode::OK, &json!(true)), "{service}");
        for beat in ["__heartbeat__", "__lbheartbeat__"] {
            let beat = format!("{}/api/{service}/v1/{beat}", fake.root_url());
            assert_eq!(send(plain().get(beat)).await, (StatusCode::OK, json!({})), "{service}");
        }
        let version = format!("{}/api/{service}/v1/__version__", fake.root_url());
        let (_, version) = send(plain().get(version)).await;
        let parts: Vec<_> = version.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(parts, ["build", "commit", "source", "version"]);
        assert_eq!(version["version"], "v114.0.0", "{service}");
    }
}

#[tokio::test]
async fn answers_and_messages_are_typed() {
    let fake = Deployment::start().await.unwrap();
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    let mut messages = fake.listen(QueueEvents::task_completed()).unwrap();
    let (id, now) = (slugid::nice(), fake.now());
    let call = |name: &str| tc.call(&Queue::REFERENCE, name).unwrap().param("taskId", &id);
    let task = json!({
        "taskQueueId": "p/w", "payload": {"a": 1}, "routes": ["index.a.b"], "tags": {"kind": "test"},
    });
    call("createTask").payload(with(task_of(now), task)).await.unwrap();
    let queue = Queue::new(&tc);
    assert_eq!(queue.status(&id).await.unwrap().status.state, queue::TaskState::Pending);
    let pending = queue.list_pending_tasks("p/w").await.unwrap();
    assert_eq!(pending.tasks[0].task_id, id);
    let worker = json!({"workerGroup": "g", "workerId": "w"});
    call("claimTask").param("runId", 0).payload(worker).await.unwrap();
    assert_eq!(queue.list_claimed_tasks("p/w").await.unwrap().tasks[0].worker_id, "w");
    let reclaimed = queue.reclaim_task(&id, 0).await.unwrap();
    assert!(reclaimed.taken_until > now);
    let artifact = json!({
        "storageType": "reference", "contentType": "a/b", "url": "https://example.com/x",
        "expires": to_json(now + TimeDelta::hours(1)),
    });
    let create = call("createArtifact").param("runId", 0).param("name", "public/x");
    create.payload(artifact).await.unwrap();
    assert_eq!(queue.list_latest_artifacts(&id).await.unwrap().artifacts[0].name, "public/x");
    queue.latest_artifact(&id, "public/x").await.unwrap();
    queue.report_completed(&id, 0).await.unwrap();
    let task = queue.task(&id).await.unwrap();
    assert_eq!(task.payload.decode::<Value>().unwrap(), json!({"a": 1}));
    assert_eq!(queue.list_task_group(&id).await.unwrap().tasks.len(), 1);
    assert_eq!(queue.task_queue_counts("p/w").await.unwrap().pending_tasks, 0);
    let message: queue_events::TaskCompletedMessage =
        messages.next().await.unwrap().decode().unwrap();
    assert_eq!(message.status.task_id, id);

    assert_eq!(Index::new(&tc).find_task("a.b").await.unwrap().task_id, id);
    let auth = Auth::new(&tc);
    assert_eq!(auth.client("tester").await.unwrap().scopes, ["*"]);
    assert_eq!(auth.role("anonymous").await.unwrap().role_id, "anonymous");
    assert_eq!(auth.list_clients().await.unwrap().clients.len(), 1);
    assert!(Hooks::new(&tc).list_hook_groups().await.unwrap().groups.is_empty());
}

#[tokio::test]
async fn what_is_built_in_answers_as_the_references_say() {
    let fake = Deployment::start().await.unwrap();
    fake.role("r", ["a"]);
    let client = fake.connect_as("tester", ["*"]).unwrap();
    let send = async |reference, name: &str, args: &[(&str, &str)], payload: Value| {
        let call = client.call(reference, name).unwrap().params(args.iter().copied());
        call.payload(payload).send().await.unwrap_or_else(|error| panic!("{error}"))
    };
    let (task_id, run) = (("taskId", TASK_ID), ("runId", "0"));
    let definition = with(task_definition(), json!({"routes": ["index.a.b"]}));
    send(&Queue::REFERENCE, "createTask", &[task_id], definition).await;
    let claim = json!({"workerGroup": "g", "workerId": "w", "tasks": 1});
    send(&Queue::REFERENCE, "claimWork", &[("taskQueueId", "prov/work")], claim).await;
    let expires = from_now_json("1 hour").unwrap();
    let artifact = json!({"storageType": "error", "reason": "file-missing-on-worker", "message": "m", "expires": expires});
    send(&Queue::REFERENCE, "createArtifact", &[task_id, run, ("name", "a")], artifact).await;
    let entry = json!({"taskId": TASK_ID, "rank": 1, "data": {}, "expires": expires});
    send(&Index::REFERENCE, "insertTask", &[("namespace", "a.b")], entry).await;
    let secret = json!({"secret": {}, "expires": expires});
    send(&Secrets::REFERENCE, "set", &[("name", "a")], secret).await;
    fake.clear_calls();

    for reference in PREBUILT {
        let reads = |endpoint: &&Endpoint| endpoint.method == Method::GET;
        for endpoint in reference.endpoints.iter().filter(reads) {
            let mut call = client.call(reference, endpoint.name).unwrap();
            for name in endpoint.args {
                let value = match *name {
                    "taskId" | "taskGroupId" => TASK_ID,
                    "runId" => "0",
                    "taskQueueId" => "prov/work",
                    "provisionerId" => "prov",
                    "workerType" => "work",
                    "workerGroup" => "g",
                    "workerId" => "w",
                    "clientId" => "tester",
                    "roleId" => "r",
                    "indexPath" => "a.b",
                    _ => "a",
                };
                call = call.param(name, value);
            }
            // Whether it is built in, or has what it is asked for, does not matter here.
            let _ = call.send().await;
        }
    }
    let calls = fake.calls();
    let misfits: Vec<_> =
        calls.iter().filter(|call| call.status.is_none_or(|s| s.is_server_error())).collect();
    assert_eq!(misfits.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
    let answered = |call: &&RecordedCall| {
        call.endpoint.output.is_some() && call.status == Some(StatusCode::OK)
    };
    let answered: Vec<_> = calls.iter().filter(answered).map(ToString::to_string).collect();
    assert!(answered.len() > 30, "{}: {answered:#?}", answered.len());
}
