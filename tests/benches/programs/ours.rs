//! What is measured of this crate. Run by `taskcluster/benches/table.py` and its neighbours.

#![allow(clippy::expect_used, clippy::panic)]

mod common;

use common::{TASK_ID, Work};
use taskcluster::hawk::{Signer, Target, payload_hash};
use taskcluster::queue::{ListTaskGroupResponse, TaskExceptionReason, TaskExceptionRequest};
use taskcluster::{Client, Credentials, Queue, Value, json};

/// A type of the program's own for a page, with what it needs of each task.
#[derive(serde::Deserialize)]
struct Page {
    #[allow(dead_code)]
    tasks: Vec<Task>,
}

#[derive(serde::Deserialize)]
struct Task {
    #[allow(dead_code)]
    status: Status,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[allow(dead_code)]
    task_id: String,
    #[allow(dead_code)]
    state: String,
}

fn main() {
    let Some(work) = Work::from_args() else { return };
    let client = || {
        let credentials = Credentials::new("tester", "no-secret");
        Client::builder(&work.from).credentials(credentials).build().expect("a client")
    };
    let queue = || Queue::new(&client());
    let payload = TaskExceptionRequest::new(TaskExceptionReason::IntermittentTask);
    let target = Target {
        method: "POST",
        resource: "/api/queue/v1/task/fN1SbArXTPSVFNUvaOlinQ/runs/0/exception",
        host: "tc.example.com",
        port: 443,
    };
    let signer = Signer::new(&Credentials::new("tester", "no-secret"), None).expect("a signer");
    match work.what.as_str() {
        "signed" | "unsigned" => {
            let queue = match work.what.as_str() {
                "signed" => queue(),
                _ => Queue::new(&client().without_credentials()),
            };
            work.calls(move || {
                let call = queue.report_exception(TASK_ID, 0, &payload);
                async { call.await.expect("an answer") }
            });
        }
        "raw" => {
            let queue = queue();
            work.calls(move || {
                let call = queue.report_exception(TASK_ID, 0, &payload);
                async { call.send_raw().await.expect("an answer").bytes().await.expect("a body") }
            });
        }
        "named" => {
            let client = client();
            work.calls(move || {
                let call = client.call(&Queue::REFERENCE, "reportException").expect("an endpoint");
                let call = call.param("taskId", TASK_ID).param("runId", 0);
                let call = call.payload(json!({"reason": "intermittent-task"}));
                async { call.await.expect("an answer") }
            });
        }
        "page" => {
            let queue = queue();
            work.calls(move || {
                let call = queue.list_task_group(TASK_ID);
                async { call.await.expect("a page") }
            });
        }
        "page-own" => {
            let queue = queue();
            work.calls(move || {
                let call = queue.list_task_group(TASK_ID);
                async { call.send_as::<Page>().await.expect("a page") }
            });
        }
        "page-items" => {
            use futures::TryStreamExt as _;
            let queue = queue();
            work.calls(move || {
                let items = queue.list_task_group(TASK_ID).items_as::<Task>();
                async { items.try_collect::<Vec<_>>().await.expect("items") }
            });
        }
        "page-pages" => {
            use futures::TryStreamExt as _;
            let queue = queue();
            work.calls(move || {
                let pages = queue.list_task_group(TASK_ID).pages();
                async { pages.try_collect::<Vec<_>>().await.expect("pages") }
            });
        }
        "page-named" => {
            let client = client();
            work.calls(move || {
                let call = client.call(&Queue::REFERENCE, "listTaskGroup").expect("an endpoint");
                let call = call.param("taskGroupId", TASK_ID);
                async { call.await.expect("a page") }
            });
        }
        "page-raw" => {
            let queue = queue();
            work.calls(move || {
                let call = queue.list_task_group(TASK_ID);
                async { call.send_raw().await.expect("an answer").bytes().await.expect("a body") }
            });
        }
        "decode" => {
            let page = std::fs::read_to_string(&work.from).expect("a file");
            work.again(|| serde_json::from_str::<ListTaskGroupResponse>(&page).expect("a page"));
        }
        "decode-value" => {
            let page = std::fs::read_to_string(&work.from).expect("a file");
            work.again(|| serde_json::from_str::<Value>(&page).expect("a page"));
        }
        "header" => work.again(|| signer.header(&target, None, 1_500_000_000, "abcdef")),
        "hash" => {
            let body = [b'x'; 1024];
            work.again(|| payload_hash("application/json", &body));
        }
        "bewit" => work.again(|| signer.bewit(&target, 1_500_000_000)),
        "clients" => work.once(async || {
            use taskcluster::{
                Auth, Github, Hooks, Index, Notify, Object, PurgeCache, Secrets, WebServer,
                WorkerManager,
            };
            let client = client();
            let one = (Auth::new(&client), Github::new(&client), Hooks::new(&client));
            let two = (Index::new(&client), Notify::new(&client), Object::new(&client));
            let three = (PurgeCache::new(&client), Secrets::new(&client), WebServer::new(&client));
            let queue = Queue::new(&client);
            queue.ping().await.expect("an answer");
            (one, two, three, queue, WorkerManager::new(&client))
        }),
        what => panic!("nothing is called {what}"),
    }
}
