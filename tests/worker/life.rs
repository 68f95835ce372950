//! What a task goes through if all is well.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use taskcluster::testing::called;
use taskcluster::worker::{ClaimedTask, Outcome, Reason};
use taskcluster::{Auth, StatusCode, artifacts};
use tokio::sync::{Notify, mpsc};

use super::{Scene, Working, as_told, minutes, soon, told};

#[tokio::test]
async fn a_task_is_claimed_carried_out_and_reported() {
    let scene = Scene::new().await;
    let id = scene.create(json!({"greeting": "hello"})).await;
    scene.fake.clear_calls();
    let (done, mut ended) = mpsc::channel(1);
    let working = Working::start(scene.worker().run(move |task: ClaimedTask| {
        let done = done.clone();
        async move {
            let payload = task.payload::<HashMap<String, String>>()?;
            task.log(format!("{}\n", payload["greeting"])).await?;
            task.upload("public/out.bin").bytes("result").await?;
            assert_eq!((task.run_id(), &*task.definition().metadata.name), (0, "a task"));
            assert_eq!(task.status().task_id, task.task_id());
            done.send(()).await?;
            Ok(Outcome::Completed)
        }
    }));
    soon(ended.recv()).await.unwrap();
    let tally = working.stop().await;
    assert_eq!((tally.completed, tally.failed, tally.exceptions, tally.lost), (1, 0, 0, 0));
    let of_task =
        |endpoint: &str| called(endpoint).arg("taskId", &id).arg("runId", 0).status(StatusCode::OK);
    let mut calls = vec![
        called("queue.claimWork")
            .by("worker")
            .payload(json!({"tasks": 1, "workerGroup": "here", "workerId": "me"})),
    ];
    for name in ["public/out.bin", "public/logs/live_backing.log"] {
        calls.extend([
            of_task("queue.createArtifact")
                .arg("name", name)
                .payload(json!({"storageType": "object"})),
            called("object.createUpload"),
            called("object.finishUpload"),
            called("queue.finishArtifact").arg("taskId", &id).arg("name", name),
        ]);
    }
    calls.push(of_task("queue.createArtifact").arg("name", "public/logs/live.log").payload(
        json!({
            "storageType": "link", "artifact": "public/logs/live_backing.log",
            "contentType": "text/plain; charset=utf-8",
        }),
    ));
    calls.push(of_task("queue.reportCompleted"));
    scene.fake.assert_calls(calls);
    assert_eq!(scene.ends(&id).await, ["completed"]);
    let content =
        async |name: &str| artifacts::latest(&scene.author, &id, name).bytes().await.unwrap();
    assert_eq!(content("public/logs/live.log").await, "hello\n");
    assert_eq!(content("public/out.bin").await, "result");
}

#[tokio::test]
async fn each_outcome_is_reported_as_such_and_a_panic_is_not_the_end() {
    let scene = Scene::new().await;
    let mut ids = Vec::new();
    for end in ["panic", "error", "failed", "intermittent", "unavailable", "completed"] {
        ids.push(scene.create_with(told(end), |task| task.retries = Some(0)).await);
    }
    let malformed = scene.create(json!({"end": ["not text"]})).await;
    let working = Working::start(scene.worker().capacity(3).run(|task: ClaimedTask| async move {
        task.payload::<HashMap<String, String>>()?;
        as_told(task).await
    }));
    ids.push(malformed);
    for (id, end) in ids.iter().zip([
        "exception: internal-error",
        "failed",
        "failed",
        "exception: intermittent-task",
        "exception: resource-unavailable",
        "completed",
        "exception: malformed-payload",
    ]) {
        assert_eq!(scene.ended(id).await, [end]);
    }
    let tally = working.stop().await;
    assert_eq!((tally.completed, tally.failed, tally.exceptions, tally.lost), (1, 2, 4, 0));
    let log =
        artifacts::latest(&scene.author, &ids[6], "public/logs/live.log").bytes().await.unwrap();
    let log = String::from_utf8(log.into()).unwrap();
    assert!(log.starts_with("the payload of the task is malformed: "), "{log}");
}

#[tokio::test]
async fn errors_are_outcomes_by_the_rule_of_the_user() {
    let scene = Scene::new().await;
    let (error, malformed) =
        (scene.create(told("error")).await, scene.create(json!({"end": ["not text"]})).await);
    let worker = scene.worker().capacity(2).on_error(|error| {
        match error.to_string().contains("as the payload says") {
            true => Outcome::Exception(Reason::ResourceUnavailable),
            false => Outcome::of_error(error),
        }
    });
    let working = Working::start(worker.run(|task: ClaimedTask| async move {
        task.payload::<HashMap<String, String>>()?;
        as_told(task).await
    }));
    assert_eq!(scene.ended(&error).await, ["exception: resource-unavailable"]);
    assert_eq!(scene.ended(&malformed).await, ["exception: malformed-payload"]);
    working.stop().await;
}

#[tokio::test]
async fn a_panic_in_the_rule_for_errors_is_an_internal_error_too() {
    let scene = Scene::new().await;
    let id = scene.create(told("error")).await;
    let working = Working::start(scene.worker().on_error(|_| panic!("no rule")).run(as_told));
    assert_eq!(scene.ended(&id).await, ["exception: internal-error"]);
    assert_eq!(working.stop().await.exceptions, 1);
}

#[tokio::test]
async fn the_client_of_a_task_has_its_scopes_and_no_others() {
    let scene = Scene::new().await;
    let id = scene
        .create_with(json!({}), |task| {
            task.scopes = Some(vec!["auth:current-scopes".to_owned(), "a:b".to_owned()])
        })
        .await;
    let working = Working::start(scene.worker().run(|task: ClaimedTask| async move {
        let mut scopes = Auth::new(task.client()).current_scopes().await?.scopes;
        scopes.retain(|scope| {
            !scope.starts_with("assume:") && !scope.starts_with("queue:get-artifact:")
        });
        let create = format!("queue:create-artifact:{}/0", task.task_id());
        assert_eq!(scopes, ["a:b".to_owned(), "auth:current-scopes".to_owned(), create]);
        let queue = taskcluster::Queue::new(task.client());
        let error = queue.report_failed(task.task_id(), 0).await.unwrap_err();
        assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
        Ok(Outcome::Completed)
    }));
    assert_eq!(scene.ended(&id).await, ["completed"]);
    working.stop().await;
}

#[tokio::test]
async fn there_are_never_more_tasks_at_once_than_its_capacity() {
    let scene = Scene::new().await;
    for _ in 0..40 {
        scene.create(json!({})).await;
    }
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let working = Working::start(scene.worker().capacity(3).run({
        let (running, most) = (running.clone(), most.clone());
        move |_| {
            let (running, most) = (running.clone(), most.clone());
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(Outcome::Completed)
            }
        }
    }));
    scene.fake.wait_for_calls("queue.reportCompleted", 40).await.unwrap();
    assert_eq!(working.stop().await.completed, 40);
    assert!(most.load(Ordering::SeqCst) <= 3);
    let asked = scene.calls_of("claimWork");
    assert!(
        asked.iter().all(|call| call.payload.as_ref().unwrap()["tasks"].as_u64().unwrap() <= 3)
    );
}

#[tokio::test]
async fn a_task_that_takes_longer_than_it_may_fails() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let begun = Arc::new(Notify::new());
    let working = Working::start(scene.worker().run({
        let begun = begun.clone();
        move |task: ClaimedTask| {
            let begun = begun.clone();
            async move {
                begun.notify_one();
                assert!(task.time_left() > minutes(23 * 60));
                task.within(minutes(10), std::future::pending::<()>()).await?;
                Ok(Outcome::Completed)
            }
        }
    }));
    soon(begun.notified()).await;
    scene.fake.advance(minutes(10));
    assert_eq!(scene.ended(&id).await, ["failed"]);
    working.stop().await;
    assert!(scene.calls_of("reclaimTask").is_empty());
}
