// Payloads are checked by the compiler.
use std::sync::Arc;

use taskcluster::queue::{CreateTaskRequest, Task, TaskMetadata, TaskPriority};
use taskcluster::{Queue, chrono::Utc, json};

async fn f(queue: Queue) -> taskcluster::Result<()> {
    let metadata = TaskMetadata::new("a task", "d", "me@example.com", "https://example.com");
    let missing = CreateTaskRequest::new(Utc::now(), json!({}), metadata.clone());
    let three = TaskMetadata::new("a task", "d", "me@example.com");
    let swapped = CreateTaskRequest::new(Utc::now(), Utc::now(), metadata.clone(), json!({}));
    let mut task = CreateTaskRequest::new(Utc::now(), Utc::now(), json!({}), metadata);
    task.priorty = Some(TaskPriority::High);
    task.priority = Some("high");
    task.priority = TaskPriority::Hihg;
    task.retries = Some("5".to_owned());
    let _ = task.clone().retries("5").priority("high");
    let _ = task.clone().routs(["index.x"]);
    let _ = task.clone().routes("index.x");
    queue.create_task("T", &json!({"created": "now"})).await?;
    queue.create_task("T", json!({"created": "now"})).await?;
    queue.create_task("T", &Arc::new(task.clone())).await?;
    queue.create_task("T", &task).await?.status.stat;
    queue.create_task("T", &task).await?.state;
    for task in queue.list_task_group("G").await?.task {}
    Ok(())
}

fn literals() {
    let metadata = TaskMetadata {
        name: "a task".to_owned(),
        description: "d".to_owned(),
        owner: "me@example.com".to_owned(),
        source: "https://example.com".to_owned(),
    };
    let task = CreateTaskRequest { metadata, ..Default::default() };
}

fn free_form(task: Task) {
    let _ = task.payload["image"];
    let _ = task.payload.get("image");
    let state = task.priority == "low";
}

fn main() {}
