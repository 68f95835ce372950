//! Hearing from a broker; without one these tests do nothing but say so, as those of `pulse`.

use taskcluster::pulse::{Listener, PulseCredentials};
use taskcluster::queue::{TaskExceptionReason, TaskExceptionRequest};
use taskcluster::slugid;

use super::{Scene, item, next};
use crate::support::broker::{Broker, broker};

#[tokio::test]
async fn what_is_heard_are_the_same_items_without_looking() {
    let Some(Broker { tester, service }) = broker() else { return };
    let scene = Scene::new();
    scene.fake.publish_to(PulseCredentials::from_url(&service).unwrap()).await.unwrap();
    let listener = || Listener::connect(PulseCredentials::from_url(&tester).unwrap());
    let group = slugid::nice();
    let first = scene.create(&group).await;
    let mut task = scene.queue.wait_for(&first).hearing(listener()).states();
    let mut states = scene.queue.follow_group(&group).hearing(listener()).states();
    for states in [&mut task, &mut states] {
        assert_eq!(next(states).await, item(&first, "pending", 1));
    }
    scene.fake.clear_calls();
    scene.claim(1).await;
    let second = scene.create(&group).await;
    let again = TaskExceptionRequest::new(TaskExceptionReason::IntermittentTask);
    scene.queue.report_exception(&first, 0, &again).await.unwrap();
    // The first comes first again.
    scene.claim(2).await;
    scene.queue.report_completed(&first, 1).await.unwrap();
    scene.queue.report_failed(&second, 0).await.unwrap();
    for (state, runs) in [("running", 1), ("pending", 2), ("running", 2), ("completed", 2)] {
        assert_eq!(next(&mut task).await, item(&first, state, runs));
    }
    let mut of_second = Vec::new();
    for _ in 0..8 {
        let (id, state, _) = next(&mut states).await.unwrap();
        if id == second {
            of_second.push(state);
        }
    }
    assert!(of_second.ends_with(&["running".to_owned(), "failed".to_owned()]), "{of_second:?}");
    assert_eq!(next(&mut states).await, None);
    assert_eq!(next(&mut task).await, None);
    // It looks once, when there is nothing left to hear.
    let looks =
        ["listTaskGroup", "statuses", "status"].map(|endpoint| scene.calls_of(endpoint).len());
    assert_eq!(looks, [1, 0, 1]);
    assert_eq!(states.failed_tasks().map(|task| &task.task_id).collect::<Vec<_>>(), [&second]);
}
