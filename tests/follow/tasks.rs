//! One task.

use std::time::Duration;

use futures::TryStreamExt as _;
use taskcluster::queue::{TaskExceptionReason, TaskExceptionRequest, TaskState};
use taskcluster::testing::Fault;
use taskcluster::{Queue, StatusCode, slugid};

use super::{A_WHILE, Scene, item, next};
use crate::support::as_time_passes;

#[tokio::test]
async fn each_state_of_a_task_comes_once_and_the_last_one_is_the_end() {
    let scene = Scene::new();
    let id = scene.create(&slugid::nice()).await;
    let mut states = scene.queue.wait_for(&id).states();
    assert_eq!(next(&mut states).await, item(&id, "pending", 1));
    scene.claim(1).await;
    scene.fake.advance(A_WHILE);
    assert_eq!(next(&mut states).await, item(&id, "running", 1));
    let again = TaskExceptionRequest::new(TaskExceptionReason::IntermittentTask);
    scene.queue.report_exception(&id, 0, &again).await.unwrap();
    scene.fake.advance(A_WHILE);
    assert_eq!(next(&mut states).await, item(&id, "pending", 2));
    scene.claim(1).await;
    // Shorter than the time between two looks.
    scene.queue.report_completed(&id, 1).await.unwrap();
    scene.fake.advance(A_WHILE);
    assert_eq!(next(&mut states).await, item(&id, "completed", 2));
    assert_eq!(next(&mut states).await, None);
    assert_eq!(states.failed_tasks().count(), 0);
}

#[tokio::test]
async fn waiting_returns_how_a_task_ended() {
    let scene = Scene::new();
    let id = scene.create(&slugid::nice()).await;
    let waiting = tokio::spawn(scene.queue.wait_for(&id).into_future());
    scene.fake.wait_for_calls("queue.status", 1).await.unwrap();
    scene.queue.cancel_task(&id).await.unwrap();
    scene.fake.advance(A_WHILE);
    let status = waiting.await.unwrap().unwrap();
    assert_eq!((status.task_id, status.state), (id.clone(), TaskState::Exception));
    // It is over already.
    assert_eq!(scene.queue.wait_for(&id).await.unwrap().state, TaskState::Exception);
}

#[test]
fn a_blocking_program_can_wait() {
    let scene = Scene::new();
    let id = slugid::nice();
    scene.queue.create_task(&id, &super::definition(&id)).send_blocking().unwrap();
    scene.queue.cancel_task(&id).send_blocking().unwrap();
    assert_eq!(scene.queue.wait_for(&id).send_blocking().unwrap().task_id, id);
    let states: Vec<_> = scene.queue.follow_group(&id).states().blocking().collect();
    assert_eq!(states.len(), 1);
    assert_eq!(scene.queue.follow_group(&id).send_blocking().unwrap().failed_tasks().count(), 1);
}

#[tokio::test]
async fn a_task_that_does_not_exist_is_an_error() {
    let scene = Scene::new();
    let error = scene.queue.wait_for(slugid::nice()).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    let nobody = Queue::new(&scene.fake.connect_as("nobody", ["queue:nothing"]).unwrap());
    let mut states = nobody.wait_for(slugid::nice()).states();
    assert!(states.try_next().await.unwrap_err().is_api());
    assert!(states.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_deployment_that_is_away_is_asked_again() {
    let scene = Scene::new();
    let id = scene.create(&slugid::nice()).await;
    scene.queue.cancel_task(&id).await.unwrap();
    for fault in [
        Fault::Status(StatusCode::BAD_GATEWAY),
        Fault::Disconnect,
        Fault::Html(StatusCode::NOT_FOUND),
        Fault::Empty,
    ] {
        scene.fake.clear_calls();
        scene.fake.on(Queue::REFERENCE.endpoint("status")).fault(fault);
        let waiting = tokio::spawn(scene.queue.wait_for(&id).into_future());
        let asked = scene.fake.wait_for_calls("queue.status", 3);
        as_time_passes(&scene.fake, Duration::from_secs(1), asked).await.unwrap();
        assert!(!waiting.is_finished());
        scene.fake.clear_stubs();
        scene.fake.advance(A_WHILE);
        assert_eq!(waiting.await.unwrap().unwrap().state, TaskState::Exception);
    }
}

#[tokio::test]
async fn a_task_that_does_not_change_is_looked_at_once_a_minute() {
    let scene = Scene::new();
    let id = scene.create(&slugid::nice()).await;
    let mut states = scene.queue.wait_for(&id).states();
    next(&mut states).await.unwrap();
    let (begun, waiting) = (scene.fake.now(), tokio::spawn(async move { next(&mut states).await }));
    for _ in 0..60 {
        scene.fake.advance(Duration::from_secs(60));
        // The more it is looked at meanwhile, the stricter the test; however little, it passes.
        tokio::time::sleep(Duration::from_millis(11)).await;
    }
    let passed = (scene.fake.now() - begun).num_seconds() as usize;
    // Seven looks until the delay is a minute, and at least three quarters of one after that.
    assert!(
        scene.calls_of("status").len() <= 7 + passed / 45,
        "{}",
        scene.calls_of("status").len()
    );
    waiting.abort();
}
