//! Reports the progress of a task group, with async code. `group_report_blocking` is the same program with blocking calls.
//!
//! `cargo run --example group_report [-- TASK_GROUP_ID]`; for a group of a real deployment, set `TASKCLUSTER_ROOT_URL`.

mod shared;

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use taskcluster::{Queue, Result, slugid};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    taskcluster::debug_logging();
    if let (Some(client), Some(group)) = (shared::real_deployment()?, std::env::args().nth(1)) {
        return report(&Queue::new(&client), &group).await;
    }
    let (_deployment, client) = shared::embedded_deployment()?;
    let queue = Queue::new(&client);
    let group = slugid::nice();
    for n in 0..12 {
        let task_id = slugid::nice();
        queue.create_task(&task_id, &shared::task(&group, n)).await?;
        if n % 3 == 0 {
            queue.cancel_task(&task_id).await?;
        }
    }
    report(&queue, &group).await
}

async fn report(queue: &Queue, group: &str) -> Result<()> {
    let mut states = BTreeMap::new();
    let mut tasks = queue.list_task_group(group).limit(5).items();
    while let Some(task) = tasks.try_next().await? {
        *states.entry(task.status.state.to_string()).or_insert(0) += 1;
    }
    println!("{group}: {states:?}");
    Ok(())
}
