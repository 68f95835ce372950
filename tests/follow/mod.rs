//! Following tasks and groups, on the embedded deployment and by its clock.

mod each;
mod groups;
mod hearing;
mod tasks;

use std::time::Duration;

use futures::TryStreamExt as _;
use taskcluster::follow::States;
use taskcluster::queue::{ClaimWorkRequest, CreateTaskRequest, TaskMetadata};
use taskcluster::testing::{Deployment, RecordedCall};
use taskcluster::{Queue, from_now, json, slugid};

/// More than the longest time between two looks, whatever the jitter.
const A_WHILE: Duration = Duration::from_secs(80);

/// Nothing is measured by it: it keeps a broken test from hanging.
const HANGING: Duration = Duration::from_secs(120);

struct Scene {
    fake: Deployment,
    queue: Queue,
}

impl Scene {
    fn new() -> Self {
        let fake = Deployment::start_blocking().unwrap();
        let queue = Queue::new(&fake.connect_as("tester", ["queue:*"]).unwrap());
        Self { fake, queue }
    }

    async fn create(&self, group: &str) -> String {
        let id = slugid::nice();
        self.queue.create_task(&id, &definition(group)).await.unwrap();
        id
    }

    /// Claims this many tasks and returns their ids.
    async fn claim(&self, count: i64) -> Vec<String> {
        let request = ClaimWorkRequest::new("here", "me", count);
        let claimed = self.queue.claim_work("builds/linux", &request).await.unwrap().tasks;
        claimed.into_iter().map(|claim| claim.status.task_id).collect()
    }

    fn calls_of(&self, endpoint: &str) -> Vec<RecordedCall> {
        self.fake.calls().into_iter().filter(|call| call.endpoint.name == endpoint).collect()
    }
}

fn definition(group: &str) -> CreateTaskRequest {
    let metadata = TaskMetadata::new("a task", "", "me@example.com", "https://example.com");
    let (created, deadline) = (from_now("0 seconds").unwrap(), from_now("4 days").unwrap());
    let mut task = CreateTaskRequest::new(created, deadline, json!({}), metadata);
    task.task_queue_id = Some("builds/linux".to_owned());
    task.task_group_id = Some(group.to_owned());
    task
}

/// The next state, as task, state and number of runs; `None` at the end.
async fn next(states: &mut States) -> Option<(String, String, usize)> {
    let status = tokio::time::timeout(HANGING, states.try_next()).await.unwrap().unwrap()?;
    Some((status.task_id, status.state.to_string(), status.runs.len()))
}

fn item(task_id: &str, state: &str, runs: usize) -> Option<(String, String, usize)> {
    Some((task_id.to_owned(), state.to_owned(), runs))
}
