//! Renewing claims, and losing them.

use std::io::Read;
use std::sync::{Arc, Mutex, mpsc as blocking};
use std::time::Duration;

use serde_json::json;
use taskcluster::testing::{Fault, called};
use taskcluster::worker::{ClaimedTask, Outcome};
use taskcluster::{Queue, StatusCode};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Scene, Working, minutes, soon, until};
use crate::support::as_time_passes;

/// A worker whose tasks run until they are told to end, and are handed out.
fn waiting(scene: &Scene) -> (Working, mpsc::Receiver<ClaimedTask>, watch::Sender<bool>) {
    let (give, given) = mpsc::channel(10);
    let (end, ended) = watch::channel(false);
    let run = scene.worker().capacity(4).run(move |task: ClaimedTask| {
        let (give, mut ended) = (give.clone(), ended.clone());
        async move {
            give.send(task).await?;
            ended.wait_for(|ended| *ended).await?;
            Ok(Outcome::Completed)
        }
    });
    (Working::start(run), given, end)
}

#[tokio::test]
async fn a_claim_is_renewed_3_minutes_before_its_end_with_its_own_credentials() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let (working, mut given, end) = waiting(&scene);
    let task = soon(given.recv()).await.unwrap();
    let mut names = Vec::new();
    for renewals in 1..=5 {
        scene.fake.advance(minutes(16));
        assert_eq!(scene.calls_of("reclaimTask").len(), renewals - 1);
        scene.fake.advance(minutes(1));
        let reclaimed = called("queue.reclaimTask").status(StatusCode::OK);
        let call = scene.fake.wait_for_calls(reclaimed, renewals).await.unwrap().pop().unwrap();
        assert_eq!((&call.args["taskId"], &*call.args["runId"]), (&id, "0"));
        names.push(call.client_id.unwrap());
        // The worker has the new credentials when it knows the new end of the claim.
        let taken = scene.status(&id).await.runs[0].taken_until;
        until(|| task.status().runs[0].taken_until == taken).await;
    }
    end.send(true).unwrap();
    assert_eq!(scene.ended(&id).await, ["completed"]);
    names.push(scene.calls_of("reportCompleted")[0].client_id.clone().unwrap());
    assert!(names[0].starts_with(&format!("task-client/{id}/0/on/here/me/until/")), "{names:?}");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 6, "each renewal brings new credentials, which the next one uses");
    assert_eq!(working.stop().await.completed, 1);
}

#[tokio::test]
async fn an_upload_under_way_goes_on_with_the_new_credentials() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let (begin, begun) = oneshot::channel();
    let (go_on, gone_on) = blocking::channel::<()>();
    let (begin, gone_on) = (Arc::new(Mutex::new(Some(begin))), Arc::new(Mutex::new(gone_on)));
    let working = Working::start(scene.worker().run(move |task: ClaimedTask| {
        let (begin, gone_on) = (begin.clone(), gone_on.clone());
        async move {
            // Its first byte is read after the claim has been renewed.
            let open = move || {
                let (begin, gone_on) = (begin.clone(), gone_on.clone());
                Ok(Held { begin, gone_on, left: 20_000 })
            };
            task.upload("public/large").reader(20_000, open).await?;
            Ok(Outcome::Completed)
        }
    }));
    soon(begun).await.unwrap();
    scene.fake.advance(minutes(17));
    let reclaimed = called("queue.reclaimTask").status(StatusCode::OK);
    scene.fake.wait_for_calls(reclaimed, 1).await.unwrap();
    let taken = scene.status(&id).await.runs[0].taken_until.unwrap().timestamp();
    // Until the worker has read the response.
    scene.fake.advance(minutes(17));
    scene.fake.wait_for_calls("queue.reclaimTask", 2).await.unwrap();
    go_on.send(()).unwrap();
    assert_eq!(scene.ended(&id).await, ["completed"]);
    let created = scene.calls_of("createArtifact").remove(0).client_id.unwrap();
    let finished = scene.calls_of("finishArtifact").remove(0).client_id.unwrap();
    let second = format!("task-client/{id}/0/on/here/me/until/{taken}");
    assert_ne!(created, finished);
    assert_eq!(scene.calls_of("reclaimTask")[1].client_id.as_deref(), Some(&*second));
    working.stop().await;
}

/// Content that is read once somebody says so.
struct Held {
    begin: Arc<Mutex<Option<oneshot::Sender<()>>>>,
    gone_on: Arc<Mutex<blocking::Receiver<()>>>,
    left: usize,
}

impl Read for Held {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if let Some(begin) = self.begin.lock().unwrap().take() {
            begin.send(()).unwrap();
            self.gone_on.lock().unwrap().recv().unwrap();
        }
        let count = self.left.min(into.len());
        into[..count].fill(0);
        self.left -= count;
        Ok(count)
    }
}

/// Tells that it was dropped.
struct Dropped(mpsc::UnboundedSender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn a_cancelled_task_stops_and_nothing_more_is_sent_for_it() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let (give, mut given) = mpsc::channel(1);
    let (drop, mut dropped) = mpsc::unbounded_channel();
    let working = Working::start(scene.worker().run(move |task: ClaimedTask| {
        let (give, drop) = (give.clone(), drop.clone());
        async move {
            let _dropped = Dropped(drop);
            task.log("never uploaded").await?;
            give.send(task).await?;
            std::future::pending().await
        }
    }));
    let task = soon(given.recv()).await.unwrap();
    let left_behind = tokio::spawn({
        let task = task.clone();
        async move {
            task.cancelled().await;
            Queue::new(task.client()).status(task.task_id()).await
        }
    });
    assert!(!task.is_cancelled());
    scene.author.cancel_task(&id).await.unwrap();
    scene.fake.advance(minutes(17));
    soon(dropped.recv()).await.unwrap();
    let error = soon(left_behind).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("the credentials have been withdrawn"), "{error}");
    let tally = working.stop().await;
    assert_eq!((tally.lost, tally.exceptions), (1, 0));
    let of_task = scene.fake.calls().into_iter().filter(|call| {
        call.client_id.as_deref().is_some_and(|name| name.starts_with("task-client/"))
    });
    let of_task: Vec<_> = of_task.map(|call| (call.endpoint.name, call.status)).collect();
    assert_eq!(of_task, [("reclaimTask", Some(StatusCode::CONFLICT))]);
    assert_eq!(scene.ends(&id).await, ["exception: canceled"]);
}

#[tokio::test]
async fn a_task_stops_after_its_deadline() {
    let scene = Scene::new().await;
    let deadline = taskcluster::from_now("25 minutes").unwrap();
    let id = scene.create_with(json!({}), |task| task.deadline = deadline).await;
    let (working, mut given, _end) = waiting(&scene);
    let task = soon(given.recv()).await.unwrap();
    scene.fake.advance(minutes(17));
    scene.fake.wait_for_calls("queue.reclaimTask", 1).await.unwrap();
    let taken = scene.status(&id).await.runs[0].taken_until;
    until(|| task.status().runs[0].taken_until == taken).await;
    scene.fake.advance(minutes(17));
    soon(task.cancelled()).await;
    assert_eq!(working.stop().await.lost, 1);
    assert_eq!(scene.ends(&id).await, ["exception: deadline-exceeded"]);
}

#[tokio::test]
async fn a_renewal_is_tried_until_the_claim_ends() {
    let scene = Scene::new().await;
    let id = scene.create(json!({})).await;
    let (working, mut given, end) = waiting(&scene);
    let task = soon(given.recv()).await.unwrap();
    let reclaim = || scene.fake.on(Queue::REFERENCE.endpoint("reclaimTask"));
    reclaim().times(6).fault(Fault::Status(StatusCode::BAD_GATEWAY));
    reclaim().times(1).fault(Fault::Html(StatusCode::NOT_FOUND));
    reclaim().times(1).fault(Fault::Truncate);
    scene.fake.advance(minutes(17));
    // The client tries six times by itself.
    scene.fake.wait_for_calls("queue.reclaimTask", 6).await.unwrap();
    let all = scene.fake.wait_for_calls("queue.reclaimTask", 9);
    as_time_passes(&scene.fake, Duration::from_secs(1), all).await.unwrap();
    assert!(!task.is_cancelled());
    end.send(true).unwrap();
    assert_eq!(scene.ended(&id).await, ["completed"]);

    // The next task is not so lucky.
    assert_eq!(working.stop().await.completed, 1);
    let id = scene.create(json!({})).await;
    let (working, mut given, _end) = waiting(&scene);
    let task = soon(given.recv()).await.unwrap();
    scene.fake.on(Queue::REFERENCE.endpoint("reclaimTask")).fault(Fault::Disconnect);
    as_time_passes(&scene.fake, minutes(1), task.cancelled()).await;
    scene.fake.advance(minutes(20));
    assert_eq!(scene.ends(&id).await[0], "exception: claim-expired");
    working.run.abort();
}

#[tokio::test]
async fn the_clock_of_the_machine_does_not_matter() {
    // The first two are so little that requests are not refused for them.
    for offset in [600, -600, 5 * 3600, -5 * 3600] {
        let scene = Scene::new().await;
        scene.fake.set_clock_offset(offset);
        let change = |task: &mut taskcluster::queue::CreateTaskRequest| {
            task.created = scene.fake.now();
            task.deadline = scene.fake.now() + minutes(60);
        };
        let id = scene.create_with(json!({}), change).await;
        let (working, mut given, end) = waiting(&scene);
        let task = soon(given.recv()).await.unwrap();
        assert!(
            task.time_left() > minutes(58) && task.time_left() <= minutes(60),
            "{:?}",
            task.time_left()
        );
        for renewals in 1..=2 {
            assert_eq!(scene.calls_of("reclaimTask").len(), renewals - 1);
            scene.fake.advance(minutes(17));
            scene.fake.wait_for_calls("queue.reclaimTask", renewals).await.unwrap();
            let taken = scene.status(&id).await.runs[0].taken_until;
            until(|| task.status().runs[0].taken_until == taken).await;
        }
        end.send(true).unwrap();
        assert_eq!(scene.ended(&id).await, ["completed"]);
        working.stop().await;
    }
}

#[tokio::test]
async fn a_deployment_may_be_away_for_ten_minutes_at_any_time() {
    for (from, expected) in [
        // Nothing is due meanwhile.
        (2, vec!["completed"]),
        // The claim should be renewed meanwhile, and can be in time.
        (9, vec!["completed"]),
        // It ends meanwhile.
        (12, vec!["exception: claim-expired", "completed"]),
    ] {
        let scene = Scene::new().await;
        let id = scene.create(json!({})).await;
        let (working, mut given, end) = waiting(&scene);
        soon(given.recv()).await.unwrap();
        scene.fake.advance(minutes(from));
        let away = Fault::Status(StatusCode::SERVICE_UNAVAILABLE);
        scene.fake.on_any().fault(away);
        for _ in 0..10 {
            scene.fake.advance(minutes(1));
            // The worker may notice each minute or not: what comes of the task is the same.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if from == 2 {
            // The task ends while the deployment is away, so it is reported later.
            end.send(true).unwrap();
            scene.fake.wait_for_calls("queue.reportCompleted", 6).await.unwrap();
        }
        scene.fake.clear_stubs();
        let accepted = async |name: &str| {
            let accepted = scene.fake.wait_for_calls(called(name).status(StatusCode::OK), 1);
            // A minute of the claim is left, so little by little.
            as_time_passes(&scene.fake, Duration::from_millis(500), accepted).await.unwrap();
        };
        if from == 9 {
            accepted("queue.reclaimTask").await;
        }
        let _ = end.send(true);
        accepted("queue.reportCompleted").await;
        assert_eq!(scene.ends(&id).await, expected);
        let tally = working.stop().await;
        assert_eq!((tally.completed, tally.lost), (1, expected.len() as u64 - 1));
    }
}

#[tokio::test]
async fn many_tasks_renew_their_claims_beside_each_other() {
    let scene = Scene::new().await;
    for _ in 0..4 {
        scene.create(json!({})).await;
    }
    let (working, mut given, end) = waiting(&scene);
    for _ in 0..4 {
        soon(given.recv()).await.unwrap();
    }
    scene.fake.advance(minutes(17));
    scene.fake.wait_for_calls("queue.reclaimTask", 4).await.unwrap();
    end.send(true).unwrap();
    assert_eq!(working.stop().await.completed, 4);
}
