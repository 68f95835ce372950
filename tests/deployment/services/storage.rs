//! Stored content behaves as S3 does.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use taskcluster::dates::to_json;
use taskcluster::reqwest::{RequestBuilder, Response};
use taskcluster::testing::{Deployment, Fault};
use taskcluster::{Client, Queue, StatusCode, slugid};

use crate::deployment::services::{call, connected};
use crate::deployment::{task_of, with};

/// Where to put an artifact of type `s3`, and what its task is.
async fn put_url(fake: &Deployment, tc: &Client) -> (String, String) {
    let (id, now) = (slugid::nice(), fake.now());
    let task = with(task_of(now), json!({"taskQueueId": "p/w"}));
    let queue = |name| call(tc, &Queue::REFERENCE, name).param("taskId", &id);
    queue("createTask").payload(task).await.unwrap();
    let worker = json!({"workerGroup": "g", "workerId": "w"});
    queue("claimTask").param("runId", 0).payload(worker).await.unwrap();
    let expires = to_json(now + TimeDelta::hours(20));
    let artifact = json!({"storageType": "s3", "contentType": "text/plain", "expires": expires});
    let create = queue("createArtifact").param("runId", 0).param("name", "public/x");
    let url = create.payload(artifact).await.unwrap()["putUrl"].as_str().unwrap().to_owned();
    (url, id)
}

async fn get_url(tc: &Client, id: &str) -> String {
    let found = call(tc, &Queue::REFERENCE, "artifact").param("taskId", id).param("runId", 0);
    let found = found.param("name", "public/x").await.unwrap();
    found["url"].as_str().unwrap().to_owned()
}

/// An HTTP client that decodes nothing.
fn raw() -> reqwest::Client {
    taskcluster::http_client_builder().unwrap().no_proxy().no_gzip().build().unwrap()
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

fn put(url: &str) -> RequestBuilder {
    raw().put(url).header("content-type", "text/plain")
}

#[tokio::test]
async fn parts_of_content_are_given_as_long_as_it_is_the_same() {
    let (fake, tc) = connected().await;
    let (to, id) = put_url(&fake, &tc).await;
    let stored = sent(put(&to).header("content-encoding", "gzip").body("0123456789")).await;
    assert_eq!(stored.status(), StatusCode::OK);
    let url = get_url(&tc, &id).await;
    let whole = sent(raw().get(&url)).await;
    for (name, value) in [
        ("content-length", "10"),
        ("content-type", "text/plain"),
        ("content-encoding", "gzip"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(whole.headers()[name], value);
    }
    let etag = whole.headers()["etag"].clone();
    assert_eq!(stored.headers()["etag"], etag);
    for (range, expected, content) in [
        ("bytes=3-5", Some("bytes 3-5/10"), "345"),
        ("bytes=7-", Some("bytes 7-9/10"), "789"),
        ("bytes=7-100", Some("bytes 7-9/10"), "789"),
        ("bytes=-2", Some("bytes 8-9/10"), "89"),
        ("bytes=-100", Some("bytes 0-9/10"), "0123456789"),
        ("lines=1-2", None, "0123456789"),
        ("bytes=5-3", None, "0123456789"),
    ] {
        let part = sent(raw().get(&url).header("range", range).header("if-range", &etag)).await;
        assert_eq!(part.status() == StatusCode::PARTIAL_CONTENT, expected.is_some(), "{range}");
        let found = part.headers().get("content-range").map(|value| value.to_str().unwrap());
        assert_eq!(found, expected, "{range}");
        assert_eq!(part.text().await.unwrap(), content, "{range}");
    }
    let beyond = sent(raw().get(&url).header("range", "bytes=10-")).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let other = raw().get(&url).header("range", "bytes=3-5").header("if-range", "\"other\"");
    assert_eq!(sent(other).await.status(), StatusCode::OK);

    sent(put(&to).body("changed")).await;
    let changed = sent(raw().get(&url).header("range", "bytes=3-").header("if-range", &etag)).await;
    assert_eq!((changed.status(), changed.headers()["etag"] == etag), (StatusCode::OK, false));
    assert!(!changed.headers().contains_key("content-encoding"));
}

#[tokio::test]
async fn urls_are_good_for_one_method_and_some_time() {
    let (fake, tc) = connected().await;
    let (to, id) = put_url(&fake, &tc).await;
    for refused in [
        sent(raw().get(&to)).await,
        sent(put(&to.replace("expires=", "expires=9")).body("x")).await,
        sent(put(to.split_once('&').unwrap().0).body("x")).await,
    ] {
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(refused.text().await.unwrap().contains("SignatureDoesNotMatch"));
    }
    let no_length = put(&to).body(taskcluster::reqwest::Body::wrap(Endless));
    assert_eq!(sent(no_length).await.status(), StatusCode::LENGTH_REQUIRED);
    assert_eq!(sent(put(&to).body("x")).await.status(), StatusCode::OK);
    let url = get_url(&tc, &id).await;
    fake.advance(Duration::from_secs(29 * 60));
    assert_eq!(sent(raw().get(&url)).await.status(), StatusCode::OK);
    fake.advance(Duration::from_secs(2 * 60));
    let expired = sent(raw().get(&url)).await;
    assert_eq!(expired.status(), StatusCode::FORBIDDEN);
    assert!(expired.text().await.unwrap().contains("AccessDenied"));
    assert_eq!(sent(put(&to).body("x")).await.status(), StatusCode::OK);
    fake.advance(Duration::from_secs(15 * 60));
    assert_eq!(sent(put(&to).body("x")).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(sent(raw().get(get_url(&tc, &id).await)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn faults_meet_transfers_alone() {
    let (fake, tc) = connected().await;
    let (to, id) = put_url(&fake, &tc).await;
    fake.on_uploads().times(1).fault(Fault::Status(StatusCode::SERVICE_UNAVAILABLE));
    fake.on_any().fault(Fault::Disconnect);
    assert_eq!(sent(put(&to).body("0123456789")).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(sent(put(&to).body("0123456789")).await.status(), StatusCode::OK);
    fake.clear_stubs();
    let url = get_url(&tc, &id).await;
    fake.on_downloads().times(1).fault(Fault::CutOff(4));
    let mut cut = sent(raw().get(&url)).await;
    assert_eq!(cut.headers()["content-length"], "10");
    assert_eq!(cut.chunk().await.unwrap().unwrap(), "0123");
    cut.chunk().await.unwrap_err();
    fake.on_downloads().times(1).fault(Fault::Stall(4));
    let mut stalled = sent(raw().get(&url)).await;
    assert_eq!(stalled.chunk().await.unwrap().unwrap(), "0123");
    let next = tokio::time::timeout(Duration::from_millis(100), stalled.chunk());
    assert!(next.await.is_err(), "nothing comes, and the connection is open");
    assert_eq!(sent(raw().get(&url)).await.text().await.unwrap(), "0123456789");
    let transfers: Vec<_> = fake
        .transfers()
        .iter()
        .map(|call| (call.endpoint.name, call.status.map(|status| status.as_u16())))
        .collect();
    let (up, down) = ("upload", ("download", Some(200)));
    assert_eq!(transfers, [(up, Some(503)), (up, Some(200)), down, down, down]);
}

/// A body that does not say how long it is.
struct Endless;

impl http_body::Body for Endless {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, std::io::Error>>> {
        std::task::Poll::Ready(None)
    }
}
