//! Hooks make tasks: when they are triggered, by their schedule, and by messages.

use chrono::{DateTime, Datelike as _, TimeDelta, Timelike as _, Utc, Weekday};
use serde_json::{Value, json};
use taskcluster::testing::Deployment;
use taskcluster::{Client, Hooks, HooksEvents, NamedCall, Queue, StatusCode};

use crate::deployment::services::{all, call, complete, connected};
use crate::deployment::{HOUR, metadata, with};
use crate::support::assert_api_error;

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
    let (fake, tc) = connected().await;
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
    let message = "the role `hook-id:group/hook` does not have the scopes";
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", message);
    assert!(error.message().contains("queue:scheduler-id:hooks"), "{error}");
    let why = hooks(&tc, "getHookStatus").await.unwrap()["lastFire"]["error"].take();
    assert_eq!((&why["statusCode"], &why["code"]), (&json!(403), &json!("InsufficientScopes")));
    assert_eq!(why["body"]["requestInfo"]["method"], "createTask");
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
    let error = hooks(&tc, "listLastFires").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "never fired");
    let id = complete(&fake, &tc, json!({"routes": ["notify.x"]})).await;
    let fires = all(hooks(&tc, "listLastFires")).await;
    assert_eq!(fires.len(), 1);
    assert_eq!((&fires[0]["firedBy"], &fires[0]["error"]), (&json!("pulseMessage"), &json!("")));
    let task = call(&tc, &Queue::REFERENCE, "task").param("taskId", &fires[0]["taskId"]);
    assert_eq!(task.await.unwrap()["payload"], json!({"after": id, "by": "pulseMessage"}));
}

#[tokio::test]
async fn a_hook_is_created_changed_listed_and_removed() {
    let (fake, tc) = connected().await;
    let mut messages = fake
        .listen(HooksEvents::hook_created())
        .and_then(|all| all.bind(HooksEvents::hook_updated()))
        .and_then(|all| all.bind(HooksEvents::hook_deleted()))
        .unwrap();
    let created = hooks(&tc, "createHook").payload(hook()).await.unwrap();
    assert_eq!((&created["hookId"], created.get("bindings")), (&json!("hook"), None));
    assert_eq!(created["metadata"]["emailOnError"], true);
    assert_eq!(hooks(&tc, "hook").await.unwrap()["bindings"], json!([]));
    // It may be created again only if its bindings are given.
    let error = hooks(&tc, "createHook").payload(hook()).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "group/hook");
    let complete = with(hook(), json!({"bindings": []}));
    hooks(&tc, "createHook").payload(complete).await.unwrap();
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
    assert_eq!(kinds, ["created", "created", "updated", "deleted"]);
}
