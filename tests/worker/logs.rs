//! Logs of tasks.

use serde_json::json;
use taskcluster::testing::Fault;
use taskcluster::worker::{ClaimedTask, Outcome};
use taskcluster::{Queue, StatusCode, artifacts};
use tokio::sync::mpsc;

use super::{Scene, Working, minutes, soon};
use crate::support::as_time_passes;

async fn log(scene: &Scene, task_id: &str) -> String {
    let log =
        artifacts::latest(&scene.author, task_id, "public/logs/live.log").bytes().await.unwrap();
    String::from_utf8(log.into()).unwrap()
}

#[tokio::test]
async fn a_long_log_keeps_its_order() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let expected: String = (0..40_000).map(|n| format!("line {n}\n")).collect();
    let working = Working::start(scene.worker().run(|task: ClaimedTask| async move {
        for n in 0..40_000 {
            task.log(format!("line {n}\n")).await?;
        }
        Ok(Outcome::Completed)
    }));
    assert_eq!(scene.ended(&id).await, ["completed"]);
    working.stop().await;
    assert!(log(&scene, &id).await == expected);
}

#[tokio::test]
async fn a_log_beyond_the_limit_says_so_at_its_end() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let working =
        Working::start(scene.worker().log_limit(10).run(|task: ClaimedTask| async move {
            for _ in 0..100 {
                task.log("12345678").await?;
            }
            Ok(Outcome::Completed)
        }));
    assert_eq!(scene.ended(&id).await, ["completed"]);
    working.stop().await;
    assert_eq!(
        log(&scene, &id).await,
        "1234567812\n[the log is cut off here: it is limited to 10 bytes]\n"
    );
}

#[tokio::test]
async fn a_log_goes_to_s3_if_uploads_do() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let worker = scene.worker().uploads(|upload| upload.s3().compress(true));
    let working = Working::start(worker.run(|task: ClaimedTask| async move {
        task.log("packed\n").await?;
        Ok(Outcome::Completed)
    }));
    assert_eq!(scene.ended(&id).await, ["completed"]);
    working.stop().await;
    assert_eq!(log(&scene, &id).await, "packed\n");
    assert_eq!(scene.calls_of("createArtifact")[0].payload.as_ref().unwrap()["storageType"], "s3");
}

#[tokio::test]
async fn a_task_is_reported_without_its_log_if_that_is_refused() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let refusal = Fault::Status(StatusCode::FORBIDDEN);
    scene.fake.on(Queue::REFERENCE.endpoint("createArtifact")).fault(refusal);
    let working = Working::start(scene.worker().run(|task: ClaimedTask| async move {
        task.log("text").await?;
        Ok(Outcome::Completed)
    }));
    assert_eq!(scene.ended(&id).await, ["completed"]);
    assert_eq!(working.stop().await.completed, 1);
}

#[tokio::test]
async fn a_log_waits_for_the_object_service_but_not_for_ever() {
    let scene = Scene::new().await;
    let away = Fault::Status(StatusCode::SERVICE_UNAVAILABLE);
    scene.fake.on(taskcluster::Object::REFERENCE.endpoint("createUpload")).fault(away);
    let (late, never) = (scene.create(json!({})).await, scene.create(json!({})).await);
    let working = Working::start(scene.worker().run(|task: ClaimedTask| async move {
        task.log("text").await?;
        Ok(Outcome::Completed)
    }));
    scene.fake.wait_for_calls("object.createUpload", 6).await.unwrap();
    assert_eq!(scene.ends(&late).await, ["running"]);
    scene.fake.clear_stubs();
    scene.fake.advance(minutes(1));
    assert_eq!(scene.ended(&late).await, ["completed"]);
    assert_eq!(log(&scene, &late).await, "text");

    let away = Fault::Status(StatusCode::SERVICE_UNAVAILABLE);
    scene.fake.on(taskcluster::Object::REFERENCE.endpoint("createUpload")).fault(away);
    let ended = as_time_passes(&scene.fake, minutes(1), scene.ended(&never)).await;
    assert_eq!(ended, ["completed"]);
    working.stop().await;
}

#[tokio::test]
async fn the_log_of_a_task_that_has_ended_is_closed() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let (give, mut given) = mpsc::channel(1);
    let working = Working::start(scene.worker().run(move |task: ClaimedTask| {
        let give = give.clone();
        async move {
            give.send(task).await?;
            Ok(Outcome::Completed)
        }
    }));
    let task = soon(given.recv()).await.unwrap();
    assert_eq!(scene.ended(&id).await, ["completed"]);
    soon(task.cancelled()).await;
    working.stop().await;
    assert!(task.is_cancelled());
    let error = task.log("late").await.unwrap_err();
    assert!(error.to_string().contains("closed"), "{error}");
    scene.fake.clear_calls();
    let error = task.upload("public/late").bytes("late").await.unwrap_err();
    assert!(format!("{error}").contains("the credentials have been withdrawn"), "{error}");
    assert!(scene.fake.calls().is_empty());
    // Nothing was logged, so there is no log.
    assert!(scene.author.list_latest_artifacts(&id).await.unwrap().artifacts.is_empty());
}
