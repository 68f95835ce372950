//! Claiming tasks.

use std::time::Duration;

use serde_json::json;
use taskcluster::queue::QuarantineWorkerRequest;
use taskcluster::testing::{Fault, called};
use taskcluster::{Queue, StatusCode, from_now};
use tokio::sync::mpsc;

use super::{Scene, Working, as_told, minutes, soon, told};
use crate::support::as_time_passes;

#[tokio::test]
async fn a_queue_that_has_nothing_is_asked_every_5_seconds_at_most() {
    let scene = Scene::new().await;
    scene.fake.set_claim_wait(Duration::ZERO);
    let begun = scene.fake.now();
    let working = Working::start(scene.worker().run(as_told));
    for asked in 1..20 {
        scene.fake.wait_for_calls("queue.claimWork", asked).await.unwrap();
        let passed = (scene.fake.now() - begun).to_std().unwrap().as_secs_f64();
        let most = 1 + (passed / 5.0) as usize;
        assert!(scene.calls_of("claimWork").len() <= most);
        scene.fake.advance(Duration::from_secs(5));
    }
    assert_eq!(working.stop().await, Default::default());
}

#[tokio::test]
async fn a_call_may_wait_for_longer_than_the_timeout_of_the_client() {
    let scene = Scene::new().await;
    scene.fake.set_claim_wait(Duration::from_secs(20));
    let client = scene.fake.client("worker", "no-secret", ["queue:*"]);
    let client = scene.fake.builder().unwrap().credentials(client);
    // Shorter than the long poll in which the task comes.
    let client = client.timeout(Duration::from_secs(1)).build().unwrap();
    let worker = taskcluster::worker::Worker::new(&client, super::TASKS, "here", "me");
    let working = Working::start(worker.run(as_told));
    scene.fake.wait_for_calls("queue.claimWork", 1).await.unwrap();
    // Longer than the timeout, which runs by a clock that no test can move.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let id = scene.create(json!({})).await;
    assert_eq!(scene.ended(&id).await, ["completed"]);
    assert_eq!(scene.calls_of("claimWork")[0].status, Some(StatusCode::OK));
    scene.fake.advance(Duration::from_secs(20));
    working.stop().await;
}

#[tokio::test]
async fn a_refusal_ends_the_worker_once_its_tasks_have_ended() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let (begin, mut begun) = mpsc::channel(1);
    let (end, ended) = tokio::sync::watch::channel(false);
    let working = Working::start(scene.worker().capacity(2).run(move |_| {
        let (begin, mut ended) = (begin.clone(), ended.clone());
        async move {
            begin.send(()).await?;
            ended.wait_for(|ended| *ended).await?;
            Ok(taskcluster::worker::Outcome::Completed)
        }
    }));
    soon(begun.recv()).await.unwrap();
    scene.fake.client("worker", "another-secret", ["queue:*"]);
    let refused = called("queue.claimWork").status(StatusCode::UNAUTHORIZED);
    let refused = scene.fake.wait_for_calls(refused, 3);
    as_time_passes(&scene.fake, Duration::from_secs(1), refused).await.unwrap();
    assert_eq!(scene.ends(&id).await, ["running"]);
    end.send(true).unwrap();
    let error = soon(working.run).await.unwrap().unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!(scene.ends(&id).await, ["completed"]);
}

#[tokio::test]
async fn what_is_no_refusal_by_the_queue_is_tried_again_and_again() {
    let scene = Scene::new().await;
    let faults = [
        Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::Status(StatusCode::TOO_MANY_REQUESTS),
        Fault::RetryAfter(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(1)),
        Fault::Disconnect,
        Fault::Empty,
        // A proxy that does not know the queue while it is started anew.
        Fault::Html(StatusCode::NOT_FOUND),
        Fault::Html(StatusCode::OK),
    ];
    let count = faults.len();
    for fault in faults {
        scene.fake.on(Queue::REFERENCE.endpoint("claimWork")).times(1).fault(fault);
    }
    let id = scene.create(json!({})).await;
    let working = Working::start(scene.worker().run(as_told));
    let ended = as_time_passes(&scene.fake, Duration::from_secs(5), scene.ended(&id)).await;
    assert_eq!(ended, ["completed"]);
    assert!(scene.calls_of("claimWork").len() > count);
    working.stop().await;
}

#[tokio::test]
async fn tasks_whose_claim_was_never_heard_of_come_again() {
    let scene = Scene::new().await;
    let ids = [scene.create(json!({})).await, scene.create(told("failed")).await];
    scene.fake.on(Queue::REFERENCE.endpoint("claimWork")).times(1).fault(Fault::LoseAnswer);
    let working = Working::start(scene.worker().capacity(2).run(as_told));
    scene.fake.wait_for_calls(called("queue.claimWork").status(StatusCode::OK), 1).await.unwrap();
    // The claims expire.
    scene.fake.advance(minutes(20));
    for (id, end) in ids.iter().zip(["completed", "failed"]) {
        let ended = as_time_passes(&scene.fake, Duration::from_secs(5), scene.ended(id)).await;
        assert_eq!(ended, ["exception: claim-expired", end]);
    }
    let tally = working.stop().await;
    assert_eq!((tally.completed, tally.failed, tally.lost), (1, 1, 0));
}

#[tokio::test]
async fn a_worker_in_quarantine_goes_on_asking_and_gets_tasks_after_it() {
    let scene = Scene::new().await;
    let working = Working::start(scene.worker().run(as_told));
    scene.fake.wait_for_calls("queue.claimWork", 1).await.unwrap();
    let until_then = QuarantineWorkerRequest::new(from_now("1 hour").unwrap());
    scene.author.quarantine_worker("builds", "linux", "here", "me", &until_then).await.unwrap();
    let id = scene.create(json!({})).await;
    for _ in 0..3 {
        let asked = scene.calls_of("claimWork").len();
        scene.fake.advance(Duration::from_secs(20));
        scene.fake.wait_for_calls("queue.claimWork", asked + 1).await.unwrap();
    }
    assert_eq!(scene.ends(&id).await, ["pending"]);
    scene.fake.advance(minutes(60));
    assert_eq!(scene.ended(&id).await, ["completed"]);
    working.stop().await;
}
