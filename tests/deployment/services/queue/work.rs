//! Workers take tasks and report on them.

use std::time::Duration;

use chrono::TimeDelta;
use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::StatusCode;
use taskcluster::dates::to_json;

use crate::deployment::services::connected;
use crate::deployment::services::queue::{
    MINUTE, QUEUE, call, claim, claim_one, claim_work_is_empty, complete, create, heard, listen,
    names, run, status, task, time, worker,
};
use crate::deployment::{HOUR, with};
use crate::support::{as_time_passes, assert_api_error};

#[tokio::test]
async fn a_worker_claims_reclaims_and_completes() {
    let (fake, tc) = connected().await;
    let mut messages = listen(&fake);
    let id = create(&tc, &with(task(&fake), json!({"scopes": ["secrets:get:x"]}))).await;
    assert_eq!(names(&mut messages), ["task-defined", "task-pending"]);

    let claim = claim_one(&tc).await;
    assert_eq!(claim["status"]["taskId"], id);
    assert_eq!(claim["task"]["payload"], json!({"command": ["true"]}));
    let first = time(&claim["takenUntil"]);
    assert_eq!(claim["status"]["runs"][0]["takenUntil"], claim["takenUntil"]);
    assert!(first > fake.now() && first <= fake.now() + TimeDelta::minutes(20));
    assert_eq!(names(&mut messages), ["task-running"]);

    // Nobody else gets it.
    assert!(claim_work_is_empty(&tc).await);

    // The claim's own credentials are enough, and for nothing else.
    let its = worker(&fake, &claim);
    fake.advance(15 * MINUTE);
    let again = run(&its, "reclaimTask", &claim).0.await.unwrap();
    assert!(time(&again["takenUntil"]) >= first + TimeDelta::minutes(15));
    let its = worker(&fake, &again);
    let error = call(&its, "cancelTask").param("taskId", &id).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));

    fake.advance(15 * MINUTE);
    complete(&its, &again).await;
    // Said twice is said; another outcome is a conflict.
    complete(&its, &again).await;
    let error = run(&its, "reportFailed", &claim).0.await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "completed, not running");
    let status = status(&tc, &id).await;
    assert_eq!((&status["state"], &status["retriesLeft"]), (&json!("completed"), &json!(5)));
    assert_eq!(status["runs"][0]["reasonResolved"], "completed");
    let heard = names(&mut messages);
    assert_eq!(heard, ["task-completed", "task-group-resolved", "task-completed"]);
}

#[tokio::test]
async fn work_goes_by_priority_and_then_by_age() {
    let (fake, tc) = connected().await;
    let mut ids = Vec::new();
    for priority in ["low", "high", "low", "highest"] {
        ids.push(create(&tc, &with(task(&fake), json!({"priority": priority}))).await);
    }
    let other = with(task(&fake), json!({"taskQueueId": "prov/other"}));
    create(&tc, &other).await;
    let claimed: Vec<_> =
        claim(&tc, 3).await.iter().map(|claim| claim["status"]["taskId"].clone()).collect();
    assert_eq!(claimed, [&*ids[3], &ids[1], &ids[0]]);

    let answer = call(&tc, "taskQueueCounts").param("taskQueueId", QUEUE).await.unwrap();
    assert_eq!((&answer["pendingTasks"], &answer["claimedTasks"]), (&json!(1), &json!(3)));
    let queues = json!({"taskQueueIds": ["prov/other", QUEUE]});
    let batch = call(&tc, "taskQueueCountsBatch").payload(queues).await.unwrap();
    assert_eq!(batch["taskQueueCounts"][0]["pendingTasks"], 1);
    assert_eq!(batch["taskQueueCounts"][1], answer);
    let pending = call(&tc, "listPendingTasks").param("taskQueueId", QUEUE).await.unwrap();
    assert_eq!(pending["tasks"][0]["taskId"], ids[2]);
    let claimed = call(&tc, "listClaimedTasks").param("taskQueueId", QUEUE).query("limit", 2);
    let claimed: Vec<Value> = claimed.into_paged().unwrap().items().try_collect().await.unwrap();
    assert_eq!(claimed.len(), 3);
    // The one that was claimed first comes first; those of one call come as they were created.
    assert_eq!((&claimed[0]["taskId"], &claimed[0]["workerId"]), (&json!(ids[0]), &json!("w")));
}

#[tokio::test]
async fn priorities_of_tasks_and_groups_can_be_changed() {
    let (fake, tc) = connected().await;
    let first = create(&tc, &task(&fake)).await;
    let second = create(&tc, &task(&fake)).await;
    let mut messages = listen(&fake);
    let change = call(&tc, "changeTaskPriority").param("taskId", &second);
    let changed = change.payload(json!({"newPriority": "high"})).await.unwrap();
    assert_eq!(changed["status"]["priority"], "high");
    let change = call(&tc, "changeTaskGroupPriority").param("taskGroupId", &first);
    let changed = change.payload(json!({"newPriority": "low"})).await.unwrap();
    assert_eq!((&changed["tasksAffected"], &changed["taskIds"]), (&json!(1), &json!([first])));
    let heard = heard(&mut messages);
    assert_eq!(heard[0].0, "task-priority-changed");
    assert_eq!(
        (&heard[0].1["oldPriority"], &heard[0].1["newPriority"]),
        (&json!("lowest"), &json!("high"))
    );
    assert_eq!(
        (heard[1].0.as_str(), &heard[1].1["tasksAffected"]),
        ("task-group-priority-changed", &json!(1))
    );
    assert_eq!(claim_one(&tc).await["status"]["taskId"], second);
}

#[tokio::test]
async fn a_worker_that_waits_gets_the_task_that_appears() {
    let (fake, tc) = connected().await;
    fake.set_claim_wait(HOUR);
    let waiting = tokio::spawn({
        let tc = tc.clone();
        async move { claim_one(&tc).await }
    });
    fake.wait_for_calls("queue.claimWork", 1).await.unwrap();
    let id = create(&tc, &task(&fake)).await;
    assert_eq!(waiting.await.unwrap()["status"]["taskId"], id);
}

#[tokio::test]
async fn waiting_for_work_ends_when_the_clock_says_so() {
    let (fake, tc) = connected().await;
    // More than a real deployment waits, so it is as long as that.
    fake.set_claim_wait(HOUR);
    let waiting = tokio::spawn(async move { claim_work_is_empty(&tc).await });
    fake.wait_for_calls("queue.claimWork", 1).await.unwrap();
    assert!(as_time_passes(&fake, Duration::from_secs(20), waiting).await.unwrap());
}

#[tokio::test]
async fn waiting_for_work_ends_even_if_the_clock_is_set_back() {
    let (fake, tc) = connected().await;
    fake.set_claim_wait(Duration::from_millis(200));
    let waiting = tokio::spawn(async move { claim_work_is_empty(&tc).await });
    fake.wait_for_calls("queue.claimWork", 1).await.unwrap();
    fake.set_clock_offset(-86_400);
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn claims_are_as_long_as_the_test_says() {
    let (fake, tc) = connected().await;
    let length = |claim: &Value| time(&claim["takenUntil"]) - fake.now();
    for (set, least, most) in [
        (Duration::from_secs(30), TimeDelta::seconds(20), TimeDelta::seconds(30)),
        (Duration::ZERO, TimeDelta::seconds(-9), TimeDelta::seconds(1)),
        (Duration::MAX, TimeDelta::days(29), TimeDelta::days(30)),
    ] {
        fake.set_claim_length(set);
        create(&tc, &task(&fake)).await;
        let claim = claim_one(&tc).await;
        assert!(length(&claim) > least && length(&claim) <= most, "{set:?}: {claim}");
    }
    fake.set_claim_length(MINUTE);
    let id = create(&tc, &task(&fake)).await;
    let claim = claim_one(&tc).await;
    fake.advance(Duration::from_secs(50));
    run(&worker(&fake, &claim), "reclaimTask", &claim).0.await.unwrap();
    fake.advance(Duration::from_secs(50));
    assert_eq!(status(&tc, &id).await["state"], "running");
    fake.advance(Duration::from_secs(20));
    assert_eq!(status(&tc, &id).await["runs"][0]["reasonResolved"], "claim-expired");
}

#[tokio::test]
async fn a_run_is_claimed_by_name() {
    let (fake, tc) = connected().await;
    let id = create(&tc, &task(&fake)).await;
    let claim = |run: u64, worker: &str| {
        call(&tc, "claimTask")
            .param("taskId", &id)
            .param("runId", run)
            .payload(json!({"workerGroup": "g", "workerId": worker}))
    };
    let first = claim(0, "w").await.unwrap();
    assert_eq!(first["status"]["runs"][0]["workerId"], "w");
    assert_eq!(claim(0, "w").await.unwrap()["takenUntil"], first["takenUntil"]);
    let error = claim(0, "x").await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "running");
    let error = claim(1, "w").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "no run 1");
}

#[tokio::test]
async fn workers_are_remembered_and_put_into_quarantine() {
    let (fake, tc) = connected().await;
    let id = create(&tc, &task(&fake)).await;
    claim_one(&tc).await;
    let of_type =
        |name: &str| call(&tc, name).param("provisionerId", "prov").param("workerType", "work");
    let worker = |name: &str| of_type(name).param("workerGroup", "g").param("workerId", "w");
    let about = worker("getWorker").await.unwrap();
    assert_eq!(about["recentTasks"], json!([{"taskId": id, "runId": 0}]));
    let queues = call(&tc, "listTaskQueues").await.unwrap();
    assert_eq!(queues["taskQueues"][0]["taskQueueId"], QUEUE);
    call(&tc, "getTaskQueue").param("taskQueueId", QUEUE).await.unwrap();
    let types = call(&tc, "listWorkerTypes").param("provisionerId", "prov").await.unwrap();
    assert_eq!(types["workerTypes"][0]["workerType"], "work");
    of_type("getWorkerType").await.unwrap();
    let provisioners = call(&tc, "listProvisioners").await.unwrap();
    assert_eq!(provisioners["provisioners"][0]["provisionerId"], "prov");
    call(&tc, "getProvisioner").param("provisionerId", "prov").await.unwrap();

    let waiting = create(&tc, &task(&fake)).await;
    let until = to_json(fake.now() + TimeDelta::minutes(19));
    let quarantine = json!({"quarantineUntil": until, "quarantineInfo": "it smokes"});
    let about = worker("quarantineWorker").payload(quarantine).await.unwrap();
    assert_eq!(about["quarantineUntil"], until);
    // Only worker-manager tells why.
    assert_eq!(about.get("quarantineDetails"), None);
    assert!(claim_work_is_empty(&tc).await);
    let listed = async |quarantined: bool| {
        let page = of_type("listWorkers").query("quarantined", quarantined).await.unwrap();
        page["workers"].as_array().unwrap().clone()
    };
    assert_eq!(listed(true).await[0]["latestTask"]["taskId"], id);
    assert!(listed(false).await.is_empty());
    fake.advance(19 * MINUTE);
    assert_eq!(listed(false).await.len(), 1);
    assert_eq!(claim_one(&tc).await["status"]["taskId"], waiting);

    fake.advance(25 * HOUR);
    let error = worker("getWorker").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "g/w");
    let expires = to_json(fake.now() + TimeDelta::days(9));
    let declared = worker("declareWorker").payload(json!({"expires": expires}));
    assert_eq!(declared.await.unwrap()["recentTasks"], json!([]));
    fake.advance(8 * 24 * HOUR);
    worker("getWorker").await.unwrap();
}
