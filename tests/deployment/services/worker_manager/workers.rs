use serde_json::json;
use taskcluster::dates::to_json;
use taskcluster::{Queue, StatusCode};

use super::{
    POOL, call, create_pool, heard, images, listen, of_pool, of_worker, pool, registration, worker,
};
use crate::deployment::services::{all, connected};
use crate::deployment::{HOUR, task_of, with};
use crate::support::assert_api_error;

#[tokio::test]
async fn somebody_outside_runs_static_workers() {
    let (fake, tc) = connected().await;
    create_pool(&tc, pool("static", json!({}))).await;
    let mut messages = listen(&fake);
    let create =
        |id: &str, fields| of_worker(&tc, "createWorker", id).payload(with(worker(), fields));
    let made = create("w", json!({})).await.unwrap();
    assert_eq!((&made["state"], &made["capacity"]), (&json!("running"), &json!(1)));
    assert_eq!(of_worker(&tc, "worker", "w").await.unwrap(), made);
    create("w", json!({})).await.unwrap();
    let error = create("w", json!({"capacity": 2})).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "here/w");
    let error = create("x", json!({"expires": "2020-01-01T00:00:00.000Z"})).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "past");
    let secretless = json!({"expires": "2100-01-01T00:00:00.000Z"});
    let error = of_worker(&tc, "createWorker", "x").payload(secretless).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "staticSecret");

    create("v", json!({})).await.unwrap();
    let update =
        of_worker(&tc, "updateWorker", "w").payload(with(worker(), json!({"capacity": 4})));
    assert_eq!(update.await.unwrap()["capacity"], 4);
    let error = of_worker(&tc, "updateWorker", "x").payload(worker()).await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "here/x");
    of_worker(&tc, "removeWorker", "v").await.unwrap();
    let ids = |workers: Vec<serde_json::Value>| {
        workers.iter().map(|worker| worker["workerId"].clone()).collect::<Vec<_>>()
    };
    // The latest first.
    assert_eq!(ids(all(of_pool(&tc, "listWorkersForWorkerPool")).await), ["v", "w"]);
    let stopped = of_pool(&tc, "listWorkersForWorkerPool").query("state", "stopped");
    assert_eq!(ids(all(stopped).await), ["v"]);
    let of_group = of_pool(&tc, "listWorkersForWorkerGroup").param("workerGroup", "elsewhere");
    assert!(all(of_group).await.is_empty());

    let should = of_worker(&tc, "shouldWorkerTerminate", "w");
    assert_eq!(should.clone().await.unwrap(), json!({"terminate": false, "reason": "none"}));
    fake.worker_manager().should_terminate(POOL, "here", "w", true, "over capacity").unwrap();
    assert_eq!(should.await.unwrap(), json!({"terminate": true, "reason": "over capacity"}));
    fake.worker_manager().should_terminate(POOL, "here", "x", true, "").unwrap_err();

    // The service says nothing about such workers.
    assert_eq!(heard(&mut messages), []);
    // Until somebody looks for what has expired, it is there.
    let expired = with(worker(), json!({"expires": "2020-01-01T00:00:00.000Z"}));
    of_worker(&tc, "updateWorker", "w").payload(expired).await.unwrap();
    let error = of_worker(&tc, "worker", "w").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn workers_of_a_cloud_come_and_go_with_messages() {
    let (fake, tc) = connected().await;
    create_pool(&tc, pool("aws", images(&["ami-1", "ami-2"]))).await;
    let manager = fake.worker_manager();
    let mut messages = listen(&fake);
    let requested = manager.request_worker(POOL).unwrap();
    let other = manager.request_worker(POOL).unwrap();
    assert_eq!(
        (requested.provider_id.as_str(), requested.worker_group.as_str()),
        ("aws", "us-east-1")
    );
    let proof = requested.identity_proof["signature"].as_str().unwrap();
    assert!(!format!("{requested:?}").contains(proof));
    manager.request_worker(POOL).unwrap();
    let error = manager.request_worker(POOL).unwrap_err();
    assert!(error.message().contains("maxCapacity"), "{error}");

    let stats = of_pool(&tc, "workerPoolStats").await.unwrap();
    let counts: Vec<_> = stats["launchConfigStats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["requestedCount"].as_u64().unwrap())
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 3);
    assert_eq!(counts.len(), 2, "each launch config is used");

    let register = registration("aws", &requested.worker_id, requested.identity_proof.clone());
    let register = with(register, json!({"workerGroup": "us-east-1"}));
    call(&tc, "registerWorker").payload(&register).await.unwrap();
    // A worker registers once.
    let error = call(&tc, "registerWorker").payload(&register).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "running");

    let of_requested = |name: &str| {
        of_pool(&tc, name).param("workerGroup", "us-east-1").param("workerId", &requested.worker_id)
    };
    assert_eq!(of_requested("worker").await.unwrap()["state"], "running");
    for (name, payload) in [("createWorker", worker()), ("updateWorker", worker())] {
        let error = of_requested(name).payload(payload).await.unwrap_err();
        assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "aws");
    }
    of_requested("removeWorker").await.unwrap();
    assert_eq!(of_requested("worker").await.unwrap()["state"], "stopping");
    fake.advance(std::time::Duration::from_secs(60));
    assert_eq!(of_requested("worker").await.unwrap()["state"], "stopped");

    let of_first = messages
        .take()
        .into_iter()
        .filter(|message| message.payload["workerId"] == json!(requested.worker_id));
    let of_first: Vec<_> = of_first.collect();
    let names: Vec<_> =
        of_first.iter().map(|message| message.exchange.rsplit_once('/').unwrap().1).collect();
    assert_eq!(names, ["worker-requested", "worker-running", "worker-removed", "worker-stopped"]);
    let config = of_first[0].payload["launchConfigId"].as_str().unwrap();
    let key = format!("primary.aws.prov.linux.us-east-1.{}.{config}._", requested.worker_id);
    assert!(of_first.iter().all(|message| message.routing_key == key), "{key}");
    assert_eq!(of_first[2].payload["reason"], "workerManager.removeWorker API call");

    // The others never registered.
    fake.advance(HOUR * 24 * 4);
    let reason = |message: taskcluster::testing::Message| message.payload["reason"].clone();
    let removed: Vec<_> = messages
        .take()
        .into_iter()
        .filter(|message| message.exchange.ends_with("worker-removed"))
        .map(reason)
        .collect();
    assert_eq!(removed, ["terminateAfter time exceeded", "terminateAfter time exceeded"]);
    let name = of_pool(&tc, "worker").param("workerGroup", "us-east-1");
    let state = name.param("workerId", &other.worker_id).await.unwrap()["state"].clone();
    assert!(state == "stopping" || state == "stopped", "{state}");
}

#[tokio::test]
async fn only_a_cloud_can_be_asked_for_workers() {
    let (fake, tc) = connected().await;
    let refused = |why: &str| {
        let error = fake.worker_manager().request_worker(POOL).unwrap_err();
        assert!(error.message().contains(why), "{error}");
    };
    refused("does not exist");
    create_pool(&tc, pool("static", json!({}))).await;
    refused("createWorker");
    let empty = pool("aws", images(&[]));
    of_pool(&tc, "updateWorkerPool").payload(empty).await.unwrap();
    refused("launch config");
    of_pool(&tc, "deleteWorkerPool").await.unwrap();
    refused("about to go");
}

#[tokio::test]
async fn the_queues_workers_are_listed_with_what_is_known_of_them() {
    let (fake, tc) = connected().await;
    create_pool(&tc, pool("static", json!({}))).await;
    of_worker(&tc, "createWorker", "w").payload(worker()).await.unwrap();
    let queue = |name: &str| tc.call(&Queue::REFERENCE, name).unwrap();
    let id = taskcluster::slugid::nice();
    let task = with(task_of(fake.now()), json!({"taskQueueId": POOL}));
    queue("createTask").param("taskId", &id).payload(task).await.unwrap();
    for worker in ["w", "alone"] {
        let claim = json!({"tasks": 1, "workerGroup": "here", "workerId": worker});
        queue("claimWork").param("taskQueueId", POOL).payload(claim).await.unwrap();
    }
    let of_type =
        |name: &str| call(&tc, name).param("provisionerId", "prov").param("workerType", "linux");
    let workers = all(of_type("listWorkers")).await;
    let known: Vec<_> =
        workers.iter().map(|worker| (&worker["workerId"], &worker["state"])).collect();
    assert_eq!(known, [(&json!("alone"), &json!("standalone")), (&json!("w"), &json!("running"))]);
    assert_eq!(workers[1]["latestTask"]["taskId"], json!(id));
    assert_eq!(all(of_type("listWorkers").query("workerState", "running")).await.len(), 1);
    assert_eq!(all(of_type("listWorkers").query("quarantined", true)).await.len(), 0);

    let get = |id: &str| of_type("getWorker").param("workerGroup", "here").param("workerId", id);
    let known = get("w").await.unwrap();
    assert_eq!((&known["providerId"], &known["capacity"]), (&json!("static"), &json!(1)));
    assert_eq!(known["recentTasks"][0]["taskId"], json!(id));
    // Only the worker manager tells why a worker is quarantined.
    assert_eq!(known["quarantineDetails"], json!([]));
    let of_queue = |name: &str| {
        let call = queue(name).param("provisionerId", "prov").param("workerType", "linux");
        call.param("workerGroup", "here").param("workerId", "w")
    };
    let quarantine = json!({"quarantineUntil": to_json(fake.now()), "quarantineInfo": "it smokes"});
    let told = of_queue("quarantineWorker").payload(quarantine).await.unwrap();
    assert_eq!(told.get("quarantineDetails"), None);
    let details = get("w").await.unwrap()["quarantineDetails"].take();
    assert_eq!(details[0]["quarantineInfo"], "it smokes");
    let alone = get("alone").await.unwrap();
    assert_eq!((&alone["providerId"], &alone["capacity"]), (&json!("none"), &json!(0)));
    assert_eq!(get("x").await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
}
