//! What the embedded deployment answers and publishes is read by the generated types.

use chrono::TimeDelta;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::testing::Deployment;
use taskcluster::{Auth, Hooks, Index, Queue, QueueEvents, queue, queue_events, slugid};

#[tokio::test]
async fn answers_and_messages_are_typed() {
    let fake = Deployment::start().await.unwrap();
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    let mut messages = fake.listen(QueueEvents::task_completed()).unwrap();
    let (id, now) = (slugid::nice(), fake.now());
    let call = |name: &str| tc.call(&Queue::REFERENCE, name).unwrap().param("taskId", &id);
    let create = call("createTask").payload(json!({
        "taskQueueId": "p/w", "created": to_json(now), "deadline": to_json(now + TimeDelta::hours(1)),
        "payload": {"a": 1}, "routes": ["index.a.b"], "tags": {"kind": "test"},
        "metadata": {"name": "n", "description": "d", "owner": "o@example.com", "source": "https://example.com"},
    }));
    create.await.unwrap();
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
