#![deny(unused_must_use)]

use taskcluster::{Client, Queue};

fn main() {
    let queue = Queue::new(&Client::builder("https://tc.example.com").build().unwrap());
    queue.cancel_task("T");
    queue.list_task_group("T").limit(5);
}
