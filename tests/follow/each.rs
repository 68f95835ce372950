//! Something done to each task of a group.

use std::sync::atomic::{AtomicUsize, Ordering};

use taskcluster::queue::TaskState;
use taskcluster::testing::Fault;
use taskcluster::{Queue, StatusCode, slugid};

use super::Scene;

#[tokio::test]
async fn a_function_is_called_with_each_task_and_its_errors_do_not_end_it() {
    let scene = Scene::new();
    let group = slugid::nice();
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(scene.create(&group).await);
    }
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let bad = &ids[7];
    let each = scene.queue.for_each_task(&group, 3, |task| {
        let (now, most) = (&now, &most);
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            now.fetch_sub(1, Ordering::SeqCst);
            if task.status.task_id == *bad { Err("bad") } else { Ok(()) }
        }
    });
    let each = each.await.unwrap();
    assert_eq!((each.done, each.failures), (11, vec![(bad.clone(), "bad")]));
    assert_eq!(most.load(Ordering::SeqCst), 3);
    let error =
        scene.queue.for_each_task(slugid::nice(), 0, async |_| Ok::<_, ()>(())).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn tasks_are_cancelled_and_run_again() {
    let scene = Scene::new();
    let group = slugid::nice();
    for _ in 0..6 {
        scene.create(&group).await;
    }
    let done = scene.claim(2).await;
    scene.queue.report_completed(&done[0], 0).await.unwrap();
    scene.queue.report_failed(&done[1], 0).await.unwrap();
    scene
        .fake
        .on(Queue::REFERENCE.endpoint("cancelTask"))
        .times(1)
        .fault(Fault::Status(StatusCode::CONFLICT));
    // As a task of its own, as in a program.
    let queue = scene.queue.clone();
    let (group_id, count) = (group.clone(), 16);
    let each = tokio::spawn(async move { queue.cancel_tasks(&group_id, count).await });
    let each = each.await.unwrap().unwrap();
    assert_eq!((each.done, each.failures.len()), (3, 1));
    assert_eq!(each.failures[0].1.status(), Some(StatusCode::CONFLICT));
    let each = scene.queue.rerun_failed_tasks(&group, 16).await.unwrap();
    assert_eq!((each.done, each.failures.len()), (4, 0));
    for id in done.iter().zip([TaskState::Completed, TaskState::Pending]) {
        assert_eq!(scene.queue.status(id.0).await.unwrap().status.state, id.1);
    }
}
