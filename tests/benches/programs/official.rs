//! What is measured of the crate `taskcluster` of crates.io. See `ours.rs`.

mod common;

use std::sync::Arc;

use common::{TASK_ID, Work};
use serde_json::{Value, json};
use taskcluster::{
    Auth, ClientBuilder, Credentials, Github, Hooks, Index, Notify, Object, PurgeCache, Queue,
    Secrets, WebServer, WorkerManager,
};

fn main() {
    let Some(work) = Work::from_args() else { return };
    let builder =
        || ClientBuilder::new(&work.from).credentials(Credentials::new("tester", "no-secret"));
    // It cannot be cloned.
    let queue = || Arc::new(Queue::new(builder()).expect("a client"));
    let key = hawk::Key::new("no-secret", hawk::SHA256).expect("a key");
    let credentials = hawk::Credentials { id: "tester".to_owned(), key };
    let request = || {
        let path = "/api/queue/v1/task/fN1SbArXTPSVFNUvaOlinQ/runs/0/exception";
        hawk::RequestBuilder::new("POST", "tc.example.com", 443, path)
    };
    match work.what.as_str() {
        "signed" => {
            let (queue, payload) = (queue(), json!({"reason": "intermittent-task"}));
            work.calls(move || {
                let (queue, payload) = (queue.clone(), payload.clone());
                async move { queue.reportException(TASK_ID, "0", &payload).await.expect("an answer") }
            });
        }
        "page" => {
            let queue = queue();
            work.calls(move || {
                let queue = queue.clone();
                async move { queue.listTaskGroup(TASK_ID, None, None).await.expect("a page") }
            });
        }
        "decode" => {
            let page = std::fs::read_to_string(&work.from).expect("a file");
            work.again(|| serde_json::from_str::<Value>(&page).expect("a page"));
        }
        "header" => work.again(|| {
            let header = request().request().make_header(&credentials).expect("a header");
            format!("Hawk {header}")
        }),
        "hash" => {
            let body = [b'x'; 1024];
            work.again(|| hawk::PayloadHasher::hash("application/json", hawk::SHA256, body));
        }
        "bewit" => work.again(|| {
            let expires = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_500_000_000);
            let request = request().request();
            request.make_bewit(&credentials, expires).expect("a bewit").to_str()
        }),
        "clients" => work.once(async || {
            let one = (Auth::new(builder()), Github::new(builder()), Hooks::new(builder()));
            let two = (Index::new(builder()), Notify::new(builder()), Object::new(builder()));
            let three = (PurgeCache::new(builder()), Secrets::new(builder()), WebServer::new(builder()));
            let queue = Queue::new(builder()).expect("a client");
            queue.ping().await.expect("an answer");
            (one, two, three, queue, WorkerManager::new(builder()))
        }),
        what => panic!("nothing is called {what}"),
    }
}
