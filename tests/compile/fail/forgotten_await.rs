// Calls that are not awaited.
use taskcluster::queue::TaskStatusResponse;
use taskcluster::{Queue, Result};

async fn f(queue: Queue) -> Result<()> {
    queue.status("T").unwrap();
    queue.list_task_group("G").expect("a group");
    queue.status("T")?;
    queue.status("T").status.state;
    queue.status("T").send()?;
    for task in queue.list_task_group("G").items() {}
    for page in queue.list_task_group("G").pages() {}
    for task in queue.list_task_group("G") {}
    Ok(())
}

async fn g(queue: Queue) -> Result<TaskStatusResponse> {
    queue.status("T")
}

fn h(queue: Queue) {
    queue.status("T").await;
}

fn main() {}
