//! Credentials go to Taskcluster alone, and signed URLs to nobody.

use serde_json::json;
use taskcluster::testing::{Deployment, Fault};
use taskcluster::{Client, ErrorKind, Queue, Retry, StatusCode, artifacts};
use taskcluster_tests::{RawServer, answer};

use crate::artifacts::{Folder, PUBLIC, Running, bytes, sha256};
use crate::support::log::Log;
use crate::support::process;

#[tokio::test]
async fn neither_storage_nor_what_a_task_chose_sees_credentials() {
    let running = Running::new().await;
    running.object("public/object", b"hello", json!({"sha256": sha256(b"hello")})).await;
    let far = RawServer::start([answer("200 OK", &[], "x")]).await.unwrap();
    let redirect = answer("307 Temporary Redirect", &[&format!("Location: {}/far", far.url)], "");
    let near = RawServer::start([redirect]).await.unwrap();
    let reference = json!({"storageType": "reference", "contentType": "a/b", "url": near.url});
    running.create("public/reference", reference).await;
    running.latest("public/object").bytes().await.unwrap();
    running.latest("public/reference").bytes().await.unwrap();
    for transfer in running.fake.transfers() {
        assert!(!transfer.headers.contains_key("authorization"), "{transfer:?}");
    }
    for request in near.requests().into_iter().chain(far.requests()) {
        let request = request.to_lowercase();
        assert!(request.starts_with("get ") && !request.contains("authorization"), "{request}");
        assert!(!request.contains("hawk") && !request.contains("cookie"), "{request}");
    }
    // The object service gets the artifact's credentials, not the task's.
    let calls = running.fake.calls();
    let start = calls.iter().find(|call| call.endpoint.name == "startDownload").unwrap();
    assert!(start.client_id.as_ref().unwrap().starts_with("artifact-download/"), "{start}");
}

#[tokio::test]
async fn signed_urls_are_in_no_log_error_or_debug() {
    let running = Running::new().await;
    let data = bytes(1000);
    running.s3(PUBLIC, &data, "identity").await;
    let log = Log::default();
    let guard = log.install();
    let folder = Folder::new();
    running.fake.on_downloads().times(2).fault(Fault::CutOff(400));
    let artifact = running.latest(PUBLIC).resume(true);
    artifact.download_to(folder.path("x")).await.unwrap();
    let mut shown = format!("{artifact:?} {:?}", artifact.stream().await.unwrap());
    for fault in [
        Fault::Status(StatusCode::NOT_FOUND),
        Fault::Disconnect,
        Fault::CutOff(0),
        Fault::Html(StatusCode::BAD_REQUEST),
    ] {
        running.fake.clear_stubs();
        running.fake.on_downloads().fault(fault);
        let error = artifact.bytes().await.unwrap_err();
        shown += &format!("{error} {error:?} {:?}", std::error::Error::source(&error));
        assert!(shown.contains("latestArtifact") || shown.contains("artifact-content"), "{shown}");
    }
    running.fake.clear_stubs();
    running.fake.on_downloads().times(1).fault(Fault::CutOff(400));
    let client = running.fake.builder().unwrap().retry(Retry::never());
    let client = client.credentials(running.fake.client("i", "no-secret", ["*"])).build().unwrap();
    let artifact = artifacts::latest(&Queue::new(&client), &running.task_id, PUBLIC).resume(true);
    artifact.download_to(folder.path("y")).await.unwrap_err();
    shown += &std::fs::read_to_string(folder.path("y.part.json")).unwrap();
    drop(guard);
    shown += &log.text();
    assert!(log.text().contains("transfer failed"), "{}", log.text());
    for secret in ["/storage/", "signature="] {
        // The deployment's own thread logs elsewhere.
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// What a task with the proxy feature does.
#[test]
#[ignore = "run by the test below, with an environment"]
fn child() {
    let queue = Queue::new(&Client::from_env().unwrap());
    let task_id = std::env::var("TASK_ID").unwrap();
    println!("content: {:?}", artifacts::latest(&queue, task_id, PUBLIC).bytes_blocking());
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_the_artifacts_credentials_go_to_the_deployment_itself() {
    let running = Running::new().await;
    running.object(PUBLIC, b"hello", json!({"sha256": sha256(b"hello")})).await;
    // A proxy that replaces signatures by its own, which lack the scope of the object.
    let about = running.client.call(&Queue::REFERENCE, "latestArtifact").unwrap();
    let about = about.param("taskId", &running.task_id).param("name", PUBLIC).await.unwrap();
    let proxy = RawServer::start([taskcluster_tests::json("200 OK", &about.to_string())]).await;
    let proxy = proxy.unwrap();
    let client = Client::builder(&proxy.url).direct_root_url(running.fake.root_url());
    let queue = Queue::new(&client.build().unwrap());
    running.fake.clear_calls();
    let artifact = artifacts::latest(&queue, &running.task_id, PUBLIC);
    assert_eq!(artifact.bytes().await.unwrap(), "hello");
    assert_eq!((proxy.requests().len(), running.count("startDownload")), (1, 1));
    let (proxy_url, root_url) = (proxy.url.clone(), running.fake.root_url().to_owned());
    let task_id = running.task_id.clone();
    let child = move || {
        process::run(
            concat!(module_path!(), "::child"),
            &[
                ("TASKCLUSTER_PROXY_URL", &proxy_url),
                ("TASKCLUSTER_ROOT_URL", &root_url),
                ("TASK_ID", &task_id),
            ],
        )
    };
    let shown = tokio::task::spawn_blocking(child).await.unwrap();
    assert!(shown.contains("content: Ok(b\"hello\")"), "{shown}");
    let error = Client::builder(&proxy.url).direct_root_url("ftp://x").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn the_limits_of_a_client_do_not_reach_the_artifacts_credentials() {
    let running = Running::new().await;
    running.object(PUBLIC, b"hello", json!({"sha256": sha256(b"hello")})).await;
    let scope = format!("queue:get-artifact:{PUBLIC}");
    let limited = running.client.with_authorized_scopes([scope]).unwrap();
    let artifact = artifacts::latest(&Queue::new(&limited), &running.task_id, PUBLIC);
    assert_eq!(artifact.bytes().await.unwrap(), "hello");
    let other = Deployment::start().await.unwrap();
    let artifact =
        artifacts::latest(&Queue::new(&other.anonymous().unwrap()), &running.task_id, "private/x");
    assert!(artifact.bytes().await.unwrap_err().is_api());
}
