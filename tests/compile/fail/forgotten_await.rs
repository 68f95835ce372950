// Calls that are not awaited.
use taskcluster::queue::TaskStatusResponse;
use taskcluster::{Auth, Queue, Result};

async fn f(auth: Auth, queue: Queue) -> Result<()> {
    queue.status("T").unwrap();
    queue.list_task_group("G").expect("a group");
    queue.status("T")?;
    queue.status("T").status.state;
    queue.status("T").send()?;
    queue.status("T").send().status.state;
    queue.status("T").await.status.state;
    queue.list_task_group("G").tasks;
    for task in queue.list_task_group("G").items() {}
    for page in queue.list_task_group("G").pages() {}
    for task in queue.list_task_group("G") {}
    for client in auth.list_clients() {}
    for role in auth.list_roles() {}
    Ok(())
}

fn spawned(queue: Queue) {
    tokio::spawn(queue.status("T"));
}

async fn g(queue: Queue) -> Result<TaskStatusResponse> {
    queue.status("T")
}

fn h(queue: Queue) {
    queue.status("T").await;
}

fn main() {}
