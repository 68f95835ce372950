//! Many tasks, and everything goes wrong at random.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use taskcluster::StatusCode;
use taskcluster::testing::{Deployment, Fault};
use taskcluster::worker::{ClaimedTask, Outcome, Shutdown, TaskError};

use super::faults::{endpoints_of_tasks, faults, impatient_worker};
use super::{Scene, Working, as_told, minutes};

/// How many tasks there are, unless `TASKCLUSTER_SOAK` says so.
const TASKS: usize = 60;

const ENDS: [(&str, &str); 6] = [
    ("completed", "completed"),
    ("failed", "failed"),
    ("unavailable", "exception: resource-unavailable"),
    ("panic", "exception: internal-error"),
    ("error", "failed"),
    ("long", "completed"),
];

/// Numbers that are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

async fn carry_out(task: ClaimedTask) -> Result<Outcome, TaskError> {
    let payload = task.payload::<Value>()?;
    if payload["log"] == true {
        task.log("text\n").await?;
    }
    if payload["end"] == "long" {
        // Longer than a claim.
        let _ = task.within(minutes(25), std::future::pending::<()>()).await;
    }
    as_told(task).await
}

/// Lets time pass, 500 times as fast as it does, and makes new faults in place of the old ones.
fn trouble(fake: Deployment, ended: Arc<AtomicBool>) {
    let mut chance = Chance(7);
    let (mut faults, endpoints) = (faults(), endpoints_of_tasks());
    // It costs seconds wherever it happens.
    let hanging = Fault::Stall(10);
    faults.push(Fault::Status(StatusCode::SERVICE_UNAVAILABLE));
    for step in 0.. {
        if ended.load(Ordering::Relaxed) {
            return;
        }
        if step % 100 == 0 {
            fake.clear_stubs();
            let any = |chance: &mut Chance| faults[chance.below(faults.len())].clone();
            match chance.below(8) {
                // A pause.
                0 => {}
                // The deployment is away for a few minutes.
                1 => fake.on_any().fault(Fault::Html(StatusCode::BAD_GATEWAY)),
                _ => {
                    let endpoint = endpoints[chance.below(endpoints.len())];
                    for _ in 0..3 {
                        let (every, fault) = (2 + chance.below(4), any(&mut chance));
                        // A wrong clock at each call for work is a refusal, which ends a worker.
                        let stub = match fault {
                            Fault::Skew(_) => fake.on(endpoint),
                            _ => fake.on_any(),
                        };
                        stub.one_in(every).fault(fault);
                    }
                    fake.on(endpoint).times(1).fault(hanging.clone());
                }
            }
        }
        fake.advance(Duration::from_secs(1));
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_tasks_ends_once_whatever_happens() {
    let count = std::env::var("TASKCLUSTER_SOAK").map_or(TASKS, |count| count.parse().unwrap());
    let scene = Scene::new().await;
    let mut chance = Chance(1);
    let mut tasks = Vec::new();
    for _ in 0..count {
        let (end, expected) = ENDS[if chance.below(10) == 0 { 5 } else { chance.below(5) }];
        let payload = json!({"end": end, "log": chance.below(4) == 0});
        let id = scene.create_with(payload, |task| {
            task.retries = Some(49);
            task.deadline = task.created + Duration::from_secs(4 * 86_400);
        });
        let is_cancelled = chance.below(20) == 0;
        tasks.push((id.await, expected, is_cancelled));
    }
    let begun = Instant::now();
    let workers = ["a", "b"].map(|id| {
        let worker = impatient_worker(&scene, id).on_shutdown(Shutdown::Within(minutes(1)));
        Working::start(worker.capacity(16).run(carry_out))
    });
    let ended = Arc::new(AtomicBool::new(false));
    let trouble = std::thread::spawn({
        let (fake, ended) = (scene.fake.clone(), ended.clone());
        move || trouble(fake, ended)
    });

    // The author waits out the faults, and cancels a few tasks on the way.
    let ask = async |id: &str| loop {
        match scene.author.status(id).await {
            Ok(answer) => break answer.status,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    for (id, ..) in tasks.iter().filter(|(.., is_cancelled)| *is_cancelled) {
        while scene.author.cancel_task(id).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    for (id, ..) in &tasks {
        while matches!(ask(id).await.state.to_string().as_str(), "pending" | "running") {
            assert!(begun.elapsed() < Duration::from_secs(600), "it must not hang");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    ended.store(true, Ordering::Relaxed);
    trouble.join().unwrap();
    scene.fake.clear_stubs();

    let (mut completed, mut failed, mut exceptions, mut lost) = (0, 0, 0, 0);
    for worker in workers {
        let tally = worker.stop().await;
        completed += tally.completed;
        failed += tally.failed;
        exceptions += tally.exceptions;
        lost += tally.lost;
    }
    let mut ends = std::collections::BTreeMap::<String, u64>::new();
    for (id, expected, is_cancelled) in &tasks {
        let runs = scene.ends(id).await;
        let (last, earlier) = runs.split_last().unwrap();
        let is_right = last == expected || (*is_cancelled && last == "exception: canceled");
        assert!(is_right, "{id}: {runs:?}, expected {expected}");
        // Claims that the worker never heard of, or could not renew.
        assert!(earlier.iter().all(|end| end == "exception: claim-expired"), "{id}: {runs:?}");
        for end in runs {
            *ends.entry(end).or_default() += 1;
        }
    }
    println!("{count} tasks in {:?}: {ends:?}", begun.elapsed());
    println!(
        "as the workers see it: {completed} completed, {failed} failed, {exceptions} exceptions, {lost} lost"
    );
    // What a worker takes for reported is what the queue has, and nothing of that twice.
    let real = |end: &str| ends.get(end).copied().unwrap_or_default();
    let reported =
        ["completed", "failed", "exception: resource-unavailable", "exception: internal-error"];
    assert!(completed <= real("completed") && failed <= real("failed"));
    let known = completed + failed + exceptions;
    let ended: u64 = reported.iter().map(|end| real(end)).sum();
    assert!(known <= ended && ended <= known + lost, "{known} known, {ended} ended, {lost} lost");
    assert!(scene.calls_of("reclaimTask").iter().any(|call| call.status == Some(StatusCode::OK)));
}
