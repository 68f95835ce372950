//! The end of a worker.

use std::time::Duration;

use serde_json::json;
use taskcluster::Queue;
use taskcluster::artifacts;
use taskcluster::testing::Fault;
use taskcluster::worker::{ClaimedTask, Outcome, Shutdown};
use tokio::sync::{mpsc, watch};

use super::{Scene, Working, as_told, minutes, soon};
use crate::support::as_time_passes;

#[tokio::test]
async fn a_worker_takes_no_more_tasks_and_waits_for_those_it_has() {
    let scene = Scene::new().await;
    let (first, second) = (scene.create(json!({})).await, scene.create(json!({})).await);
    let (begin, mut begun) = mpsc::channel(1);
    let (end, ended) = watch::channel(false);
    let Working { stop, run } = Working::start(scene.worker().run(move |_| {
        let (begin, mut ended) = (begin.clone(), ended.clone());
        async move {
            begin.send(()).await?;
            ended.wait_for(|ended| *ended).await?;
            Ok(Outcome::Completed)
        }
    }));
    soon(begun.recv()).await.unwrap();
    stop.send(()).unwrap();
    // The claim is still renewed.
    scene.fake.advance(minutes(17));
    scene.fake.wait_for_calls("queue.reclaimTask", 1).await.unwrap();
    assert!(!run.is_finished());
    end.send(true).unwrap();
    assert_eq!(soon(run).await.unwrap().unwrap().completed, 1);
    let mut ends = [scene.ends(&first).await, scene.ends(&second).await].concat();
    ends.sort();
    assert_eq!(ends, ["completed", "pending"]);
    assert_eq!(scene.calls_of("claimWork").len(), 1);
}

#[tokio::test]
async fn a_worker_that_has_no_time_gives_its_tasks_back() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let (begin, mut begun) = mpsc::channel(1);
    let worker = scene.worker().on_shutdown(Shutdown::Within(minutes(1)));
    let Working { stop, run } = Working::start(worker.run(move |task: ClaimedTask| {
        let begin = begin.clone();
        async move {
            task.log("begun\n").await?;
            begin.send(task).await?;
            std::future::pending().await
        }
    }));
    let task = soon(begun.recv()).await.unwrap();
    stop.send(()).unwrap();
    tokio::task::yield_now().await;
    assert!(!task.is_cancelled());
    as_time_passes(&scene.fake, Duration::from_secs(10), task.cancelled()).await;
    let tally = soon(run).await.unwrap().unwrap();
    assert_eq!((tally.exceptions, tally.lost), (1, 0));
    assert_eq!(scene.ends(&id).await, ["exception: worker-shutdown", "pending"]);
    // The report came first, then the log.
    let names: Vec<_> = scene.fake.calls().iter().map(|call| call.endpoint.name).collect();
    let place = |name| names.iter().position(|known| *known == name).unwrap();
    assert!(place("reportException") < place("createArtifact"), "{names:?}");
    let log =
        artifacts::of_run(&scene.author, &id, 0, "public/logs/live.log").bytes().await.unwrap();
    assert_eq!(log, "begun\n");
}

#[tokio::test]
async fn tasks_that_come_after_the_signal_are_given_back() {
    let scene = Scene::new().await;
    let claim = Queue::REFERENCE.endpoint("claimWork");
    scene.fake.on(claim).times(1).fault(Fault::Delay(Duration::from_millis(200)));
    let id = scene.create(json!({})).await;
    let working = Working::start(scene.worker().run(as_told));
    scene.fake.wait_for_calls("queue.claimWork", 1).await.unwrap();
    let tally = working.stop().await;
    assert_eq!((tally.completed, tally.exceptions), (0, 1));
    assert_eq!(scene.ends(&id).await, ["exception: worker-shutdown", "pending"]);
}

#[tokio::test]
async fn a_worker_without_tasks_ends_at_once() {
    let scene = Scene::new().await;
    let working = Working::start(scene.worker().run(as_told));
    scene.fake.wait_for_calls("queue.claimWork", 1).await.unwrap();
    assert_eq!(working.stop().await, Default::default());
}

#[tokio::test]
async fn a_worker_that_is_dropped_drops_its_tasks() {
    let scene = Scene::new().await;
    scene.create(json!({})).await;
    let (begin, mut begun) = mpsc::channel(1);
    let working = Working::start(scene.worker().run(move |task: ClaimedTask| {
        let begin = begin.clone();
        async move {
            begin.send(task).await?;
            std::future::pending().await
        }
    }));
    let task = soon(begun.recv()).await.unwrap();
    working.run.abort();
    soon(task.cancelled()).await;
    // Only this handle is left: the future has been dropped.
    assert!(soon(begun.recv()).await.is_none());
}
