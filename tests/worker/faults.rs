//! Each fault that the deployment can make, at each call of a worker.

use std::time::Duration;

use serde_json::json;
use taskcluster::testing::Fault;
use taskcluster::worker::{ClaimedTask, Worker};
use taskcluster::{Endpoint, Object, Queue, StatusCode, reqwest::header::HeaderValue};

use super::{Scene, TASKS, Working, as_told, told};
use crate::support::as_time_passes;

/// Every fault that an attempt at a call can meet, without those that are refusals.
pub(super) fn faults() -> Vec<Fault> {
    vec![
        Fault::Delay(Duration::from_millis(5)),
        Fault::Skew(5 * 3600),
        Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::Status(StatusCode::BAD_GATEWAY),
        Fault::RetryAfter(StatusCode::TOO_MANY_REQUESTS, Duration::from_secs(1)),
        Fault::Disconnect,
        Fault::LoseAnswer,
        Fault::Truncate,
        Fault::CutOff(20),
        Fault::Oversize(300_000),
        Fault::ContentType(HeaderValue::from_static("text/plain")),
        Fault::Html(StatusCode::SERVICE_UNAVAILABLE),
        Fault::Html(StatusCode::OK),
        Fault::Empty,
    ]
}

/// The endpoints that a worker calls, without `claimWork`.
pub(super) fn endpoints_of_tasks() -> Vec<&'static Endpoint> {
    let of_queue = [
        "reclaimTask",
        "createArtifact",
        "finishArtifact",
        "reportCompleted",
        "reportFailed",
        "reportException",
    ];
    let of_object = ["createUpload", "finishUpload"];
    let of_queue = of_queue.map(|name| Queue::REFERENCE.endpoint(name));
    of_queue.into_iter().chain(of_object.map(|name| Object::REFERENCE.endpoint(name))).collect()
}

/// A worker that does not wait long for what never comes.
pub(super) fn impatient_worker(scene: &Scene, worker_id: &str) -> Worker {
    let scopes = ["queue:claim-work:builds/linux", "queue:worker-id:here/*", "queue:status:*"];
    let credentials = scene.fake.client("worker", "no-secret", scopes);
    let client = scene.fake.builder().unwrap().credentials(credentials);
    let client = client.timeout(Duration::from_secs(2)).max_body(100_000).build().unwrap();
    Worker::new(&client, TASKS, "here", worker_id)
}

async fn log_and_do_as_told(
    task: ClaimedTask,
) -> Result<taskcluster::worker::Outcome, taskcluster::worker::TaskError> {
    task.log("text\n").await?;
    as_told(task).await
}

/// Carries out a task of each end while every second call meets the fault, and lets time pass.
async fn goes_through(fault: &Fault, endpoints: &[&'static Endpoint]) {
    let scene = Scene::new().await;
    let mut tasks = Vec::new();
    for (end, expected) in [
        ("completed", "completed"),
        ("failed", "failed"),
        ("unavailable", "exception: resource-unavailable"),
        ("panic", "exception: internal-error"),
    ] {
        tasks.push((scene.create(told(end)).await, expected));
    }
    for endpoint in endpoints {
        scene.fake.on(endpoint).one_in(2).fault(fault.clone());
    }
    let working =
        Working::start(impatient_worker(&scene, "me").capacity(4).run(log_and_do_as_told));
    for (id, expected) in &tasks {
        let ended = as_time_passes(&scene.fake, Duration::from_secs(20), scene.ended(id)).await;
        assert_eq!(ended.last().unwrap(), expected, "{fault:?}: {ended:?}");
    }
    let tally = working.stop().await;
    assert_eq!((tally.completed, tally.failed, tally.exceptions), (1, 1, 2), "{fault:?}");
    for (id, expected) in &tasks {
        let ends = scene.ends(id).await;
        // What was claimed by a call without an answer.
        let (last, lost) = ends.split_last().unwrap();
        assert!(
            last == expected && lost.iter().all(|end| end == "exception: claim-expired"),
            "{fault:?}: {ends:?}"
        );
    }
}

#[tokio::test]
async fn each_fault_at_each_call_about_a_task() {
    for fault in faults() {
        goes_through(&fault, &endpoints_of_tasks()).await;
    }
}

#[tokio::test]
async fn each_fault_at_claims() {
    for fault in faults() {
        goes_through(&fault, &[Queue::REFERENCE.endpoint("claimWork")]).await;
    }
}

#[tokio::test]
async fn answers_that_hang() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    for endpoint in endpoints_of_tasks() {
        scene.fake.on(endpoint).times(1).fault(Fault::Stall(10));
    }
    let working = Working::start(impatient_worker(&scene, "me").run(log_and_do_as_told));
    assert_eq!(scene.ended(&id).await, ["completed"]);
    assert_eq!(working.stop().await.completed, 1);
}

#[tokio::test]
async fn storage_that_breaks_off() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    scene.fake.on_uploads().times(2).fault(Fault::Disconnect);
    scene.fake.on_uploads().times(1).fault(Fault::Status(StatusCode::INTERNAL_SERVER_ERROR));
    let working =
        Working::start(impatient_worker(&scene, "me").run(|task: ClaimedTask| async move {
            task.log("x".repeat(100_000)).await?;
            task.upload("public/large").bytes("y".repeat(100_000)).await?;
            as_told(task).await
        }));
    assert_eq!(scene.ended(&id).await, ["completed"]);
    assert_eq!(working.stop().await.completed, 1);
}
