//! The embedded deployment's queue, in whole stories: workers, dependencies, deadlines, retries, artifacts.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::testing::{Deployment, Messages};
use taskcluster::{Client, Credentials, NamedCall, Object, Queue, QueueEvents, StatusCode, slugid};

use crate::assert_api_error;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
const QUEUE: &str = "prov/work";

/// A deployment, a client that may do anything, and what the queue publishes about tasks.
async fn deployment() -> (Deployment, Client) {
    let fake = Deployment::start().await.unwrap();
    fake.client("tester", "no-secret", ["*"]);
    fake.set_claim_wait(Duration::ZERO);
    let tc = fake.connect("tester").unwrap();
    (fake, tc)
}

fn task(fake: &Deployment) -> Value {
    let now = fake.now();
    json!({
        "taskQueueId": QUEUE,
        "created": to_json(now),
        "deadline": to_json(now + TimeDelta::hours(2)),
        "payload": {"command": ["true"]},
        "metadata": {"name": "n", "description": "d", "owner": "o@example.com", "source": "https://example.com"},
    })
}

fn with(mut task: Value, fields: Value) -> Value {
    task.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    task
}

fn call(tc: &Client, name: &str) -> NamedCall {
    tc.call(&Queue::REFERENCE, name).unwrap()
}

async fn create(tc: &Client, task: &Value) -> String {
    let id = slugid::nice();
    call(tc, "createTask").param("taskId", &id).payload(task).await.unwrap();
    id
}

async fn status(tc: &Client, id: &str) -> Value {
    call(tc, "status").param("taskId", id).await.unwrap()["status"].clone()
}

async fn state(tc: &Client, id: &str) -> String {
    status(tc, id).await["state"].as_str().unwrap().to_owned()
}

/// Claims up to so many tasks.
async fn claim(tc: &Client, tasks: u64) -> Vec<Value> {
    let payload = json!({"workerGroup": "g", "workerId": "w", "tasks": tasks});
    let answer = call(tc, "claimWork").param("taskQueueId", QUEUE).payload(payload).await.unwrap();
    answer["tasks"].as_array().unwrap().clone()
}

async fn claim_one(tc: &Client) -> Value {
    let mut claims = claim(tc, 1).await;
    assert_eq!(claims.len(), 1);
    claims.remove(0)
}

/// A client with the credentials of a claim.
fn worker(fake: &Deployment, claim: &Value) -> Client {
    let credentials = Credentials::from_json(&claim["credentials"].to_string()).unwrap();
    fake.builder().unwrap().credentials(credentials).build().unwrap()
}

fn run<'c>(tc: &Client, name: &str, claim: &'c Value) -> (NamedCall, &'c str) {
    let id = claim["status"]["taskId"].as_str().unwrap();
    (call(tc, name).param("taskId", id).param("runId", claim["runId"].as_u64().unwrap()), id)
}

async fn complete(tc: &Client, claim: &Value) {
    run(tc, "reportCompleted", claim).0.await.unwrap();
}

async fn except(tc: &Client, claim: &Value, reason: &str) -> Value {
    let report = run(tc, "reportException", claim).0.payload(json!({"reason": reason}));
    report.await.unwrap()["status"].clone()
}

/// The exchanges' names, and what else counts, of all messages so far.
fn heard(messages: &mut Messages) -> Vec<(String, Value)> {
    let messages = messages.take().into_iter();
    messages
        .map(|message| {
            let name = message.exchange.rsplit_once('/').unwrap().1.to_owned();
            (name, message.payload)
        })
        .collect()
}

fn names(messages: &mut Messages) -> Vec<String> {
    heard(messages).into_iter().map(|(name, _)| name).collect()
}

fn listen(fake: &Deployment) -> Messages {
    fake.listen(QueueEvents::task_defined())
        .and_then(|all| all.bind(QueueEvents::task_pending()))
        .and_then(|all| all.bind(QueueEvents::task_running()))
        .and_then(|all| all.bind(QueueEvents::task_completed()))
        .and_then(|all| all.bind(QueueEvents::task_failed()))
        .and_then(|all| all.bind(QueueEvents::task_exception()))
        .and_then(|all| all.bind(QueueEvents::task_group_resolved()))
        .and_then(|all| all.bind(QueueEvents::task_group_sealed()))
        .and_then(|all| all.bind(QueueEvents::task_priority_changed()))
        .and_then(|all| all.bind(QueueEvents::task_group_priority_changed()))
        .and_then(|all| all.bind(QueueEvents::artifact_created()))
        .unwrap()
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_worker_claims_reclaims_and_completes() {
    let (fake, tc) = deployment().await;
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
    assert_eq!(names(&mut messages), ["task-completed", "task-group-resolved"]);
}

async fn claim_work_is_empty(tc: &Client) -> bool {
    claim(tc, 32).await.is_empty()
}

#[tokio::test]
async fn work_goes_by_priority_and_then_by_age() {
    let (fake, tc) = deployment().await;
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
    assert_eq!(
        (&batch["taskQueueCounts"][0]["pendingTasks"], &batch["taskQueueCounts"][1]),
        (&json!(1), &answer)
    );
    let pending = call(&tc, "listPendingTasks").param("taskQueueId", QUEUE).await.unwrap();
    assert_eq!(pending["tasks"][0]["taskId"], ids[2]);
    let claimed = call(&tc, "listClaimedTasks").param("taskQueueId", QUEUE).query("limit", 2);
    let claimed: Vec<Value> = claimed.into_paged().unwrap().items().try_collect().await.unwrap();
    assert_eq!(claimed.len(), 3);
    assert_eq!((&claimed[0]["taskId"], &claimed[0]["workerId"]), (&json!(ids[3]), &json!("w")));
}

#[tokio::test]
async fn a_worker_that_waits_gets_the_task_that_appears() {
    let (fake, tc) = deployment().await;
    fake.set_claim_wait(HOUR);
    let waiting = tokio::spawn({
        let tc = tc.clone();
        async move { claim_one(&tc).await }
    });
    while fake.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    let id = create(&tc, &task(&fake)).await;
    assert_eq!(waiting.await.unwrap()["status"]["taskId"], id);
}

#[tokio::test]
async fn waiting_for_work_ends_when_the_clock_says_so() {
    let (fake, tc) = deployment().await;
    fake.set_claim_wait(HOUR);
    let waiting = tokio::spawn(async move { claim_work_is_empty(&tc).await });
    while fake.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    while !waiting.is_finished() {
        fake.advance(Duration::from_secs(20));
        tokio::task::yield_now().await;
    }
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn a_claim_runs_out_and_the_task_is_tried_again_until_no_retry_is_left() {
    let (fake, tc) = deployment().await;
    let task = with(task(&fake), json!({"retries": 1}));
    let id = create(&tc, &task).await;
    let mut messages = listen(&fake);
    let claim = claim_one(&tc).await;
    fake.advance(20 * MINUTE);
    let error = run(&worker(&fake, &claim), "reclaimTask", &claim).0.await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "exception, not running");
    let status = status(&tc, &id).await;
    assert_eq!((&status["state"], &status["retriesLeft"]), (&json!("pending"), &json!(0)));
    let (first, second) = (&status["runs"][0], &status["runs"][1]);
    assert_eq!(
        (&first["state"], &first["reasonResolved"]),
        (&json!("exception"), &json!("claim-expired"))
    );
    // Everything happens at its time, not when somebody looks.
    assert_eq!(first["resolved"], claim["takenUntil"]);
    assert_eq!(
        (&second["reasonCreated"], &second["scheduled"]),
        (&json!("retry"), &claim["takenUntil"])
    );
    assert_eq!(names(&mut messages), ["task-running", "task-pending"]);

    claim_one(&tc).await;
    fake.advance(20 * MINUTE);
    assert_eq!(state(&tc, &id).await, "exception");
    assert_eq!(names(&mut messages), ["task-running", "task-exception", "task-group-resolved"]);

    // The credentials of a claim end, too.
    fake.advance(HOUR);
    let error = run(&worker(&fake, &claim), "reclaimTask", &claim).0.await.unwrap_err();
    assert_api_error(&error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", "expired");
}

#[tokio::test]
async fn an_exception_is_tried_again_where_its_reason_allows() {
    let (fake, tc) = deployment().await;
    for (reason, again) in [
        ("worker-shutdown", Some("retry")),
        ("intermittent-task", Some("task-retry")),
        ("malformed-payload", None),
        ("resource-unavailable", None),
        ("internal-error", None),
    ] {
        let id = create(&tc, &task(&fake)).await;
        let claim = claim_one(&tc).await;
        let status = except(&tc, &claim, reason).await;
        assert_eq!(status["runs"][0]["reasonResolved"], reason);
        match again {
            Some(created) => {
                assert_eq!(status["runs"][1]["reasonCreated"], created);
                assert_eq!(
                    (&status["state"], &status["retriesLeft"]),
                    (&json!("pending"), &json!(4))
                );
                complete(&tc, &claim_one(&tc).await).await;
                assert_eq!(state(&tc, &id).await, "completed");
            }
            None => assert_eq!(
                (&status["state"], &status["retriesLeft"]),
                (&json!("exception"), &json!(5))
            ),
        }
    }
}

#[tokio::test]
async fn a_deadline_ends_what_is_not_done() {
    let (fake, tc) = deployment().await;
    let mut messages = listen(&fake);
    let running = create(&tc, &task(&fake)).await;
    let claim = claim_one(&tc).await;
    let pending = create(&tc, &task(&fake)).await;
    let waiting = create(&tc, &with(task(&fake), json!({"dependencies": [pending]}))).await;
    names(&mut messages);
    let its = worker(&fake, &claim);
    fake.advance(HOUR);
    // Expired, tried again, and left alone until the end.
    assert_eq!(state(&tc, &running).await, "pending");
    fake.advance(HOUR);
    for id in [&running, &pending, &waiting] {
        let status = status(&tc, id).await;
        assert_eq!(status["state"], "exception");
        let last = status["runs"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&last["reasonResolved"], &last["resolved"]),
            (&json!("deadline-exceeded"), &status["deadline"])
        );
        for name in ["scheduleTask", "rerunTask", "cancelTask"] {
            let error = call(&tc, name).param("taskId", id).await.unwrap_err();
            assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "deadline");
        }
    }
    let ended = heard(&mut messages).into_iter().filter(|(name, _)| name == "task-exception");
    assert_eq!(ended.count(), 3);
    let error = run(&its, "reportCompleted", &claim).0.await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));

    fake.advance(366 * 24 * HOUR);
    let error = call(&tc, "status").param("taskId", &pending).await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", &pending);
}

#[tokio::test]
async fn a_task_waits_for_those_it_depends_on() {
    let (fake, tc) = deployment().await;
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
    let (fake, tc) = deployment().await;
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

#[tokio::test]
async fn a_task_is_of_its_time() {
    let (fake, tc) = deployment().await;
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
async fn a_group_is_sealed_cancelled_and_resolved() {
    let (fake, tc) = deployment().await;
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
    // What is there may be created again.
    call(&tc, "createTask").param("taskId", &done).payload(&member).await.unwrap();

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
    assert_eq!(names, ["task-group-sealed", "task-exception", "task-group-resolved"]);
    assert_eq!(heard[2].1["taskGroupId"], group);
    let again = of_group("cancelTaskGroup").await.unwrap();
    assert_eq!(again["cancelledCount"], 0);
}

#[tokio::test]
async fn priorities_change() {
    let (fake, tc) = deployment().await;
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
async fn many_tasks_are_asked_for_at_once() {
    let (fake, tc) = deployment().await;
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
        assert_eq!(found, ids);
    }
}

#[tokio::test]
async fn a_run_is_claimed_by_name() {
    let (fake, tc) = deployment().await;
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
    let (fake, tc) = deployment().await;
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
    assert_eq!(about["quarantineDetails"][0]["quarantineInfo"], "it smokes");
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

#[tokio::test]
async fn messages_carry_routes_and_routing_keys() {
    let (fake, tc) = deployment().await;
    let mut by_route = fake
        .listen(QueueEvents::task_completed().route_binding("index.a.#"))
        .and_then(|messages| messages.bind(QueueEvents::task_completed()))
        .unwrap();
    let mut others = fake.listen(QueueEvents::task_completed().task_group_id("other")).unwrap();
    let fields =
        json!({"routes": ["index.a.b", "notify.x"], "tags": {"kind": "test"}, "schedulerId": "s"});
    let id = create(&tc, &with(task(&fake), fields)).await;
    complete(&tc, &claim_one(&tc).await).await;

    let message = by_route.next().await.unwrap();
    let key = QueueEvents::task_completed().parse(&message.routing_key).unwrap();
    assert_eq!(
        (key.task_id.as_str(), key.run_id.as_str(), key.worker_id.as_str()),
        (&*id, "0", "w")
    );
    assert_eq!(message.routing_key, format!("primary.{id}.0.g.w.prov.work.s.{id}._"));
    assert_eq!(message.routes().collect::<Vec<_>>(), ["index.a.b", "notify.x"]);
    assert_eq!(message.payload["task"], json!({"tags": {"kind": "test"}}));
    assert_eq!(message.payload["status"]["state"], "completed");
    assert_eq!(message.payload["version"], 1);
    // Once, though it came by two bindings.
    assert_eq!(by_route.try_next(), None);
    assert_eq!(others.try_next(), None);
}

#[tokio::test]
async fn the_queue_publishes_to_all_its_exchanges() {
    let (fake, tc) = deployment().await;
    let mut messages = listen(&fake);
    let (claim, _) = with_artifacts(&fake, &tc).await;
    let (report, group) = run(&tc, "reportFailed", &claim);
    report.await.unwrap();
    call(&tc, "sealTaskGroup").param("taskGroupId", group).await.unwrap();
    let change = call(&tc, "changeTaskGroupPriority").param("taskGroupId", group);
    change.payload(json!({"newPriority": "low"})).await.unwrap();
    let id = create(&tc, &task(&fake)).await;
    let change = call(&tc, "changeTaskPriority").param("taskId", &id);
    change.payload(json!({"newPriority": "high"})).await.unwrap();
    complete(&tc, &claim_one(&tc).await).await;
    let id = create(&tc, &task(&fake)).await;
    call(&tc, "cancelTask").param("taskId", &id).await.unwrap();

    let heard = messages.take();
    for exchange in QueueEvents::REFERENCE.exchanges {
        let of_exchange: Vec<_> =
            heard.iter().filter(|message| message.exchange == exchange.exchange).collect();
        assert!(!of_exchange.is_empty(), "nothing of {}", exchange.name);
        // The key has all the parts that the reference requires.
        for message in of_exchange {
            let words: Vec<_> = message.routing_key.split('.').collect();
            assert_eq!(words.len(), exchange.routing_key.len(), "{message:?}");
            for (part, word) in exchange.routing_key.iter().zip(words) {
                assert!(!part.required || word != "_", "{}: {message:?}", part.name);
            }
        }
    }
}

#[test]
fn a_blocking_program_hears_messages() {
    let fake = Deployment::start_blocking().unwrap();
    fake.client("tester", "no-secret", ["*"]);
    let tc = fake.connect("tester").unwrap();
    let mut messages = fake.listen(QueueEvents::task_pending()).unwrap();
    let create = call(&tc, "createTask").param("taskId", slugid::nice()).payload(task(&fake));
    create.send_blocking().unwrap();
    assert_eq!(messages.next_blocking().unwrap().payload["runId"], 0);
    drop(fake);
    assert!(messages.next_blocking().unwrap_err().message().contains("gone"));
}

// Artifacts

fn artifact_of(tc: &Client, name: &str, claim: &Value, artifact: &str) -> NamedCall {
    run(tc, name, claim).0.param("name", artifact)
}

/// A task with artifacts of all kinds, claimed by a worker.
async fn with_artifacts(fake: &Deployment, tc: &Client) -> (Value, Client) {
    let created = create(tc, &with(task(fake), json!({"projectId": "proj"}))).await;
    let claim = claim_one(tc).await;
    assert_eq!(claim["status"]["taskId"], created);
    let its = worker(fake, &claim);
    let expires = to_json(fake.now() + TimeDelta::days(1));
    for (name, artifact) in [
        (
            "public/url",
            json!({"storageType": "reference", "contentType": "text/plain", "url": "https://example.com/x"}),
        ),
        (
            "private/url",
            json!({"storageType": "reference", "contentType": "text/plain", "url": "https://example.com/y"}),
        ),
        (
            "public/link",
            json!({"storageType": "link", "contentType": "text/plain", "artifact": "private/url"}),
        ),
        (
            "public/error",
            json!({"storageType": "error", "reason": "file-missing-on-worker", "message": "gone"}),
        ),
    ] {
        let artifact = with(artifact, json!({"expires": expires}));
        let answer =
            artifact_of(&its, "createArtifact", &claim, name).payload(&artifact).await.unwrap();
        assert_eq!(answer, json!({"storageType": artifact["storageType"]}));
        // Harmless when repeated.
        artifact_of(&its, "createArtifact", &claim, name).payload(&artifact).await.unwrap();
    }
    (claim, its)
}

#[tokio::test]
async fn artifacts_are_listed_described_and_found() {
    let (fake, tc) = deployment().await;
    let mut messages = fake.listen(QueueEvents::artifact_created()).unwrap();
    let (claim, its) = with_artifacts(&fake, &tc).await;
    let heard = messages.take();
    assert_eq!(heard.len(), 4);
    assert_eq!(heard[0].payload["artifact"]["name"], "public/url");
    assert_eq!(heard[0].payload["runId"], 0);

    let id = claim["status"]["taskId"].as_str().unwrap();
    let listed = call(&tc, "listLatestArtifacts").param("taskId", id).query("limit", 3);
    let listed: Vec<Value> = listed.into_paged().unwrap().items().try_collect().await.unwrap();
    let names: Vec<_> = listed.iter().map(|artifact| artifact["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["private/url", "public/error", "public/link", "public/url"]);

    let latest =
        |name: &str, artifact: &str| call(&tc, name).param("taskId", id).param("name", artifact);
    let info = latest("latestArtifactInfo", "public/link").await.unwrap();
    assert_eq!(
        (&info["storageType"], &info["contentType"]),
        (&json!("link"), &json!("text/plain"))
    );
    let content = latest("latestArtifact", "public/link").await.unwrap();
    assert_eq!(content, json!({"storageType": "reference", "url": "https://example.com/y"}));
    let content = latest("latestArtifact", "public/error").await.unwrap();
    assert_eq!(content["reason"], "file-missing-on-worker");
    let error = latest("latestArtifact", "public/none").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "public/none");

    let found =
        artifact_of(&tc, "getArtifact", &claim, "public/url").into_call().send_raw().await.unwrap();
    assert_eq!(found.status(), StatusCode::SEE_OTHER);
    assert_eq!(found.headers()["location"], "https://example.com/x");
    let error = latest("getLatestArtifact", "public/error").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FAILED_DEPENDENCY));

    // Anybody may read what is public; a link needs both its own scope and its target's.
    let anybody = fake.anonymous().unwrap();
    artifact_of(&anybody, "artifact", &claim, "public/url").await.unwrap();
    for private in ["private/url", "public/link"] {
        let error = artifact_of(&anybody, "artifact", &claim, private).await.unwrap_err();
        assert_api_error(
            &error,
            StatusCode::FORBIDDEN,
            "InsufficientScopes",
            "queue:get-artifact:private/url",
        );
    }

    // The URL of a reference may change, nothing else.
    let changed = json!({"storageType": "reference", "contentType": "text/plain", "url": "https://example.com/z", "expires": listed[3]["expires"]});
    artifact_of(&its, "createArtifact", &claim, "public/url").payload(&changed).await.unwrap();
    let content = latest("latestArtifact", "public/url").await.unwrap();
    assert_eq!(content["url"], "https://example.com/z");
    let other = with(changed, json!({"contentType": "text/html"}));
    let error = artifact_of(&its, "createArtifact", &claim, "public/url").payload(&other).await;
    assert_api_error(&error.unwrap_err(), StatusCode::CONFLICT, "RequestConflict", "public/url");

    fake.advance(25 * HOUR);
    let error = latest("latestArtifactInfo", "public/url").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn artifacts_come_while_the_task_runs_or_soon_after_an_exception() {
    let (fake, tc) = deployment().await;
    let expires = to_json(fake.now() + TimeDelta::days(1));
    let artifact = json!({"storageType": "reference", "contentType": "a/b", "url": "https://example.com/x", "expires": expires});
    for (ended, late) in [(false, false), (true, false), (true, true)] {
        create(&tc, &task(&fake)).await;
        let claim = claim_one(&tc).await;
        if ended {
            except(&tc, &claim, "internal-error").await;
        } else {
            complete(&tc, &claim).await;
        }
        if late {
            fake.advance(26 * MINUTE);
        }
        let created =
            artifact_of(&tc, "createArtifact", &claim, "public/x").payload(&artifact).await;
        assert_eq!(created.is_ok(), ended && !late);
        if let Err(error) = created {
            assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "takes no artifacts");
        }
    }
    create(&tc, &task(&fake)).await;
    let claim = claim_one(&tc).await;
    let over = with(artifact, json!({"expires": "2100-01-01T00:00:00.000Z"}));
    let error = artifact_of(&tc, "createArtifact", &claim, "public/x").payload(&over).await;
    assert_api_error(&error.unwrap_err(), StatusCode::BAD_REQUEST, "InputError", "outlive");
}

#[tokio::test]
async fn an_artifact_is_uploaded_by_url() {
    let (fake, tc) = deployment().await;
    let (claim, its) = with_artifacts(&fake, &tc).await;
    let expires = to_json(fake.now() + TimeDelta::days(1));
    let artifact = json!({"storageType": "s3", "contentType": "text/plain", "expires": expires});
    let create = || artifact_of(&its, "createArtifact", &claim, "public/log").payload(&artifact);
    let upload = create().await.unwrap();
    // Repeated, it is the same place.
    assert_eq!(create().await.unwrap()["putUrl"], upload["putUrl"]);
    let url = upload["putUrl"].as_str().unwrap();
    let plain = taskcluster::http_client_builder().unwrap().no_proxy().build().unwrap();
    let put = plain.put(url).header("content-type", "text/plain").body("hello").send().await;
    assert_eq!(put.unwrap().status(), StatusCode::OK);
    let found = artifact_of(&tc, "artifact", &claim, "public/log").await.unwrap();
    assert_eq!(found["storageType"], "s3");
    let content = plain.get(found["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(content.text().await.unwrap(), "hello");
}

#[tokio::test]
async fn an_artifact_is_uploaded_as_an_object_and_downloaded() {
    let (fake, tc) = deployment().await;
    let (claim, its) = with_artifacts(&fake, &tc).await;
    let mut messages = fake.listen(QueueEvents::artifact_created()).unwrap();
    let expires = to_json(fake.now() + TimeDelta::days(1));
    let artifact =
        json!({"storageType": "object", "contentType": "text/plain", "expires": expires});
    let create = artifact_of(&its, "createArtifact", &claim, "public/log").payload(&artifact);
    let upload = create.await.unwrap();
    assert_eq!(upload["projectId"], "proj");
    let get = || artifact_of(&tc, "getArtifact", &claim, "public/log");
    assert_eq!(get().await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));

    let credentials = Credentials::from_json(&upload["credentials"].to_string()).unwrap();
    let uploader = fake.builder().unwrap().credentials(credentials).build().unwrap();
    let object =
        |name| uploader.call(&Object::REFERENCE, name).unwrap().param("name", &upload["name"]);
    let created = object("createUpload").payload(json!({
        "projectId": "proj", "uploadId": upload["uploadId"], "expires": expires,
        "proposedUploadMethods": {"dataInline": {"contentType": "text/plain", "objectData": "aGVsbG8="}},
    }));
    assert_eq!(created.await.unwrap()["uploadMethod"], json!({"dataInline": true}));
    let ids = json!({"projectId": "proj", "uploadId": upload["uploadId"]});
    object("finishUpload").payload(ids).await.unwrap();
    let finish = || artifact_of(&its, "finishArtifact", &claim, "public/log");
    let error = finish().payload(json!({"uploadId": slugid::nice()})).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
    assert_eq!(messages.try_next(), None);
    finish().payload(json!({"uploadId": upload["uploadId"]})).await.unwrap();
    assert_eq!(messages.next().await.unwrap().payload["artifact"]["storageType"], "object");

    let found = get().into_call().send_raw().await.unwrap();
    assert_eq!(found.status(), StatusCode::SEE_OTHER);
    let url = found.headers()["location"].to_str().unwrap();
    let plain = taskcluster::http_client_builder().unwrap().no_proxy().build().unwrap();
    let content = plain.get(url).send().await.unwrap();
    assert_eq!(content.headers()["content-type"], "text/plain");
    assert_eq!(content.bytes().await.unwrap(), "hello");

    // Or by the object service, with credentials that the queue gives.
    let content = artifact_of(&tc, "artifact", &claim, "public/log").await.unwrap();
    let credentials = Credentials::from_json(&content["credentials"].to_string()).unwrap();
    let reader = fake.builder().unwrap().credentials(credentials).build().unwrap();
    let start = reader.call(&Object::REFERENCE, "startDownload").unwrap();
    let start = start
        .param("name", &content["name"])
        .payload(json!({"acceptDownloadMethods": {"simple": true}}));
    assert_eq!(start.await.unwrap(), json!({"method": "simple", "url": url}));
}
