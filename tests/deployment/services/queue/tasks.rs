//! What a task is made of, and what is asked about it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::{Queue, StatusCode, slugid};

use crate::deployment::services::connected;
use crate::deployment::services::queue::{call, create, task};
use crate::deployment::{BEGUN, HOUR, TASK_ID, deployment, task_definition, with};
use crate::support::{assert_api_error, typed};

#[tokio::test]
async fn a_task_gets_its_defaults() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let created: Value =
        queue.create_task(TASK_ID, &typed(task_definition())).send_as().await.unwrap();
    let scheduled = created["status"]["runs"][0]["scheduled"].clone();
    assert_eq!(
        created,
        json!({"status": {
            "taskId": TASK_ID, "provisionerId": "prov", "workerType": "work", "taskQueueId": "prov/work",
            "schedulerId": "-", "projectId": "none", "taskGroupId": TASK_ID, "priority": "lowest",
            "deadline": to_json(*BEGUN + TimeDelta::days(1)), "expires": to_json(*BEGUN + TimeDelta::days(366)),
            "retriesLeft": 5,
            "state": "pending",
            "runs": [{"runId": 0, "state": "pending", "reasonCreated": "scheduled", "scheduled": scheduled}],
        }})
    );
    let status: Value = queue.status(TASK_ID).send_as().await.unwrap();
    assert_eq!(status, created);

    let mut expected = task_definition();
    let defaults = json!({
        "provisionerId": "prov", "workerType": "work", "schedulerId": "-", "projectId": "none",
        "taskGroupId": TASK_ID, "dependencies": [], "requires": "all-completed", "routes": [], "scopes": [],
        "priority": "lowest", "retries": 5, "tags": {}, "extra": {},
        "expires": to_json(*BEGUN + TimeDelta::days(366)),
    });
    expected.as_object_mut().unwrap().extend(defaults.as_object().unwrap().clone());
    let task: Value = queue.task(TASK_ID).send_as().await.unwrap();
    assert_eq!(task, expected);
}

#[tokio::test]
async fn the_same_task_may_be_created_again_and_another_may_not() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let created: Value =
        queue.create_task(TASK_ID, &typed(task_definition())).send_as().await.unwrap();
    let mut same = task_definition();
    same["retries"] = json!(5);
    let elsewhere = chrono::FixedOffset::east_opt(3600).unwrap();
    same["created"] = json!(
        to_json(*BEGUN).parse::<DateTime<Utc>>().unwrap().with_timezone(&elsewhere).to_rfc3339()
    );
    same["provisionerId"] = json!("prov");
    same["workerType"] = json!("work");
    let again: Value = queue.create_task(TASK_ID, &typed(&same)).send_as().await.unwrap();
    assert_eq!(again, created);
    let mut other = task_definition();
    other["payload"] = json!({"command": ["false"]});
    let error = queue.create_task(TASK_ID, &typed(&other)).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", TASK_ID);
    let task: Value = queue.task(TASK_ID).send_as().await.unwrap();
    assert_eq!(task["payload"], json!({"command": ["true"]}));
}

#[tokio::test]
async fn a_task_that_makes_no_sense_is_refused() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let changes = [
        ("deadline", json!("2025-01-01T00:00:00.000Z"), "`deadline` is before `created`"),
        ("taskQueueId", json!(null), "`taskQueueId`"),
        ("workerType", json!("other"), "`taskQueueId` does not match"),
    ];
    for (name, value, message) in changes {
        let mut task = task_definition();
        task[name] = value;
        task.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let error = queue.create_task(TASK_ID, &typed(&task)).await.unwrap_err();
        assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", message);
    }
}

#[tokio::test]
async fn an_unknown_task_is_not_found() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    for error in [
        queue.status(TASK_ID).await.unwrap_err(),
        queue.task(TASK_ID).await.unwrap_err(),
        queue.cancel_task(TASK_ID).await.unwrap_err(),
    ] {
        assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", TASK_ID);
    }
}

#[tokio::test]
async fn a_task_is_of_its_time() {
    let (fake, tc) = connected().await;
    let now = fake.now();
    let at = |hours| to_json(now + TimeDelta::hours(hours));
    for (fields, message) in [
        (json!({"created": at(-1)}), "more than 15 minutes ago"),
        (json!({"created": at(1)}), "more than 15 minutes ahead"),
        (json!({"deadline": at(6 * 24)}), "more than 5 days ahead"),
        (json!({"expires": at(1)}), "`expires` is before `deadline`"),
    ] {
        let create = call(&tc, "createTask").param("taskId", slugid::nice());
        let error = create.payload(with(task(&fake), fields)).await.unwrap_err();
        assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", message);
    }
    // A program's own clock goes on as ever while the deployment's is ahead.
    let made = task(&fake);
    fake.advance(HOUR);
    create(&tc, &made).await;
    fake.advance(HOUR);
    let error = call(&tc, "createTask").param("taskId", slugid::nice()).payload(made).await;
    assert_api_error(
        &error.unwrap_err(),
        StatusCode::BAD_REQUEST,
        "InputError",
        "`deadline` is past",
    );
}

#[tokio::test]
async fn many_tasks_are_asked_for_at_once() {
    let (fake, tc) = connected().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(create(&tc, &task(&fake)).await);
    }
    ids.sort();
    let wanted = json!({"taskIds": [ids[2], ids[0], slugid::nice(), ids[1]]});
    for (name, item, part) in [("tasks", "tasks", "task"), ("statuses", "statuses", "status")] {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let mut page = call(&tc, name).payload(&wanted).query("limit", 2);
            if let Some(token) = &token {
                page = page.query("continuationToken", token);
            }
            let page = page.await.unwrap();
            for one in page[item].as_array().unwrap() {
                assert!(one[part].is_object());
                found.push(one["taskId"].as_str().unwrap().to_owned());
            }
            token = page["continuationToken"].as_str().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        found.sort();
        assert_eq!(found, ids);
    }
}
