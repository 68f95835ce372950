//! Groups of tasks, and tasks that wait for others.

use chrono::TimeDelta;
use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::{Queue, StatusCode, slugid};

use crate::deployment::services::connected;
use crate::deployment::services::queue::{
    call, claim, claim_one, complete, create, heard, listen, run, state, task,
};
use crate::deployment::{BEGUN, TASK_ID, deployment, task_definition, with};
use crate::support::{assert_api_error, typed};

#[tokio::test]
async fn a_task_group_is_listed_in_pages() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let group = taskcluster::slugid::nice();
    let mut ids: Vec<_> = (0..5).map(|_| taskcluster::slugid::nice()).collect();
    for id in &ids {
        let mut task = task_definition();
        task["taskGroupId"] = json!(group);
        queue.create_task(id, &typed(&task)).await.unwrap();
    }
    queue.create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    fake.clear_calls();
    let tasks: Vec<Value> =
        queue.list_task_group(&group).limit(2).items_as().try_collect().await.unwrap();
    let mut found: Vec<_> =
        tasks.iter().map(|item| item["status"]["taskId"].as_str().unwrap().to_owned()).collect();
    // In the order of the database, which looks at letters before their case.
    let plain = |id: &String| id.to_lowercase().replace(['-', '_'], "");
    assert!(found.is_sorted_by_key(plain), "{found:?}");
    found.sort();
    ids.sort();
    assert_eq!(found, ids);
    assert!(tasks.iter().all(|item| item["task"]["taskGroupId"] == *group));
    assert_eq!(fake.calls().len(), 3);

    let page: Value = queue.list_task_group(&group).send_as().await.unwrap();
    assert_eq!((&page["taskGroupId"], &page["schedulerId"]), (&json!(group), &json!("-")));
    assert_eq!(page["expires"], to_json(*BEGUN + TimeDelta::days(366)));
    let error = queue.list_task_group(taskcluster::slugid::nice()).await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "does not exist");
}

#[tokio::test]
async fn a_task_group_has_one_scheduler() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    queue.create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    let mut task = task_definition();
    task["taskGroupId"] = json!(TASK_ID);
    task["schedulerId"] = json!("another");
    let error = queue.create_task(taskcluster::slugid::nice(), &typed(&task)).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "belongs to scheduler");
}

#[tokio::test]
async fn a_group_is_sealed_cancelled_and_resolved() {
    let (fake, tc) = connected().await;
    let group = slugid::nice();
    let member = with(task(&fake), json!({"taskGroupId": group}));
    let done = create(&tc, &member).await;
    let open = create(&tc, &member).await;
    complete(&tc, &claim_one(&tc).await).await;
    let of_group = |name| call(&tc, name).param("taskGroupId", &group);

    let error = of_group("cancelTaskGroup").await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "not sealed");
    let mut messages = listen(&fake);
    let sealed = of_group("sealTaskGroup").await.unwrap();
    assert_eq!(of_group("sealTaskGroup").await.unwrap(), sealed);
    assert_eq!(of_group("getTaskGroup").await.unwrap(), sealed);
    assert_eq!(of_group("listTaskGroup").await.unwrap()["sealed"], sealed["sealed"]);
    let another = call(&tc, "createTask").param("taskId", slugid::nice()).payload(&member);
    assert_api_error(
        &another.await.unwrap_err(),
        StatusCode::CONFLICT,
        "RequestConflict",
        "sealed",
    );
    let again = call(&tc, "createTask").param("taskId", &done).payload(&member);
    assert_eq!(again.await.unwrap_err().status(), Some(StatusCode::CONFLICT));

    let cancelled = of_group("cancelTaskGroup").await.unwrap();
    assert_eq!(
        cancelled,
        json!({"taskGroupId": group, "taskGroupSize": 2, "cancelledCount": 1, "taskIds": [open]})
    );
    assert_eq!(
        (state(&tc, &done).await, state(&tc, &open).await),
        ("completed".into(), "exception".into())
    );
    let heard = heard(&mut messages);
    let names: Vec<_> = heard.iter().map(|(name, _)| name.as_str()).collect();
    // What is sealed again is announced again.
    assert_eq!(
        names,
        ["task-group-sealed", "task-group-sealed", "task-exception", "task-group-resolved"]
    );
    assert_eq!(heard[3].1["taskGroupId"], group);
    let again = of_group("cancelTaskGroup").await.unwrap();
    assert_eq!(again["cancelledCount"], 0);
}

#[tokio::test]
async fn a_task_waits_for_those_it_depends_on() {
    let (fake, tc) = connected().await;
    let one = create(&tc, &task(&fake)).await;
    let two = create(&tc, &task(&fake)).await;
    let depends = |requires| json!({"dependencies": [one, two], "requires": requires});
    let strict = create(&tc, &with(task(&fake), depends("all-completed"))).await;
    let lax = create(&tc, &with(task(&fake), depends("all-resolved"))).await;
    assert_eq!(
        (state(&tc, &strict).await, state(&tc, &lax).await),
        ("unscheduled".into(), "unscheduled".into())
    );

    let claims = claim(&tc, 2).await;
    complete(&tc, &claims[0]).await;
    assert_eq!(state(&tc, &lax).await, "unscheduled");
    run(&tc, "reportFailed", &claims[1]).0.await.unwrap();
    assert_eq!(
        (state(&tc, &strict).await, state(&tc, &lax).await),
        ("unscheduled".into(), "pending".into())
    );

    // A task that failed may yet complete.
    let rerun = call(&tc, "rerunTask").param("taskId", &two).await.unwrap();
    assert_eq!(rerun["status"]["runs"][1]["reasonCreated"], "rerun");
    for claim in claim(&tc, 2).await {
        complete(&tc, &claim).await;
    }
    assert_eq!(state(&tc, &strict).await, "pending");

    // Of what is done already nobody needs to wait.
    let late = create(&tc, &with(task(&fake), depends("all-completed"))).await;
    assert_eq!(state(&tc, &late).await, "pending");

    let dependents = call(&tc, "listDependentTasks").param("taskId", &one).query("limit", 1);
    let dependents: Vec<Value> =
        dependents.into_paged().unwrap().items().try_collect().await.unwrap();
    assert_eq!(dependents.len(), 3);
}

#[tokio::test]
async fn dependencies_must_be_there() {
    let (fake, tc) = connected().await;
    let missing = slugid::nice();
    let wrong = with(task(&fake), json!({"dependencies": [missing]}));
    let id = slugid::nice();
    let create = |task: &Value| call(&tc, "createTask").param("taskId", &id).payload(task);
    let error = create(&wrong).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", &missing);
    // One that depends on itself waits until somebody schedules it.
    create(&with(task(&fake), json!({"dependencies": [id]}))).await.unwrap();
    assert_eq!(state(&tc, &id).await, "unscheduled");
    for _ in 0..2 {
        let scheduled = call(&tc, "scheduleTask").param("taskId", &id).await.unwrap();
        assert_eq!(scheduled["status"]["runs"].as_array().unwrap().len(), 1);
    }
    complete(&tc, &claim_one(&tc).await).await;
}
