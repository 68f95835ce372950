//! What a call costs: signing, building a request, and a whole call over loopback beside plain reqwest.
//!
//! `cargo bench -p taskcluster-tests --bench calls`. The numbers of one run are for comparison with each other.

#![allow(clippy::expect_used)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use taskcluster::hawk::{Signer, Target, payload_hash};
use taskcluster::queue::{TaskExceptionReason, TaskExceptionRequest};
use taskcluster::testing::Deployment;
use taskcluster::{Auth, Client, Credentials, Queue, Value};

const TASK: &str = "fN1SbArXTPSVFNUvaOlinQ";

fn sign(c: &mut Criterion) {
    let credentials = Credentials::new("tester", "no-secret");
    let signer = Signer::new(&credentials, None).expect("fit to sign");
    let target = Target {
        method: "GET",
        resource: "/api/auth/v1/clients/?prefix=a%2Fb&limit=2",
        host: "tc.example.com",
        port: 443,
    };
    c.bench_function("sign a header", |b| {
        b.iter(|| signer.header(black_box(&target), None, black_box(1_500_000_000), "abcdef"));
    });
    c.bench_function("sign a URL", |b| {
        b.iter(|| signer.bewit(black_box(&target), black_box(1_500_000_000)));
    });
    c.bench_function("hash 1 KiB", |b| {
        b.iter(|| payload_hash("application/json", black_box(&[b'x'; 1024])));
    });
}

fn build(c: &mut Criterion) {
    c.bench_function("make a client", |b| {
        b.iter(|| Client::builder(black_box("http://taskcluster")).build().expect("a client"));
    });
    let client = Client::builder("https://tc.example.com").build().expect("a client");
    let queue = Queue::new(&client);
    let reason = TaskExceptionReason::IntermittentTask;
    let payload = TaskExceptionRequest::new(reason);
    c.bench_function("build a request", |b| {
        b.iter(|| queue.report_exception(black_box(TASK), 0, &payload).url());
    });
}

fn call(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let deployment = Deployment::start_blocking().expect("a deployment");
    deployment.client("tester", "no-secret", ["*"]);
    let client = deployment.connect("tester").expect("a client");
    let (auth, unsigned) = (Auth::new(&client), Auth::new(&client.without_credentials()));
    let http = taskcluster::http_client_builder().expect("TLS").build().expect("an HTTP client");
    let url = format!("{}/api/auth/v1/ping", deployment.root_url());

    let mut group = c.benchmark_group("ping over loopback");
    group.measurement_time(Duration::from_secs(3));
    group.bench_function("signed", |b| {
        b.to_async(&runtime).iter(async || auth.ping().await.expect("an answer"));
    });
    group.bench_function("unsigned", |b| {
        b.to_async(&runtime).iter(async || unsigned.ping().await.expect("an answer"));
    });
    group.bench_function("by wire name", |b| {
        let call = || client.call(&Auth::REFERENCE, "ping").expect("an endpoint");
        b.to_async(&runtime).iter(async || call().await.expect("an answer"));
    });
    group.bench_function("plain reqwest", |b| {
        b.to_async(&runtime).iter(async || {
            let answer = http.get(&url).send().await.expect("an answer");
            let body = answer.bytes().await.expect("a body");
            serde_json::from_slice::<Value>(&body).expect("JSON")
        });
    });
    group.finish();
}

criterion_group!(benches, sign, build, call);
criterion_main!(benches);
