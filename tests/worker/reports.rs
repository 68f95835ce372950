//! Reports, which the queue must get once.

use serde_json::json;
use taskcluster::testing::{Fault, Reply, called};
use taskcluster::worker::{ClaimedTask, Outcome, Reason, Tally};
use taskcluster::{Queue, QueueEvents, StatusCode};
use tokio::sync::mpsc;

use super::{Scene, Working, as_told, soon, told};

fn conflict() -> Reply {
    let body = json!({"code": "RequestConflict", "message": "the run is resolved or not running"});
    Reply::json(StatusCode::CONFLICT, &body)
}

#[tokio::test]
async fn a_report_whose_response_was_lost_counts_once() {
    let scene = Scene::new().await;
    let mut messages = scene.fake.listen(QueueEvents::task_completed()).unwrap();
    // As often as the client tries, so that the worker has to try again.
    let report = || scene.fake.on(Queue::REFERENCE.endpoint("reportCompleted"));
    report().times(7).fault(Fault::LoseAnswer);
    let id = scene.create(json!({})).await;
    let working = Working::start(scene.worker().run(as_told));
    scene.fake.wait_for_calls("queue.reportCompleted", 6).await.unwrap();
    scene.fake.advance(std::time::Duration::from_secs(60));
    let reported = called("queue.reportCompleted").status(StatusCode::OK);
    scene.fake.wait_for_calls(reported, 1).await.unwrap();
    let tally = working.stop().await;
    assert_eq!((tally.completed, tally.lost), (1, 0));
    assert_eq!(scene.ends(&id).await, ["completed"]);
    let announced = messages.take();
    assert_eq!(announced.len(), 8, "the queue announces every report that it accepts");
    assert!(announced.iter().all(|message| message.payload["runId"] == 0));
}

#[tokio::test]
async fn a_worker_knows_its_report_again_when_the_repeated_one_is_a_conflict() {
    let scene = Scene::new().await;
    for (end, report) in [
        ("completed", "reportCompleted"),
        ("failed", "reportFailed"),
        ("intermittent", "reportException"),
    ] {
        let endpoint = Queue::REFERENCE.endpoint(report);
        scene.fake.on(endpoint).times(1).fault(Fault::LoseAnswer);
        // The second time, as the queue does if the task has been run again meanwhile.
        scene.fake.on(endpoint).one_in(2).reply(conflict());
        let id = scene.create_with(told(end), |task| task.retries = Some(0)).await;
        let working = Working::start(scene.worker().run(as_told));
        scene.fake.wait_for_calls(called("queue.status").by("worker"), 1).await.unwrap();
        let tally = working.stop().await;
        assert_eq!(
            (tally.completed + tally.failed + tally.exceptions, tally.lost),
            (1, 0),
            "{end}"
        );
        assert_eq!(scene.calls_of(report).len(), 2);
        assert_eq!(scene.ends(&id).await.len(), 1);
        scene.fake.clear_calls();
        scene.fake.clear_stubs();
    }
}

/// Runs a task whose author cancels it before the worker reports this, up to the queue's answer.
async fn report_of_a_cancelled_task(outcome: fn() -> Outcome, report: &'static str) -> Tally {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let author = scene.author.clone();
    let working = Working::start(scene.worker().run(move |task: ClaimedTask| {
        let author = author.clone();
        async move {
            author.cancel_task(task.task_id()).await?;
            Ok(outcome())
        }
    }));
    let refused = called(&format!("queue.{report}")).status(StatusCode::CONFLICT);
    scene.fake.wait_for_calls(refused, 1).await.unwrap();
    let tally = working.stop().await;
    assert_eq!(scene.calls_of(report).len(), 1);
    assert_eq!(scene.ends(&id).await, ["exception: canceled"]);
    tally
}

#[tokio::test]
async fn a_report_that_comes_too_late_is_not_the_workers() {
    let tally = report_of_a_cancelled_task(|| Outcome::Completed, "reportCompleted").await;
    assert_eq!((tally.completed, tally.lost), (0, 1));
}

#[tokio::test]
async fn another_exception_than_the_reported_one_is_not_the_workers() {
    let exception = || Outcome::Exception(Reason::ResourceUnavailable);
    let tally = report_of_a_cancelled_task(exception, "reportException").await;
    assert_eq!(tally.lost, 1);
}

#[tokio::test]
async fn a_claim_that_is_refused_while_its_report_is_under_way_is_not_lost() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    // The queue has carried out the report, and does not renew the claim any more.
    scene.fake.on(Queue::REFERENCE.endpoint("reportCompleted")).times(6).fault(Fault::LoseAnswer);
    let (begin, mut begun) = mpsc::channel(1);
    let working = Working::start(scene.worker().run(move |_| {
        let begin = begin.clone();
        async move {
            begin.send(()).await?;
            Ok(Outcome::Completed)
        }
    }));
    soon(begun.recv()).await.unwrap();
    scene.fake.wait_for_calls("queue.reportCompleted", 6).await.unwrap();
    // The renewal is due before the next attempt.
    scene
        .fake
        .on(Queue::REFERENCE.endpoint("reportCompleted"))
        .times(1)
        .fault(Fault::Delay(std::time::Duration::from_millis(200)));
    scene.fake.advance(super::minutes(17));
    let refused = called("queue.reclaimTask").status(StatusCode::CONFLICT);
    scene.fake.wait_for_calls(refused, 1).await.unwrap();
    scene.fake.wait_for_calls("queue.reportCompleted", 7).await.unwrap();
    let tally = working.stop().await;
    assert_eq!((tally.completed, tally.lost), (1, 0));
    assert_eq!(scene.ends(&id).await, ["completed"]);
}
