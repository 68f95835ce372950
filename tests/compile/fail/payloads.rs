// Payloads are checked by the compiler.
use taskcluster::queue::{CreateTaskRequest, TaskMetadata, TaskPriority};
use taskcluster::{Queue, chrono::Utc, json};

async fn f(queue: Queue) -> taskcluster::Result<()> {
    let metadata = TaskMetadata::new("a task", "d", "me@example.com", "https://example.com");
    let missing = CreateTaskRequest::new(Utc::now(), json!({}), metadata.clone());
    let mut task = CreateTaskRequest::new(Utc::now(), Utc::now(), json!({}), metadata);
    task.priorty = Some(TaskPriority::High);
    task.priority = Some("high");
    task.retries = Some("5".to_owned());
    queue.create_task("T", &json!({"created": "now"})).await?;
    queue.create_task("T", &task).await?.status.stat;
    for task in queue.list_task_group("G").await?.task {}
    Ok(())
}

fn main() {}
