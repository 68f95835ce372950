//! The embedded deployment's state by the references of 2017.

use chrono::TimeDelta;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::legacy::{Auth, Hooks, Index, Notify, PurgeCache, Queue};
use taskcluster::testing::Deployment;
use taskcluster::{Client, NamedCall, Reference, slugid};

async fn deployment() -> (Deployment, Client) {
    let fake = Deployment::start().await.unwrap();
    for reference in [
        &Auth::REFERENCE,
        &Hooks::REFERENCE,
        &Index::REFERENCE,
        &Notify::REFERENCE,
        &PurgeCache::REFERENCE,
    ] {
        fake.serve(reference);
    }
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    (fake, tc)
}

fn call(tc: &Client, reference: &'static Reference, name: &str) -> NamedCall {
    tc.call(reference, name).unwrap()
}

#[tokio::test]
async fn the_index_of_2017_takes_its_options_as_a_payload() {
    let (fake, tc) = deployment().await;
    let index = |name| call(&tc, &Index::REFERENCE, name);
    let expires = to_json(fake.now() + TimeDelta::hours(1));
    for path in ["a.x", "a.y", "a.b.x"] {
        let entry = json!({"taskId": slugid::nice(), "rank": 1, "data": {}, "expires": expires});
        index("insertTask").param("namespace", path).payload(entry).await.unwrap();
    }
    let list = |payload: Value| index("listTasks").param("namespace", "a").payload(payload);
    let first = list(json!({"limit": 1})).await.unwrap();
    assert_eq!(first["tasks"][0]["namespace"], "a.x");
    let token = &first["continuationToken"];
    let second = list(json!({"limit": 1, "continuationToken": token})).await.unwrap();
    assert_eq!(second["tasks"][0]["namespace"], "a.y");
    assert_eq!(second.get("continuationToken"), None);
    let namespaces = index("listNamespaces").param("namespace", "a").payload(json!({}));
    assert_eq!(namespaces.await.unwrap()["namespaces"][0]["namespace"], "a.b");
}

#[tokio::test]
async fn tasks_are_defined_and_then_scheduled() {
    let (fake, tc) = deployment().await;
    fake.serve(&Queue::REFERENCE);
    let (id, now) = (slugid::nice(), fake.now());
    let queue = |name| call(&tc, &Queue::REFERENCE, name).param("taskId", &id);
    let task = json!({
        "provisionerId": "prov", "workerType": "work", "priority": "normal",
        "created": to_json(now), "deadline": to_json(now + TimeDelta::hours(1)), "payload": {},
        "metadata": {"name": "n", "description": "d", "owner": "o@example.com", "source": "https://example.com"},
    });
    let defined = queue("defineTask").payload(&task).await.unwrap();
    assert_eq!(defined["status"]["state"], "unscheduled");
    assert_eq!(queue("createTask").payload(&task).await.unwrap(), defined);
    assert_eq!(queue("task").await.unwrap()["priority"], "lowest");
    let modest = ["queue:create-task:*", "queue:scheduler-id:*"];
    let modest = fake.connect_as("modest", modest).unwrap();
    let create = |task: &Value| {
        call(&modest, &Queue::REFERENCE, "createTask").param("taskId", slugid::nice()).payload(task)
    };
    create(&task).await.unwrap();
    let mut more = task.clone();
    more["routes"] = json!(["a.b"]);
    let error = create(&more).await.unwrap_err();
    assert_eq!(error.code(), Some("InsufficientScopes"));
    assert!(error.message().contains("queue:route:a.b"), "{error}");
    let scheduled = queue("scheduleTask").await.unwrap();
    assert_eq!(scheduled["status"]["state"], "pending");
}

#[tokio::test]
async fn roles_caches_and_notifications_of_2017() {
    let (fake, tc) = deployment().await;
    let role = |name| call(&tc, &Auth::REFERENCE, name).param("roleId", "r");
    let definition = json!({"description": "d", "scopes": ["a"]});
    let created = role("createRole").payload(definition).await.unwrap();
    assert_eq!(created["expandedScopes"], json!(["a", "assume:r"]));
    assert_eq!(role("role").await.unwrap(), created);
    let all = call(&tc, &Auth::REFERENCE, "listRoles").await.unwrap();
    assert!(all.as_array().unwrap().contains(&created));

    let purge = |name| {
        let call = call(&tc, &PurgeCache::REFERENCE, name);
        call.param("provisionerId", "p").param("workerType", "w")
    };
    purge("purgeCache").payload(json!({"cacheName": "c"})).await.unwrap();
    let requests: Value = purge("purgeRequests").await.unwrap();
    assert_eq!(requests["requests"][0]["cacheName"], "c");

    let mail = json!({"address": "a@example.com", "subject": "s", "content": "c"});
    call(&tc, &Notify::REFERENCE, "email").payload(mail).await.unwrap();
    assert_eq!(fake.notifications()[0].address, "a@example.com");
}

#[tokio::test]
async fn hooks_of_2017_are_for_stubs() {
    let (_fake, tc) = deployment().await;
    let hook = call(&tc, &Hooks::REFERENCE, "hook").param("hookGroupId", "g").param("hookId", "h");
    assert_eq!(hook.await.unwrap_err().code(), Some("NotStubbed"));
}
