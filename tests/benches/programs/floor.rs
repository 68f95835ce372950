//! The same with nothing but an HTTP client and serde's derives: what no crate that is built on them can do without.
//! See `ours.rs`.

#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use common::{TASK_ID, Work};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Full};
use reqwest::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

#[derive(Serialize)]
struct Exception {
    reason: &'static str,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Answer {
    status: TaskStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct TaskStatus {
    task_id: String,
    provisioner_id: String,
    worker_type: String,
    task_queue_id: String,
    scheduler_id: String,
    project_id: Option<String>,
    task_group_id: String,
    deadline: DateTime<Utc>,
    expires: DateTime<Utc>,
    retries_left: i64,
    state: State,
    priority: Option<Priority>,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Run {
    run_id: i64,
    state: State,
    reason_created: String,
    reason_resolved: Option<String>,
    worker_group: Option<String>,
    worker_id: Option<String>,
    taken_until: Option<DateTime<Utc>>,
    scheduled: Option<DateTime<Utc>>,
    started: Option<DateTime<Utc>>,
    resolved: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Unscheduled,
    Pending,
    Running,
    Completed,
    Failed,
    Exception,
    #[serde(untagged)]
    Unknown(#[allow(dead_code)] String),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Priority {
    Highest,
    VeryHigh,
    High,
    Medium,
    Low,
    VeryLow,
    Lowest,
    Normal,
    #[serde(untagged)]
    Unknown(#[allow(dead_code)] String),
}

/// A type of the program's own for a page, with what it needs of each task.
#[derive(Deserialize)]
#[allow(dead_code)]
struct OwnPage {
    tasks: Vec<OwnTask>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct OwnTask {
    status: OwnStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct OwnStatus {
    task_id: String,
    state: String,
}

fn main() {
    let Some(work) = Work::from_args() else { return };
    let root = work.from.clone();
    match work.what.as_str() {
        "typed" => {
            let http = http();
            work.calls(move || {
                let answer = post(&http, &root);
                async { serde_json::from_slice::<Answer>(&body(answer).await).expect("a status") }
            });
        }
        "bytes" => {
            let http = http();
            work.calls(move || body(post(&http, &root)));
        }
        "hyper" => {
            let executor = hyper_util::rt::TokioExecutor::new();
            let http =
                hyper_util::client::legacy::Client::builder(executor).build_http::<Full<Bytes>>();
            work.calls(move || {
                let request = hyper::Request::post(exception(&root));
                let request = request.header(CONTENT_TYPE, "application/json");
                let answer = http.request(request.body(Full::from(payload())).expect("a request"));
                async {
                    let body = answer.await.expect("an answer").into_body();
                    body.collect().await.expect("a body").to_bytes()
                }
            });
        }
        "page-own" => {
            let http = http();
            work.calls(move || {
                let answer = list(&http, &root);
                async { serde_json::from_slice::<OwnPage>(&body(answer).await).expect("a page") }
            });
        }
        "page-bytes" => {
            let http = http();
            work.calls(move || body(list(&http, &root)));
        }
        "decode-own" => {
            let page = std::fs::read_to_string(&work.from).expect("a file");
            work.again(|| serde_json::from_str::<OwnPage>(&page).expect("a page"));
        }
        "mac" => {
            let key = Hmac::<Sha256>::new_from_slice(b"no-secret").expect("a key");
            let text = format!(
                "hawk.1.header\n1500000000\nabcdef\nPOST\n{PATH}\ntc.example.com\n443\n\n\n"
            );
            work.again(|| key.clone().chain_update(text.as_bytes()).finalize());
        }
        "hash" => {
            let text = [b'x'; 1024 + "hawk.1.payload\napplication/json\n\n".len()];
            work.again(|| Sha256::digest(text));
        }
        "clients" => work.once(async || body(http().get(&root).send()).await),
        what => panic!("nothing is called {what}"),
    }
}

const PATH: &str = "/api/queue/v1/task/fN1SbArXTPSVFNUvaOlinQ/runs/0/exception";

fn http() -> reqwest::Client {
    // Another client of this program may have done so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .timeout(Duration::from_secs(30));
    builder.build().expect("a client")
}

fn exception(root: &str) -> String {
    format!("{root}/api/queue/v1/task/{TASK_ID}/runs/{}/exception", 0)
}

fn payload() -> Vec<u8> {
    serde_json::to_vec(&Exception { reason: "intermittent-task" }).expect("JSON")
}

type Sent = Result<reqwest::Response, reqwest::Error>;

fn post(http: &reqwest::Client, root: &str) -> impl Future<Output = Sent> + use<> {
    http.post(exception(root)).header(CONTENT_TYPE, "application/json").body(payload()).send()
}

fn list(http: &reqwest::Client, root: &str) -> impl Future<Output = Sent> + use<> {
    http.get(format!("{root}/api/queue/v1/task-group/{TASK_ID}/list")).send()
}

async fn body(answer: impl Future<Output = Sent>) -> Bytes {
    answer.await.expect("an answer").bytes().await.expect("a body")
}
