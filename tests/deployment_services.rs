//! The embedded deployment's smaller services: index, hooks, objects, caches, notifications, secrets.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike as _, TimeDelta, Timelike as _, Utc, Weekday};
use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::reqwest::header::CONTENT_TYPE;
use taskcluster::testing::Deployment;
use taskcluster::{
    Client, Hooks, HooksEvents, Index, NamedCall, Notify, NotifyEvents, Object, PurgeCache, Queue,
    Reference, Secrets, StatusCode, slugid,
};

use crate::{assert_api_error, plain};

const HOUR: Duration = Duration::from_secs(3600);

async fn deployment() -> (Deployment, Client) {
    let fake = Deployment::start().await.unwrap();
    fake.client("tester", "no-secret", ["*"]);
    fake.set_claim_wait(Duration::ZERO);
    let tc = fake.connect("tester").unwrap();
    (fake, tc)
}

fn call(tc: &Client, reference: &'static Reference, name: &str) -> NamedCall {
    tc.call(reference, name).unwrap()
}

async fn all(call: NamedCall) -> Vec<Value> {
    call.query("limit", 1).into_paged().unwrap().items().try_collect().await.unwrap()
}

fn metadata() -> Value {
    json!({"name": "n", "description": "d", "owner": "o@example.com", "source": "https://example.com"})
}

/// Creates a task with these fields, and completes it.
async fn complete(fake: &Deployment, tc: &Client, fields: Value) -> String {
    let (id, now) = (slugid::nice(), fake.now());
    let mut task = json!({
        "taskQueueId": "p/w", "created": to_json(now), "deadline": to_json(now + TimeDelta::hours(1)),
        "payload": {}, "metadata": metadata(),
    });
    task.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let queue = |name| call(tc, &Queue::REFERENCE, name);
    queue("createTask").param("taskId", &id).payload(task).await.unwrap();
    let worker = json!({"workerGroup": "g", "workerId": "w"});
    queue("claimTask").param("taskId", &id).param("runId", 0).payload(worker).await.unwrap();
    let artifact = json!({
        "storageType": "reference", "contentType": "a/b", "url": "https://example.com/log",
        "expires": to_json(now + TimeDelta::hours(1)),
    });
    for name in ["public/log", "private/log"] {
        let create = queue("createArtifact").param("taskId", &id).param("runId", 0);
        create.param("name", name).payload(&artifact).await.unwrap();
    }
    queue("reportCompleted").param("taskId", &id).param("runId", 0).await.unwrap();
    id
}

// The index

fn index(tc: &Client, name: &str) -> NamedCall {
    call(tc, &Index::REFERENCE, name)
}

#[tokio::test]
async fn completed_tasks_are_found_by_their_routes() {
    let (fake, tc) = deployment().await;
    let ranked = |rank| json!({"routes": ["index.a.b.c", "x.y"], "extra": {"index": {"rank": rank, "data": {"n": rank}}}});
    let first = complete(&fake, &tc, ranked(2)).await;
    let found = async || index(&tc, "findTask").param("indexPath", "a.b.c").await.unwrap();
    let entry = found().await;
    assert_eq!((&entry["taskId"], &entry["rank"]), (&json!(first), &json!(2)));
    assert_eq!((&entry["data"], &entry["namespace"]), (&json!({"n": 2}), &json!("a.b.c")));
    // A lower rank does not count, an equal one does.
    complete(&fake, &tc, ranked(1)).await;
    assert_eq!(found().await["taskId"], first);
    let equal = complete(&fake, &tc, ranked(2)).await;
    assert_eq!(found().await["taskId"], equal);
    let error = index(&tc, "findTask").param("indexPath", "x.y").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "x.y");

    let artifact = |name: &str| {
        index(&tc, "findArtifactFromTask").param("indexPath", "a.b.c").param("name", name)
    };
    let location = async |name: &str| {
        let answer = artifact(name).into_call().send_raw().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    // What the deployment signs it signs by its own clock.
    fake.set_clock_offset(20 * 60);
    let public = location("public/log").await;
    assert_eq!(
        public,
        format!("{}/api/queue/v1/task/{equal}/artifacts/public%2Flog", fake.root_url())
    );
    // That of a private artifact is signed, and so good for anybody.
    let private = location("private/log").await;
    assert!(private.contains("bewit="));
    for url in [public, private] {
        let answer = plain().get(url).send().await.unwrap();
        assert_eq!(answer.headers()["location"], "https://example.com/log");
    }
}

#[tokio::test]
async fn tasks_are_indexed_by_hand_and_listed() {
    let (fake, tc) = deployment().await;
    let expires = to_json(fake.now() + TimeDelta::hours(1));
    let id = slugid::nice();
    let insert = |path: &str, rank: u32| {
        let entry = json!({"taskId": id, "rank": rank, "data": {}, "expires": expires});
        index(&tc, "insertTask").param("namespace", path).payload(entry)
    };
    for path in ["a.x", "a.y", "a.b.x", "a.b.y", "a.c.d.x", "b"] {
        insert(path, 1).await.unwrap();
    }
    assert_eq!(insert("b", 0).await.unwrap()["rank"], json!(1));
    let names = |items: Vec<Value>, name: &str| -> Vec<String> {
        items.iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
    };
    let tasks = all(index(&tc, "listTasks").param("namespace", "a")).await;
    assert_eq!(names(tasks, "namespace"), ["a.x", "a.y"]);
    let namespaces = all(index(&tc, "listNamespaces").param("namespace", "a")).await;
    assert_eq!(names(namespaces.clone(), "namespace"), ["a.b", "a.c"]);
    assert_eq!(names(namespaces, "name"), ["b", "c"]);
    let wanted = json!({"indexes": ["b", "a.b.y", "nowhere"]});
    let found = index(&tc, "findTasksAtIndex").payload(&wanted).await.unwrap();
    assert_eq!(names(found["tasks"].as_array().unwrap().clone(), "namespace"), ["a.b.y", "b"]);
    let limited = fake.connect_as("limited", ["index:find-task:b"]).unwrap();
    let error = index(&limited, "findTasksAtIndex").payload(&wanted).await.unwrap_err();
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", "index:find-task:a.b.y");

    index(&tc, "deleteTask").param("namespace", "a.x").await.unwrap();
    let error = index(&tc, "findTask").param("indexPath", "a.x").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    fake.advance(HOUR);
    let error = index(&tc, "findTask").param("indexPath", "b").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    assert!(all(index(&tc, "listTasks").param("namespace", "a")).await.is_empty());
}

// Hooks

fn hooks(tc: &Client, name: &str) -> NamedCall {
    call(tc, &Hooks::REFERENCE, name).param("hookGroupId", "group").param("hookId", "hook")
}

fn hook() -> Value {
    json!({
        "metadata": {"name": "n", "description": "d", "owner": "o@example.com"},
        "triggerSchema": {
            "type": "object", "additionalProperties": false,
            "properties": {"branch": {"type": "string"}, "skip": {"type": "boolean"}},
        },
        "task": {
            "$if": "!('skip' in payload)",
            "then": {
                "taskQueueId": "p/w", "schedulerId": "hooks", "metadata": metadata(),
                "deadline": {"$fromNow": "2 hours"},
                "payload": {"branch": "${payload.branch}", "by": "${firedBy}"},
            },
        },
    })
}

/// A deployment with a hook whose role allows its task.
async fn with_hook() -> (Deployment, Client) {
    let (fake, tc) = deployment().await;
    let scopes = [
        "queue:create-task:lowest:p/w",
        "queue:create-task:project:none",
        "queue:scheduler-id:hooks",
    ];
    fake.role("hook-id:group/*", scopes);
    hooks(&tc, "createHook").payload(hook()).await.unwrap();
    (fake, tc)
}

#[tokio::test]
async fn a_hook_makes_a_task() {
    let (fake, tc) = with_hook().await;
    fake.advance(24 * HOUR);
    assert_eq!(
        hooks(&tc, "getHookStatus").await.unwrap(),
        json!({"lastFire": {"result": "no-fire"}})
    );
    let fired = hooks(&tc, "triggerHook").payload(json!({"branch": "main"})).await.unwrap();
    let queue = |name| call(&tc, &Queue::REFERENCE, name).param("taskId", &fired["taskId"]);
    let task = queue("task").await.unwrap();
    assert_eq!(task["payload"], json!({"branch": "main", "by": "triggerHook"}));
    assert_eq!(task["taskGroupId"], fired["taskId"]);
    // It is of the deployment's time.
    assert_eq!(queue("status").await.unwrap()["status"]["state"], "pending");

    let wrong = hooks(&tc, "triggerHook").payload(json!({"branch": 1})).await.unwrap_err();
    assert_api_error(&wrong, StatusCode::BAD_REQUEST, "InputError", "/branch");
    let nothing = hooks(&tc, "triggerHook").payload(json!({"skip": true})).await.unwrap();
    assert_eq!(nothing, json!({}));
    let broken = hooks(&tc, "triggerHook").payload(json!({})).await.unwrap_err();
    assert_api_error(&broken, StatusCode::BAD_REQUEST, "InputError", "branch");

    let fires = hooks(&tc, "listLastFires");
    let fires = all(fires).await;
    assert_eq!(fires.len(), 2);
    assert_eq!((&fires[0]["result"], &fires[0]["taskState"]), (&json!("error"), &json!("unknown")));
    assert_eq!(
        (&fires[1]["taskId"], &fires[1]["taskState"]),
        (&fired["taskId"], &json!("pending"))
    );
    let status = hooks(&tc, "getHookStatus").await.unwrap();
    assert_eq!(status["lastFire"]["result"], "error");
}

#[tokio::test]
async fn a_hook_may_do_what_its_role_may() {
    let (fake, tc) = with_hook().await;
    fake.role("hook-id:group/*", ["queue:create-task:lowest:p/w"]);
    let error = hooks(&tc, "triggerHook").payload(json!({"branch": "main"})).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "queue:scheduler-id:hooks");
    // Whoever makes a hook must have its role.
    let modest = fake.connect_as("modest", ["hooks:*"]).unwrap();
    let error = hooks(&modest, "updateHook").payload(hook()).await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::FORBIDDEN,
        "InsufficientScopes",
        "assume:hook-id:group/hook",
    );
}

#[tokio::test]
async fn a_hook_is_triggered_with_its_token() {
    let (fake, tc) = with_hook().await;
    let token = hooks(&tc, "getTriggerToken").await.unwrap();
    assert_eq!(hooks(&tc, "getTriggerToken").await.unwrap(), token);
    let anybody = fake.anonymous().unwrap();
    let trigger = |token: &Value| {
        hooks(&anybody, "triggerHookWithToken")
            .param("token", token)
            .payload(json!({"branch": "b"}))
    };
    trigger(&token["token"]).await.unwrap();
    let new = hooks(&tc, "resetTriggerToken").await.unwrap();
    let error = trigger(&token["token"]).await.unwrap_err();
    assert_api_error(&error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", "token");
    trigger(&new["token"]).await.unwrap();
}

#[tokio::test]
async fn a_hook_fires_by_its_schedule() {
    let (fake, tc) = with_hook().await;
    let mut nightly = hook();
    nightly["schedule"] = json!(["0 30 3 * * *", "0 15 * * 1"]);
    nightly["task"]["$if"] = json!("firedBy == 'schedule'");
    nightly["task"]["then"]["payload"] = json!({"at": {"$fromNow": "0 seconds"}});
    hooks(&tc, "updateHook").payload(nightly).await.unwrap();
    let next = async || {
        let status = hooks(&tc, "getHookStatus").await.unwrap();
        status["nextScheduledDate"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap()
    };
    let first = next().await;
    assert!(first > fake.now() && first <= fake.now() + TimeDelta::days(1));

    fake.advance(7 * 24 * HOUR);
    // Every night, and once more on Monday.
    let fires = all(hooks(&tc, "listLastFires")).await;
    assert_eq!(fires.len(), 8);
    assert!(fires.iter().all(|fire| fire["firedBy"] == "schedule" && fire["error"] == ""));
    let times = fires
        .iter()
        .map(|fire| fire["taskCreateTime"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap());
    let times: Vec<_> = times.collect();
    assert_eq!(times.iter().filter(|time| (time.hour(), time.minute()) == (3, 30)).count(), 7);
    let monday = times.iter().find(|time| time.hour() == 15).unwrap();
    assert_eq!((monday.weekday(), monday.minute()), (Weekday::Mon, 0));
    // Their tasks were of those times, and some are over by now.
    let states: Vec<_> = fires.iter().map(|fire| fire["taskState"].as_str().unwrap()).collect();
    assert_eq!(states[7], "exception");
    assert!(next().await > fake.now());
}

#[tokio::test]
async fn a_hook_is_fired_by_messages() {
    let (fake, tc) = with_hook().await;
    let mut bound = hook();
    bound["bindings"] = json!([{
        "exchange": "exchange/taskcluster-queue/v1/task-completed", "routingKeyPattern": "route.notify.#",
    }]);
    bound["task"]["then"]["payload"] =
        json!({"after": "${payload.status.taskId}", "by": "${firedBy}"});
    hooks(&tc, "updateHook").payload(bound).await.unwrap();
    complete(&fake, &tc, json!({"routes": ["other.x"]})).await;
    assert!(all(hooks(&tc, "listLastFires")).await.is_empty());
    let id = complete(&fake, &tc, json!({"routes": ["notify.x"]})).await;
    let fires = all(hooks(&tc, "listLastFires")).await;
    assert_eq!(fires.len(), 1);
    assert_eq!((&fires[0]["firedBy"], &fires[0]["error"]), (&json!("pulseMessage"), &json!("")));
    let task = call(&tc, &Queue::REFERENCE, "task").param("taskId", &fires[0]["taskId"]);
    assert_eq!(task.await.unwrap()["payload"], json!({"after": id, "by": "pulseMessage"}));
}

#[tokio::test]
async fn a_hook_lives_its_life() {
    let (fake, tc) = deployment().await;
    let mut messages = fake
        .listen(HooksEvents::hook_created())
        .and_then(|all| all.bind(HooksEvents::hook_updated()))
        .and_then(|all| all.bind(HooksEvents::hook_deleted()))
        .unwrap();
    let created = hooks(&tc, "createHook").payload(hook()).await.unwrap();
    assert_eq!((&created["hookId"], &created["bindings"]), (&json!("hook"), &json!([])));
    assert_eq!(created["metadata"]["emailOnError"], true);
    assert_eq!(hooks(&tc, "createHook").payload(hook()).await.unwrap(), created);
    let mut other = hook();
    other["metadata"]["name"] = json!("other");
    let error = hooks(&tc, "createHook").payload(&other).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "group/hook");
    hooks(&tc, "updateHook").payload(&other).await.unwrap();
    assert_eq!(hooks(&tc, "hook").await.unwrap()["metadata"]["name"], "other");
    for (field, value) in [
        ("schedule", json!(["noon"])),
        ("hookId", json!("another")),
        ("triggerSchema", json!({"type": "nonsense"})),
    ] {
        let mut wrong = hook();
        wrong[field] = value;
        let error = hooks(&tc, "updateHook").payload(wrong).await.unwrap_err();
        assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", field);
    }
    let groups = call(&tc, &Hooks::REFERENCE, "listHookGroups").await.unwrap();
    assert_eq!(groups, json!({"groups": ["group"]}));
    let list = call(&tc, &Hooks::REFERENCE, "listHooks").param("hookGroupId", "group");
    assert_eq!(list.await.unwrap()["hooks"].as_array().unwrap().len(), 1);

    hooks(&tc, "removeHook").await.unwrap();
    let error = hooks(&tc, "hook").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "group/hook");
    let kinds = messages.take();
    let kinds: Vec<_> =
        kinds.iter().map(|message| message.exchange.rsplit_once('-').unwrap().1).collect();
    assert_eq!(kinds, ["created", "updated", "deleted"]);
}

// Objects

#[tokio::test]
async fn objects_are_put_and_got_by_url() {
    let (fake, tc) = deployment().await;
    let object = |name| call(&tc, &Object::REFERENCE, name).param("name", "a/b");
    let (upload_id, expires) = (slugid::nice(), to_json(fake.now() + TimeDelta::hours(1)));
    let upload = |id: &str, methods: Value| {
        object("createUpload").payload(json!({
            "projectId": "p", "uploadId": id, "expires": expires, "proposedUploadMethods": methods,
        }))
    };
    assert_eq!(upload(&upload_id, json!({})).await.unwrap()["uploadMethod"], json!({}));
    let put = json!({"putUrl": {"contentType": "text/plain", "contentLength": 5}});
    let created = upload(&upload_id, put.clone()).await.unwrap();
    let method = &created["uploadMethod"]["putUrl"];
    assert_eq!(method["headers"], json!({"Content-Type": "text/plain", "Content-Length": "5"}));
    let error = upload(&slugid::nice(), put).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "a/b");

    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let finish = |hash: &str| {
        let hashes = json!({"sha256": hash});
        let finish = json!({"projectId": "p", "uploadId": upload_id, "hashes": hashes});
        object("finishUpload").payload(finish)
    };
    let error = finish(sha256).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "nothing was uploaded");
    let url = method["url"].as_str().unwrap();
    let wrong = plain().put(url).header(CONTENT_TYPE, "text/html").body("hello").send().await;
    assert_eq!(wrong.unwrap().status(), StatusCode::BAD_REQUEST);
    let sent = plain().put(url).header(CONTENT_TYPE, "text/plain").body("hello").send().await;
    assert_eq!(sent.unwrap().status(), StatusCode::OK);

    let start =
        |methods: Value| object("startDownload").payload(json!({"acceptDownloadMethods": methods}));
    let error = start(json!({"simple": true})).await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "a/b");
    finish(sha256).await.unwrap();
    let error = finish(&sha256.replace('2', "3")).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::CONFLICT));

    let got = start(json!({"simple": true, "getUrl": true})).await.unwrap();
    assert_eq!((&got["method"], &got["hashes"]["sha256"]), (&json!("getUrl"), &json!(sha256)));
    let content = plain().get(got["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(content.headers()[CONTENT_TYPE], "text/plain");
    assert_eq!(content.text().await.unwrap(), "hello");
    let error = start(json!({})).await.unwrap_err();
    assert_eq!(
        (error.status(), error.code()),
        (Some(StatusCode::NOT_ACCEPTABLE), Some("NoMatchingMethod"))
    );
    let direct = object("download").into_call().send_raw().await.unwrap();
    assert_eq!(direct.status(), StatusCode::SEE_OTHER);
    assert_eq!(direct.headers()["location"], got["url"].as_str().unwrap());
    let about = object("object").await.unwrap();
    assert_eq!((&about["projectId"], &about["hashes"]["sha256"]), (&json!("p"), &json!(sha256)));

    fake.advance(HOUR);
    let error = object("object").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "a/b");
}

#[tokio::test]
async fn small_objects_come_with_the_call() {
    let (fake, tc) = deployment().await;
    let object = |name| call(&tc, &Object::REFERENCE, name).param("name", "small");
    let (upload_id, expires) = (slugid::nice(), to_json(fake.now() + TimeDelta::hours(1)));
    let methods = json!({
        "dataInline": {"contentType": "a/b", "objectData": STANDARD.encode("tiny")},
        "putUrl": {"contentType": "a/b", "contentLength": 4},
    });
    let upload = json!({"projectId": "p", "uploadId": upload_id, "expires": expires, "proposedUploadMethods": methods});
    let created = object("createUpload").payload(upload).await.unwrap();
    assert_eq!(created["uploadMethod"], json!({"dataInline": true}));
    let finish = json!({"projectId": "p", "uploadId": upload_id});
    object("finishUpload").payload(finish).await.unwrap();
    let start = json!({"acceptDownloadMethods": {"simple": true}});
    let got = object("startDownload").payload(start).await.unwrap();
    assert_eq!(got["method"], "simple");
    let content = plain().get(got["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(content.text().await.unwrap(), "tiny");
}

// Caches

#[tokio::test]
async fn caches_are_purged() {
    let (fake, tc) = deployment().await;
    let purge = |cache: &str| {
        let purge = call(&tc, &PurgeCache::REFERENCE, "purgeCache").param("workerPoolId", "p/w");
        purge.payload(json!({"cacheName": cache}))
    };
    let of_pool =
        || call(&tc, &PurgeCache::REFERENCE, "purgeRequests").param("workerPoolId", "p/w");
    purge("old").await.unwrap();
    fake.advance(HOUR);
    let since = to_json(fake.now());
    purge("new").await.unwrap();
    let requests = of_pool().await.unwrap()["requests"].clone();
    let names: Vec<_> =
        requests.as_array().unwrap().iter().map(|request| &request["cacheName"]).collect();
    assert_eq!(names, ["new", "old"]);
    let newer = of_pool().query("since", &since).await.unwrap();
    assert_eq!(newer["requests"].as_array().unwrap().len(), 1);
    assert_eq!(newer["requests"][0]["cacheName"], "new");
    assert_eq!(all(call(&tc, &PurgeCache::REFERENCE, "allPurgeRequests")).await.len(), 2);
    let other = call(&tc, &PurgeCache::REFERENCE, "purgeRequests").param("workerPoolId", "p/x");
    assert_eq!(other.await.unwrap(), json!({"requests": []}));
    // Asking again moves the time forward.
    purge("old").await.unwrap();
    let newer = of_pool().query("since", &since).await.unwrap();
    assert_eq!(newer["requests"].as_array().unwrap().len(), 2);
    let error = of_pool().query("since", "yesterday").await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "yesterday");
}

// Notifications

#[tokio::test]
async fn notifications_are_kept() {
    let (fake, tc) = deployment().await;
    let notify = |name| call(&tc, &Notify::REFERENCE, name);
    let mut messages = fake.listen(NotifyEvents::notify().topic("a.#")).unwrap();
    let mail = json!({"address": "a@example.com", "subject": "s", "content": "c"});
    notify("email").payload(&mail).await.unwrap();
    notify("pulse").payload(json!({"routingKey": "a.b", "message": {"x": 1}})).await.unwrap();
    notify("matrix").payload(json!({"roomId": "!r:example.com", "body": "b"})).await.unwrap();
    notify("slack").payload(json!({"channelId": "C1", "text": "t"})).await.unwrap();
    let sent: Vec<_> =
        fake.notifications().into_iter().map(|sent| (sent.kind, sent.address)).collect();
    let expected = [
        ("email", "a@example.com"),
        ("pulse", "a.b"),
        ("matrix-room", "!r:example.com"),
        ("slack-channel", "C1"),
    ];
    assert_eq!(sent, expected.map(|(kind, address)| (kind, address.to_owned())));
    let message = messages.next().await.unwrap();
    assert_eq!(message.routing_key, "primary.a.b");
    assert_eq!(message.payload["message"], json!({"x": 1}));

    let address = json!({"notificationType": "email", "notificationAddress": "a@example.com"});
    notify("addDenylistAddress").payload(&address).await.unwrap();
    assert_eq!(json!(all(notify("listDenylist")).await), json!([address]));
    let error = notify("email").payload(&mail).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "DenylistedAddress", "a@example.com");
    assert_eq!(fake.notifications().len(), 4);
    notify("deleteDenylistAddress").payload(&address).await.unwrap();
    notify("email").payload(&mail).await.unwrap();
    assert_eq!(fake.notifications().len(), 5);
}

// Secrets

#[tokio::test]
async fn a_secret_expires_by_the_deployments_clock() {
    let (fake, tc) = deployment().await;
    let secrets = |name| call(&tc, &Secrets::REFERENCE, name).param("name", "x");
    let set = |hours| json!({"secret": {"a": 1}, "expires": to_json(fake.now() + TimeDelta::hours(hours))});
    secrets("set").payload(set(2)).await.unwrap();
    fake.advance(HOUR);
    assert_eq!(secrets("get").await.unwrap()["secret"], json!({"a": 1}));
    fake.advance(HOUR);
    let error = secrets("get").await.unwrap_err();
    assert_api_error(&error, StatusCode::GONE, "ResourceExpired", "expired");
    secrets("set").payload(set(1)).await.unwrap();
    secrets("get").await.unwrap();
}
