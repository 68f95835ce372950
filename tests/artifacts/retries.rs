//! Which failures are worth another attempt, with which URL.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use taskcluster::reqwest::header::HeaderValue;
use taskcluster::testing::{Deployment, Fault, Reply};
use taskcluster::{Object, Queue, Retry, StatusCode, artifacts};

use crate::artifacts::{PUBLIC, Running, bytes, sha256};
use crate::support::log::Log;

fn xml(status: StatusCode, code: &str) -> Reply {
    let body = format!("<Error><Code>{code}</Code><Message>?</Message></Error>");
    Reply::new(status).body(HeaderValue::from_static("application/xml"), body)
}

#[tokio::test]
async fn what_may_pass_is_tried_again_until_no_retry_is_left() {
    let running = Running::new().await;
    running.object(PUBLIC, b"hello", json!({"sha256": sha256(b"hello")})).await;
    let statuses = [408, 429, 500, 502, 503, 504].map(|status| {
        let status = StatusCode::from_u16(status).unwrap();
        (xml(status, "Some"), status)
    });
    let timeout = (xml(StatusCode::BAD_REQUEST, "RequestTimeout"), StatusCode::BAD_REQUEST);
    for (reply, status) in statuses.into_iter().chain([timeout]) {
        running.fake.clear_calls();
        running.fake.on_downloads().times(2).reply(reply.clone());
        assert_eq!(running.latest(PUBLIC).bytes().await.unwrap(), "hello", "{status}");
        assert_eq!((running.fake.transfers().len(), running.count("startDownload")), (3, 1));

        running.fake.clear_calls();
        running.fake.on_downloads().reply(reply);
        let error = running.latest(PUBLIC).bytes().await.unwrap_err();
        assert_eq!((error.status(), error.attempts()), (Some(status), 6), "{error}");
        assert_eq!(running.fake.transfers().len(), 6);
        running.fake.clear_stubs();
    }
}

#[tokio::test]
async fn storage_says_when_to_come_again() {
    const MOST: Duration = Duration::from_secs(60);

    let running = Running::new().await;
    running.s3(PUBLIC, b"hello", "identity").await;
    let retry = Retry::default().first_delay(Duration::from_millis(1)).max_delay(MOST);
    let builder = running.fake.builder().unwrap().retry(retry);
    let client = builder.credentials(running.fake.client("t", "no-secret", ["*"])).build().unwrap();
    let queue = Queue::new(&client);
    let busy = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
    for (status, asked) in busy.into_iter().flat_map(|status| [(status, 40), (status, 3600)]) {
        let fault = Fault::RetryAfter(status, Duration::from_secs(asked));
        let (fake, expires) = (&running.fake, running.expires());
        let download =
            async { artifacts::latest(&queue, &running.task_id, PUBLIC).bytes().await.map(drop) };
        let upload = async {
            let upload =
                artifacts::upload(&queue, &running.task_id, 0, format!("{status}/{asked}"));
            upload.expires(expires).s3().bytes("hello").await.map(drop)
        };
        fake.on_downloads().times(1).fault(fault.clone());
        waits(fake, download, Duration::from_secs(asked).min(MOST)).await;
        fake.on_uploads().times(1).fault(fault);
        waits(fake, upload, Duration::from_secs(asked).min(MOST)).await;
    }
}

/// Makes sure that a transfer goes on as soon as the deployment's clock has advanced by so much after its first failure.
async fn waits(
    fake: &Deployment,
    transfer: impl Future<Output = taskcluster::Result<()>>,
    time: Duration,
) {
    let log = Log::default();
    let guard = log.install();
    let mut transfer = pin!(transfer);
    // By then it waits.
    while !log.text().contains(" failed") {
        tokio::select! {
            ended = &mut transfer => panic!("it did not wait: {ended:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(guard);
    fake.clear_calls();
    // A little is left, whatever time has passed here.
    fake.advance(time.mul_f64(0.5));
    tokio::select! {
        biased;
        ended = &mut transfer => panic!("it did not wait long enough: {ended:?}"),
        () = tokio::task::yield_now() => {}
    }
    assert!(fake.transfers().is_empty());
    fake.advance(time.mul_f64(0.5));
    transfer.await.unwrap();
    assert_eq!(fake.transfers().len(), 1);
}

#[tokio::test]
async fn refusals_are_final() {
    let running = Running::new().await;
    running.object(PUBLIC, b"hello", json!({"sha256": sha256(b"hello")})).await;
    for (status, code) in [
        (400, "InvalidRequest"),
        (401, "Unauthorized"),
        (403, "AccessDenied"),
        (404, "NoSuchKey"),
        (410, "Gone"),
        (416, "InvalidRange"),
    ] {
        running.fake.clear_calls();
        let status = StatusCode::from_u16(status).unwrap();
        running.fake.on_downloads().times(1).reply(xml(status, code));
        let error = running.latest(PUBLIC).bytes().await.unwrap_err();
        assert_eq!((error.status(), error.attempts()), (Some(status), 1), "{error}");
        assert_eq!((running.fake.transfers().len(), running.count("startDownload")), (1, 1));
    }
    // A getUrl never redirects; if it does, nobody knows to where.
    let redirect = Reply::new(StatusCode::FOUND)
        .header("location".parse().unwrap(), HeaderValue::from_static("http://127.0.0.1:9/x"));
    running.fake.on_downloads().times(1).reply(redirect);
    let error = running.latest(PUBLIC).bytes().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FOUND));
}

#[tokio::test]
async fn broken_connections_and_silence_are_tried_again() {
    let running = Running::new().await;
    let data = bytes(5000);
    running.object(PUBLIC, &data, json!({"sha256": sha256(&data)})).await;
    for fault in [
        Fault::Disconnect,
        Fault::LoseAnswer,
        Fault::Truncate,
        Fault::CutOff(0),
        Fault::CutOff(4999),
        Fault::Stall(0),
        Fault::Stall(2500),
    ] {
        running.fake.clear_calls();
        running.fake.on_downloads().times(2).fault(fault.clone());
        let artifact = running.latest(PUBLIC).stall_timeout(Duration::from_millis(300));
        assert!(artifact.bytes().await.unwrap() == data, "{fault:?}");
        assert!(running.fake.transfers().len() >= 2, "{fault:?}");
    }
    running.fake.on_downloads().fault(Fault::Stall(0));
    let client = running.fake.builder().unwrap().retry(Retry::never());
    let client = client.credentials(running.fake.client("t", "no-secret", ["*"])).build().unwrap();
    let queue = taskcluster::Queue::new(&client);
    let artifact = taskcluster::artifacts::latest(&queue, &running.task_id, PUBLIC);
    let error = artifact.stall_timeout(Duration::from_millis(50)).bytes().await.unwrap_err();
    assert!(error.is_timeout() && error.is_transport(), "{error}");
}

#[tokio::test]
async fn progress_makes_up_for_failures() {
    let running = Running::new().await;
    let data = bytes(200);
    running.s3(PUBLIC, &data, "identity").await;
    // 40 attempts, of which each brings 5 bytes.
    running.fake.on_downloads().fault(Fault::CutOff(5));
    assert!(running.latest(PUBLIC).bytes().await.unwrap() == data);
    // Without ranges each attempt begins with the same 5 bytes, which is no progress.
    running
        .fake
        .on_downloads()
        .reply(Reply::new(StatusCode::OK).body(HeaderValue::from_static("a/b"), data.clone()));
    running.fake.on_downloads().fault(Fault::CutOff(5));
    let error = running.latest(PUBLIC).bytes().await.unwrap_err();
    assert_eq!((error.attempts(), error.is_transport()), (6, true), "{error}");
}

#[tokio::test]
async fn an_expired_url_is_replaced_wherever_it_expires() {
    let running = Running::new().await;
    let data = bytes(1000);
    running.object("public/object", &data, json!({"sha256": sha256(&data)})).await;
    running.s3("public/s3", &data, "identity").await;
    for (name, lifetime) in [("public/object", 121), ("public/s3", 1801)] {
        for cut in [0, 1, 500, 999] {
            running.fake.clear_calls();
            running.fake.clear_stubs();
            // It expires while its last attempt is under way.
            running.fake.on_downloads().times(1).fault(Fault::CutOff(cut));
            let fake = running.fake.clone();
            let advanced = AtomicBool::new(false);
            let artifact = running.of_run(name).on_progress(move |_| {
                if !advanced.swap(true, Ordering::Relaxed) {
                    fake.advance(Duration::from_secs(lifetime));
                }
            });
            assert!(artifact.bytes().await.unwrap() == data, "{name} {cut}");
            let found = running.count("artifact") + running.count("startDownload");
            match (name, cut) {
                (_, 0) => {}
                ("public/object", _) => assert_eq!(running.count("startDownload"), 2),
                _ => assert_eq!(found, 2),
            }
        }
    }
}

#[tokio::test]
async fn a_url_that_expired_before_its_first_use_is_replaced() {
    let running = Running::new().await;
    running.object(PUBLIC, b"hello", json!({"sha256": sha256(b"hello")})).await;
    running.fake.clear_calls();
    running.fake.on_downloads().times(1).reply(xml(StatusCode::FORBIDDEN, "ExpiredToken"));
    assert_eq!(running.latest(PUBLIC).bytes().await.unwrap(), "hello");
    assert_eq!((running.count("startDownload"), running.fake.transfers().len()), (2, 2));
    // It does not go on forever.
    running.fake.clear_calls();
    running.fake.on_downloads().reply(xml(StatusCode::FORBIDDEN, "ExpiredToken"));
    let error = running.latest(PUBLIC).bytes().await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(StatusCode::FORBIDDEN), 6));
    assert_eq!(running.count("startDownload"), 6);
}

#[tokio::test]
async fn a_url_past_its_stated_end_is_replaced_before_it_is_used_again() {
    let running = Running::new().await;
    running.object(PUBLIC, b"hello", json!({"sha256": sha256(b"hello")})).await;
    let about = running.client.call(&Object::REFERENCE, "startDownload").unwrap();
    let name = format!("t/{}/0/{PUBLIC}", running.task_id);
    let about =
        about.param("name", name).payload(json!({"acceptDownloadMethods": {"getUrl": true}}));
    let mut over = about.await.unwrap();
    over["expires"] = json!("2020-01-01T00:00:00.000Z");
    running.fake.clear_calls();
    running.fake.on(Object::REFERENCE.endpoint("startDownload")).times(1).reply(over);
    running.fake.on_downloads().times(1).fault(Fault::Disconnect);
    assert_eq!(running.latest(PUBLIC).bytes().await.unwrap(), "hello");
    assert_eq!((running.count("startDownload"), running.count("latestArtifact")), (2, 1));
}

#[tokio::test]
async fn credentials_that_ended_are_replaced() {
    let running = Running::new().await;
    let data = bytes(1000);
    running.object(PUBLIC, &data, json!({"sha256": sha256(&data)})).await;
    running.fake.on_downloads().times(1).fault(Fault::CutOff(500));
    let (fake, advanced) = (running.fake.clone(), AtomicBool::new(false));
    let artifact = running.of_run(PUBLIC).on_progress(move |_| {
        if !advanced.swap(true, Ordering::Relaxed) {
            fake.advance(Duration::from_secs(2 * 3600));
        }
    });
    assert!(artifact.bytes().await.unwrap() == data);
    assert_eq!(running.count("artifact"), 2);
    assert_eq!(running.ranges().last().unwrap().as_deref(), Some("bytes=500-"));
}
