//! The services of 2017, by the references of that time.

use chrono::TimeDelta;
use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::legacy::index::{ListNamespacesRequest, ListTasksRequest};
use taskcluster::legacy::{Auth, Hooks, Index, Notify, PurgeCache, Queue};
use taskcluster::testing::Deployment;
use taskcluster::{Client, NamedCall, Reference, from_now_json, legacy, slugid};

use crate::deployment::metadata;

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
async fn the_index_takes_its_options_as_a_payload() {
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
    for (namespace, child) in [("a", "a.b"), ("", "a")] {
        let list = index("listNamespaces").param("namespace", namespace).payload(json!({}));
        assert_eq!(list.await.unwrap()["namespaces"][0]["namespace"], child);
    }
}

#[tokio::test]
async fn the_index_is_paged_by_its_payload() {
    let (fake, tc) = deployment().await;
    let index = Index::new(&tc);
    for name in ["x", "y", "z"] {
        let entry = json!({
            "taskId": slugid::nice(), "rank": 1, "data": {},
            "expires": to_json(fake.now() + TimeDelta::hours(1)),
        });
        let insert =
            |path: String| call(&tc, &Index::REFERENCE, "insertTask").param("namespace", path);
        insert(format!("a.{name}")).payload(&entry).await.unwrap();
        insert(format!("a.{name}.task")).payload(&entry).await.unwrap();
    }
    fake.clear_calls();
    let mut request = ListTasksRequest::new();
    request.limit = Some(2);
    let tasks: Vec<_> = index.list_tasks("a", &request).items().try_collect().await.unwrap();
    let paths: Vec<_> = tasks.iter().map(|task| task.namespace.as_str()).collect();
    assert_eq!(paths, ["a.x", "a.y", "a.z"]);
    let payloads: Vec<_> = fake.calls().iter().map(|call| call.payload.clone().unwrap()).collect();
    assert_eq!(payloads[0], json!({"limit": 2}));
    assert_eq!(payloads[1]["limit"], 2);
    assert!(payloads[1]["continuationToken"].is_string());
    assert_eq!(payloads.len(), 2);

    let mut request = ListNamespacesRequest::new();
    request.limit = Some(1);
    let pages: Vec<_> = index.list_namespaces("a", &request).pages().try_collect().await.unwrap();
    let names: Vec<_> = pages.iter().map(|page| page.namespaces[0].name.as_str()).collect();
    assert_eq!(names, ["x", "y", "z"]);
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
        "metadata": metadata(),
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
async fn roles_caches_and_notifications_are_kept() {
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
async fn hooks_are_for_stubs() {
    let (_fake, tc) = deployment().await;
    let hook = call(&tc, &Hooks::REFERENCE, "hook").param("hookGroupId", "g").param("hookId", "h");
    assert_eq!(hook.await.unwrap_err().code(), Some("NotStubbed"));
}

struct Caller(Client);

impl Caller {
    /// Calls an endpoint that must answer as its reference says.
    async fn call(
        &self,
        reference: &'static Reference,
        name: &str,
        args: &[(&str, &str)],
        payload: Option<Value>,
    ) -> Value {
        let mut call = self.0.call(reference, name).unwrap().params(args.iter().copied());
        if let Some(payload) = payload {
            call = call.payload(payload);
        }
        call.send().await.unwrap_or_else(|error| panic!("{error}"))
    }
}

#[tokio::test]
async fn a_task_is_worked_through() {
    let fake = Deployment::start().await.unwrap();
    for reference in [
        &legacy::Auth::REFERENCE,
        &legacy::Index::REFERENCE,
        &legacy::Queue::REFERENCE,
        &legacy::Secrets::REFERENCE,
    ] {
        fake.serve(reference);
    }
    let caller = Caller(fake.connect_as("tester", ["*"]).unwrap());
    let queue = &legacy::Queue::REFERENCE;
    let id = slugid::nice();
    let task = [("taskId", id.as_str())];
    let run = [("taskId", id.as_str()), ("runId", "0")];
    let in_a_day = || from_now_json("1 day").unwrap();
    let definition = json!({
        "provisionerId": "prov", "workerType": "work", "created": from_now_json("0 seconds").unwrap(), "deadline": in_a_day(),
        "payload": {}, "routes": ["index.project.x"],
        "metadata": metadata(),
    });
    let created = caller.call(queue, "createTask", &task, Some(definition)).await;
    assert_eq!(created["status"]["state"], "pending");
    let read = caller.call(queue, "task", &task, None).await;
    assert_eq!((&read["provisionerId"], &read["workerType"]), (&json!("prov"), &json!("work")));
    caller.call(queue, "listTaskGroup", &[("taskGroupId", &id)], None).await;
    let worker = [("provisionerId", "prov"), ("workerType", "work")];
    caller.call(queue, "pendingTasks", &worker, None).await;
    let claim = json!({"tasks": 1, "workerGroup": "g", "workerId": "w"});
    let claimed = caller.call(queue, "claimWork", &worker, Some(claim)).await;
    assert_eq!(claimed["tasks"][0]["status"]["taskId"], *id);
    caller.call(queue, "reclaimTask", &run, None).await;
    let artifact = json!({
        "storageType": "reference", "expires": in_a_day(), "contentType": "text/plain", "url": "https://example.com/x",
    });
    let name = [("taskId", id.as_str()), ("runId", "0"), ("name", "public/x")];
    caller.call(queue, "createArtifact", &name, Some(artifact)).await;
    caller.call(queue, "listArtifacts", &run, None).await;
    let completed = caller.call(queue, "reportCompleted", &run, None).await;
    assert_eq!(completed["status"]["state"], "completed");
    caller.call(queue, "status", &task, None).await;
    let index = &legacy::Index::REFERENCE;
    let found = caller.call(index, "findTask", &[("indexPath", "project.x")], None).await;
    assert_eq!(found["taskId"], *id);

    let secrets = &legacy::Secrets::REFERENCE;
    let secret = json!({"secret": {}, "expires": in_a_day()});
    caller.call(secrets, "set", &[("name", "x")], Some(secret)).await;
    caller.call(secrets, "get", &[("name", "x")], None).await;
    caller.call(secrets, "list", &[], None).await;

    let auth = &legacy::Auth::REFERENCE;
    let client = json!({"description": "d", "expires": in_a_day(), "scopes": ["a"]});
    caller.call(auth, "createClient", &[("clientId", "x")], Some(client)).await;
    caller.call(auth, "client", &[("clientId", "x")], None).await;
    caller.call(auth, "listClients", &[], None).await;
    let role = json!({"description": "d", "scopes": ["b"]});
    caller.call(auth, "createRole", &[("roleId", "x")], Some(role)).await;
    caller.call(auth, "listRoles", &[], None).await;
    caller.call(auth, "currentScopes", &[], None).await;
    fake.assert_called("queue.createTask");
}
