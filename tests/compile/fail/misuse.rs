use taskcluster::{Client, Queue, QueueEvents};

fn main() {
    let queue = Queue::new(&Client::builder("https://tc.example.com").build().unwrap());
    let _ = queue.statsu("T");
    let _ = queue.status();
    let _ = queue.create_task("T");
    let _ = queue.status("T").limit(5);
    let _ = queue.list_task_group("G").limmit(5);
    let _ = queue.status("T").items();
    let _ = QueueEvents::task_completed().task("T");
}
