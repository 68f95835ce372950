// Wrong calls.
use taskcluster::{Auth, Client, Queue, QueueEvents};

fn main() {
    let client = Client::builder("https://tc.example.com").build().unwrap();
    let queue = Queue::new(client);
    let queue = Queue::new(&client);
    let _ = queue.statsu("T");
    let _ = queue.listTaskGroup("G");
    let _ = queue.getLatestArtifact("T", "public/log");
    let _ = queue.latestArtifact("T", "public/log");
    let _ = Auth::new(&client).sentryDSN("project");
    let _ = queue.status();
    let _ = queue.ping("T");
    let _ = queue.create_task("T");
    let _ = queue.cancel_task("T", &());
    let _ = queue.status("T").limit(5);
    let _ = queue.list_task_group("G").limmit(5);
    let _ = queue.status("T").items();
    let _ = QueueEvents::task_completed().task("T");
}
