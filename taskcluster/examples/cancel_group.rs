//! Cancels every task of a large group, many at a time, and reports the tasks that could not be cancelled.
//!
//! Runs against the embedded deployment with 5,000 tasks, or as many as the first argument says. Some of them are already
//! resolved.

mod shared;

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::ProgressBar;
use taskcluster::testing::Deployment;
use taskcluster::{Error, Queue, Result, StatusCode, json, slugid};

/// How many calls run at the same time.
const AT_ONCE: usize = 32;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    taskcluster::debug_logging();
    let count = std::env::args().nth(1).map_or(Ok(5_000), |count| count.parse())?;
    let (deployment, client) = shared::embedded_deployment()?;
    let queue = Queue::new(&client);
    let group = slugid::nice();
    create(&queue, &group, count).await?;
    refuse_some(&deployment, 7);

    let failures = cancel(&queue, &group, count).await?;
    println!("{} of {count} tasks cancelled", count - failures.len());
    let mut summary = BTreeMap::<_, Vec<_>>::new();
    for (task_id, error) in failures {
        let what = error.code().map_or_else(|| error.to_string(), str::to_owned);
        summary.entry(what).or_default().push(task_id);
    }
    for (what, tasks) in summary {
        println!("{what}: {} tasks, the first of them {}", tasks.len(), tasks[0]);
    }
    Ok(())
}

async fn create(queue: &Queue, group: &str, count: usize) -> Result<()> {
    let bar = ProgressBar::new(count as u64).with_message("create");
    stream::iter(0..count)
        .map(|n| queue.create_task(slugid::nice(), &shared::task(group, n)).into_future())
        .buffer_unordered(AT_ONCE)
        .try_for_each(async |_| {
            bar.inc(1);
            Ok(())
        })
        .await?;
    bar.finish();
    Ok(())
}

/// Cancels all tasks of the group and returns those that could not be cancelled, with the error.
async fn cancel(queue: &Queue, group: &str, count: usize) -> Result<Vec<(String, Error)>> {
    let bar = ProgressBar::new(count as u64).with_message("cancel");
    let failures = queue
        .list_task_group(group)
        .items()
        .map_ok(|task| task.status.task_id)
        .map_ok(async |task_id| {
            let result = queue.cancel_task(&task_id).await;
            bar.inc(1);
            Ok(result.err().map(|error| (task_id, error)))
        })
        .try_buffer_unordered(AT_ONCE)
        .try_filter_map(async |failure| Ok(failure))
        .try_collect()
        .await?;
    bar.finish();
    Ok(failures)
}

/// Makes the deployment claim that a few tasks are already resolved.
fn refuse_some(deployment: &Deployment, count: usize) {
    let body = json!({"code": "RequestConflict", "message": "the task is resolved already"});
    deployment
        .on(Queue::REFERENCE.endpoint("cancelTask"))
        .times(count)
        .reply_status(StatusCode::CONFLICT, body);
}
