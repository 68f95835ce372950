//! Reports the progress of a task group, with blocking calls. `group_report` is the same program with async code.
//!
//! `cargo run --example group_report_blocking [-- TASK_GROUP_ID]`; for a group of a real deployment, set
//! `TASKCLUSTER_ROOT_URL`.

mod shared;

use std::collections::BTreeMap;

use taskcluster::{Queue, Result, slugid};

fn main() -> Result<()> {
    taskcluster::debug_logging();
    if let (Some(client), Some(group)) = (shared::real_deployment()?, std::env::args().nth(1)) {
        return report(&Queue::new(&client), &group);
    }
    let (_deployment, client) = shared::embedded_deployment()?;
    let queue = Queue::new(&client);
    let group = slugid::nice();
    for n in 0..12 {
        let task_id = slugid::nice();
        queue.create_task(&task_id, &shared::task(&group, n)).send_blocking()?;
        if n % 3 == 0 {
            queue.cancel_task(&task_id).send_blocking()?;
        }
    }
    report(&queue, &group)
}

fn report(queue: &Queue, group: &str) -> Result<()> {
    let mut states = BTreeMap::new();
    for task in queue.list_task_group(group).limit(5).items_blocking() {
        let task = task?;
        *states.entry(task.status.state.to_string()).or_insert(0) += 1;
    }
    println!("{group}: {states:?}");
    Ok(())
}
