//! Groups.

use serde_json::Value;
use taskcluster::testing::Fault;
use taskcluster::{Queue, StatusCode, slugid};

use super::{A_WHILE, Scene, item, next};
use crate::support::as_time_passes;

#[tokio::test]
async fn a_group_is_followed_until_all_is_resolved_with_the_tasks_that_come_later() {
    let scene = Scene::new();
    let group = slugid::nice();
    let decision = scene.create(&group).await;
    let mut states = scene.queue.follow_group(&group).states();
    assert_eq!(next(&mut states).await, item(&decision, "pending", 1));
    scene.claim(1).await;
    let mut children = [scene.create(&group).await, scene.create(&group).await];
    children.sort();
    scene.queue.report_completed(&decision, 0).await.unwrap();
    scene.fake.advance(A_WHILE);
    assert_eq!(next(&mut states).await, item(&decision, "completed", 1));
    // Nothing is left of what is known, so the group is listed again.
    scene.fake.advance(A_WHILE);
    let mut found = [next(&mut states).await, next(&mut states).await];
    found.sort();
    assert_eq!(found, [item(&children[0], "pending", 1), item(&children[1], "pending", 1)]);
    scene.claim(2).await;
    scene.queue.report_failed(&children[0], 0).await.unwrap();
    scene.queue.cancel_task(&children[1]).await.unwrap();
    scene.fake.advance(A_WHILE);
    let mut ends = [next(&mut states).await.unwrap(), next(&mut states).await.unwrap()];
    ends.sort();
    assert_eq!(Some(ends[0].clone()), item(&children[0], "failed", 1));
    assert_eq!(Some(ends[1].clone()), item(&children[1], "exception", 1));
    scene.fake.advance(A_WHILE);
    assert_eq!(next(&mut states).await, None);
    let failed: Vec<_> = states.failed_tasks().map(|task| task.task_id.clone()).collect();
    assert_eq!(failed, children);
    assert_eq!(states.tasks().count(), 3);
}

#[tokio::test]
async fn many_tasks_are_looked_at_in_one_call_and_only_those_that_can_change() {
    let scene = Scene::new();
    let group = slugid::nice();
    for _ in 0..30 {
        scene.create(&group).await;
    }
    let done = scene.claim(10).await;
    for id in &done {
        scene.queue.report_completed(id, 0).await.unwrap();
    }
    let mut states = scene.queue.follow_group(&group).states();
    for _ in 0..30 {
        next(&mut states).await.unwrap();
    }
    let running = scene.claim(1).await.remove(0);
    scene.fake.clear_calls();
    scene.fake.advance(A_WHILE);
    assert_eq!(next(&mut states).await, item(&running, "running", 1));
    let calls = scene.fake.calls();
    assert_eq!(calls.len(), 1);
    let asked: Vec<Value> =
        calls[0].payload.as_ref().unwrap()["taskIds"].as_array().unwrap().clone();
    assert_eq!((calls[0].endpoint.name, asked.len()), ("statuses", 20));
    assert!(!done.iter().any(|id| asked.contains(&Value::from(id.as_str()))));
}

#[tokio::test]
async fn a_task_that_is_run_again_before_the_end_belongs_to_it() {
    let scene = Scene::new();
    let group = slugid::nice();
    let (first, second) = (scene.create(&group).await, scene.create(&group).await);
    scene.queue.cancel_task(&first).await.unwrap();
    let mut states = scene.queue.follow_group(&group).states();
    next(&mut states).await.unwrap();
    next(&mut states).await.unwrap();
    scene.queue.rerun_task(&first).await.unwrap();
    scene.queue.cancel_task(&second).await.unwrap();
    scene.fake.advance(A_WHILE);
    assert_eq!(next(&mut states).await, item(&second, "exception", 1));
    scene.fake.advance(A_WHILE);
    assert_eq!(next(&mut states).await, item(&first, "pending", 2));
    scene.queue.cancel_task(&first).await.unwrap();
    scene.fake.advance(A_WHILE);
    assert_eq!(next(&mut states).await, item(&first, "exception", 2));
    scene.fake.advance(A_WHILE);
    assert_eq!(next(&mut states).await, None);
}

#[tokio::test]
async fn a_group_is_followed_through_faults() {
    let scene = Scene::new();
    let group = slugid::nice();
    for _ in 0..5 {
        scene.create(&group).await;
    }
    for endpoint in ["listTaskGroup", "statuses"] {
        let endpoint = Queue::REFERENCE.endpoint(endpoint);
        scene.fake.on(endpoint).one_in(2).fault(Fault::Truncate);
        scene.fake.on(endpoint).one_in(3).fault(Fault::Html(StatusCode::NOT_FOUND));
        scene.fake.on(endpoint).one_in(5).fault(Fault::LoseAnswer);
    }
    let following = tokio::spawn(scene.queue.follow_group(&group).into_future());
    for id in scene.claim(5).await {
        scene.queue.report_failed(id, 0).await.unwrap();
    }
    let end = as_time_passes(&scene.fake, A_WHILE, following).await;
    assert_eq!(end.unwrap().unwrap().failed_tasks().count(), 5);
}

#[tokio::test]
async fn a_group_that_does_not_exist_is_an_error() {
    let scene = Scene::new();
    let error = scene.queue.follow_group(slugid::nice()).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
}
