//! The worker, on the embedded deployment and by its clock.

mod claims;
mod faults;
mod life;
mod logs;
mod renewal;
mod reports;
mod shutdown;
mod soak;

use std::time::Duration;

use serde_json::{Value, json};
use taskcluster::queue::{CreateTaskRequest, TaskMetadata, TaskState, TaskStatus};
use taskcluster::testing::{Deployment, RecordedCall};
use taskcluster::worker::{ClaimedTask, Outcome, Run, Tally, TaskError, Worker};
use taskcluster::{Queue, QueueEvents, Result, from_now, slugid};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const TASKS: &str = "builds/linux";

/// Nothing is measured by it: it keeps a broken test from hanging.
const HANGING: Duration = Duration::from_secs(120);

/// A deployment, and somebody who may do everything with tasks.
struct Scene {
    fake: Deployment,
    author: Queue,
}

impl Scene {
    async fn new() -> Self {
        let fake = Deployment::start().await.unwrap();
        let author = Queue::new(&fake.connect_as("author", ["*"]).unwrap());
        Self { fake, author }
    }

    /// A worker with the scopes that it needs.
    fn worker(&self) -> Worker {
        let scopes = ["queue:claim-work:builds/linux", "queue:worker-id:here/me", "queue:status:*"];
        Worker::new(&self.fake.connect_as("worker", scopes).unwrap(), TASKS, "here", "me")
    }

    async fn create(&self, payload: Value) -> String {
        self.create_with(payload, |_| ()).await
    }

    async fn create_with(
        &self,
        payload: Value,
        change: impl FnOnce(&mut CreateTaskRequest),
    ) -> String {
        let id = slugid::nice();
        let mut task = definition(payload);
        change(&mut task);
        self.author.create_task(&id, &task).await.unwrap();
        id
    }

    async fn status(&self, task_id: &str) -> TaskStatus {
        self.author.status(task_id).await.unwrap().status
    }

    /// How the runs of a task ended, such as `completed` and `exception: canceled`.
    async fn ends(&self, task_id: &str) -> Vec<String> {
        let runs = self.status(task_id).await.runs;
        let end = |run: taskcluster::queue::TaskStatusRun| match run.reason_resolved {
            Some(reason) if reason.to_string() == run.state.to_string() => reason.to_string(),
            Some(reason) => format!("{}: {reason}", run.state),
            None => run.state.to_string(),
        };
        runs.into_iter().map(end).collect()
    }

    /// Waits until the task is resolved, and returns how its runs ended.
    async fn ended(&self, task_id: &str) -> Vec<String> {
        let completed = QueueEvents::task_completed().task_id(task_id);
        let mut messages = self.fake.listen(completed).unwrap();
        messages = messages.bind(QueueEvents::task_failed().task_id(task_id)).unwrap();
        messages = messages.bind(QueueEvents::task_exception().task_id(task_id)).unwrap();
        while matches!(
            self.status(task_id).await.state,
            TaskState::Unscheduled | TaskState::Pending | TaskState::Running
        ) {
            messages.next().await.unwrap();
        }
        self.ends(task_id).await
    }

    fn calls_of(&self, endpoint: &str) -> Vec<RecordedCall> {
        self.fake.calls().into_iter().filter(|call| call.endpoint.name == endpoint).collect()
    }
}

fn definition(payload: Value) -> CreateTaskRequest {
    let metadata = TaskMetadata::new("a task", "", "me@example.com", "https://example.com");
    let (created, deadline) = (from_now("0 seconds").unwrap(), from_now("1 day").unwrap());
    let mut task = CreateTaskRequest::new(created, deadline, payload, metadata);
    task.task_queue_id = Some(TASKS.to_owned());
    task
}

/// A worker at work, and how to end it.
struct Working {
    stop: oneshot::Sender<()>,
    run: JoinHandle<Result<Tally>>,
}

impl Working {
    fn start(run: Run) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, run: tokio::spawn(run.shutdown_on(stopped).into_future()) }
    }

    async fn stop(self) -> Tally {
        self.stop.send(()).unwrap();
        soon(self.run).await.unwrap().unwrap()
    }
}

/// Waits for what must come.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(HANGING, future).await.expect("it must not hang")
}

/// Waits until something is so that only the worker's process knows.
async fn until(mut is_so: impl FnMut() -> bool) {
    soon(async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// What a payload says: `{"end": "failed"}`, for example.
async fn as_told(task: ClaimedTask) -> Result<Outcome, TaskError> {
    use taskcluster::worker::Reason;
    Ok(match task.payload::<Value>()?["end"].as_str() {
        Some("failed") => Outcome::Failed,
        Some("intermittent") => Outcome::Exception(Reason::IntermittentTask),
        Some("unavailable") => Outcome::Exception(Reason::ResourceUnavailable),
        Some("panic") => panic!("as the payload says"),
        Some("error") => return Err("as the payload says".into()),
        _ => Outcome::Completed,
    })
}

fn told(end: &str) -> Value {
    json!({"end": end})
}
