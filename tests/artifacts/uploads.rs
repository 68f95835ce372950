//! What is uploaded is there, whole, or the upload is an error.

use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use taskcluster::queue::PostArtifactRequestErrorReason;
use taskcluster::reqwest::header::HeaderValue;
use taskcluster::testing::{Fault, Reply};
use taskcluster::{
    Client, Credentials, CredentialsFuture, CredentialsProvider, ErrorKind, Object, Queue, Retry,
    StatusCode, artifacts, objects,
};

use crate::artifacts::{Folder, PUBLIC, Running, bytes, gzip, sha256, sha512};

fn upload(running: &Running, name: &str) -> artifacts::UploadBuilder {
    artifacts::upload(&running.queue, &running.task_id, 0, name).expires(running.expires())
}

/// What a list of artifacts says of one.
async fn about(running: &Running, name: &str) -> Value {
    let call = running.client.call(&Queue::REFERENCE, "latestArtifactInfo").unwrap();
    call.param("taskId", &running.task_id).param("name", name).await.unwrap()
}

#[tokio::test]
async fn content_of_any_size_comes_back_as_it_was() {
    let running = Running::new().await;
    let folder = Folder::new();
    for size in [0, 1, 8191, 8192, 1_000_000] {
        let data = bytes(size);
        std::fs::write(folder.path("x"), &data).unwrap();
        let open = {
            let data = data.clone();
            move || Ok(Cursor::new(data.clone()))
        };
        let builder = |name: &str| upload(&running, name).content_type("application/x-data");
        let path = folder.path("x");
        for (name, upload) in [
            (
                format!("public/bytes/{size}"),
                builder(&format!("public/bytes/{size}")).bytes(data.clone()),
            ),
            (
                format!("public/file/{size}"),
                builder(&format!("public/file/{size}")).file(path.clone()),
            ),
            (
                format!("public/reader/{size}"),
                builder(&format!("public/reader/{size}")).reader(size as u64, open.clone()),
            ),
            (
                format!("public/s3/{size}"),
                builder(&format!("public/s3/{size}")).s3().file(path.clone()),
            ),
            (
                format!("public/zipped/{size}"),
                builder(&format!("public/zipped/{size}")).s3().compress(true).file(path),
            ),
        ] {
            running.fake.clear_calls();
            let uploaded = upload.await.unwrap();
            assert_eq!(uploaded.size, size as u64, "{name}");
            let is_object = uploaded.storage == artifacts::StorageType::Object;
            assert_eq!(
                is_object,
                !name.starts_with("public/s3") && !name.starts_with("public/zip")
            );
            let puts = running.fake.transfers();
            // Small objects go with the call.
            assert_eq!(puts.len(), usize::from(!is_object || size >= 8192), "{name}");
            if let Some(put) = puts.first() {
                let lengths: Vec<_> = put.headers.get_all("content-length").iter().collect();
                assert_eq!(lengths.len(), 1, "{name}");
                assert!(!put.headers.contains_key("authorization"));
                let encoding = put.headers.get("content-encoding").map(HeaderValue::as_bytes);
                let zipped = name.starts_with("public/zipped").then_some(&b"gzip"[..]);
                let expected = if is_object { Some(&b"identity"[..]) } else { zipped };
                assert_eq!(encoding, expected, "{name}");
            }
            let file = running.latest(&name).download_to(folder.path("y")).await.unwrap();
            assert!(std::fs::read(folder.path("y")).unwrap() == data, "{name}");
            assert_eq!(file.content_type.as_deref(), Some("application/x-data"));
            if is_object {
                assert_eq!(uploaded.hashes.sha256, sha256(&data));
                assert_eq!(uploaded.hashes.sha512.as_deref(), Some(&*sha512(&data)));
                assert_eq!(file.hashes, uploaded.hashes, "the object service knows both");
            }
            let about = about(&running, &name).await;
            assert_eq!(about["contentLength"], json!(size), "{name}");
            assert_eq!(about["contentType"], "application/x-data");
        }
    }
}

#[tokio::test]
async fn an_upload_is_a_few_calls_in_their_order() {
    let running = Running::new().await;
    running.fake.clear_calls();
    upload(&running, PUBLIC).bytes(bytes(10_000)).await.unwrap();
    running.fake.assert_calls([
        "queue.createArtifact",
        "object.createUpload",
        "object.finishUpload",
        "queue.finishArtifact",
    ]);
    let calls = running.fake.calls();
    let owner = |n: usize| calls[n].client_id.clone().unwrap();
    assert_eq!((owner(0), owner(3)), ("tester".to_owned(), "tester".to_owned()));
    assert!(owner(1).starts_with("artifact-upload/") && owner(2) == owner(1));
    assert_eq!(
        calls[1].payload.as_ref().unwrap()["proposedUploadMethods"]["putUrl"]["contentLength"],
        10_000
    );
    // Without an end, it ends with its task.
    running.fake.clear_calls();
    artifacts::upload(&running.queue, &running.task_id, 0, "public/y").bytes("y").await.unwrap();
    running.fake.assert_calls([
        "queue.task",
        "queue.createArtifact",
        "object.createUpload",
        "object.finishUpload",
        "queue.finishArtifact",
    ]);
    let task = running.queue.task(&running.task_id).await.unwrap();
    let expires = about(&running, "public/y").await["expires"].as_str().unwrap().to_owned();
    assert_eq!(expires, taskcluster::dates::to_json(task.expires.unwrap()));
}

#[tokio::test]
async fn objects_are_uploaded_without_artifacts() {
    let running = Running::new().await;
    let object = Object::new(&running.client);
    for (n, data) in [bytes(10), bytes(100_000)].into_iter().enumerate() {
        let name = format!("a/{n}");
        let upload = objects::upload(&object, "proj", &name).expires(running.expires());
        let uploaded = upload.bytes(data.clone()).await.unwrap();
        assert_eq!(uploaded.hashes.sha256, sha256(&data));
        assert!(objects::named(&object, &name).bytes().await.unwrap() == data);
        // A name belongs to its first object.
        let error = objects::upload(&object, "proj", &name).expires(running.expires());
        let error = error.bytes(data).await.unwrap_err();
        assert_eq!(error.status(), Some(StatusCode::CONFLICT));
    }
    let error = objects::upload(&object, "proj", "b").bytes("b").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let compressed = objects::upload(&object, "proj", "c").expires(running.expires());
    let error = compressed.compress(true).bytes("c").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    running.fake.clear_calls();
    let error = upload(&running, PUBLIC).compress(true).bytes("c").await.unwrap_err();
    assert_eq!((error.kind(), running.fake.calls().len()), (ErrorKind::Input, 0));
}

#[tokio::test]
async fn references_links_and_errors_have_no_content() {
    let running = Running::new().await;
    let (queue, id) = (&running.queue, &running.task_id);
    upload(&running, PUBLIC).bytes("hello").await.unwrap();
    let url = "https://example.com/x";
    artifacts::reference(queue, id, 0, "public/reference", url).content_type("a/b").await.unwrap();
    artifacts::link(queue, id, 0, "public/link", PUBLIC).expires(running.expires()).await.unwrap();
    let reason = PostArtifactRequestErrorReason::TooLargeFileOnWorker;
    artifacts::error(queue, id, 0, "public/error", reason, "5 TB").await.unwrap();
    let found = about(&running, "public/reference").await;
    assert_eq!(
        (&found["storageType"], &found["contentType"]),
        (&json!("reference"), &json!("a/b"))
    );
    assert_eq!(running.latest("public/link").bytes().await.unwrap(), "hello");
    let error = running.latest("public/error").bytes().await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Some("too-large-file-on-worker"), "5 TB"));
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let running = Running::new().await;
    let data = bytes(100_000);
    let timeout = "<Error><Code>RequestTimeout</Code></Error>";
    let timeout = Reply::new(StatusCode::BAD_REQUEST)
        .body(HeaderValue::from_static("application/xml"), timeout);
    let mut n = 0;
    for s3 in [false, true] {
        let upload = |n: usize| {
            let upload = upload(&running, &format!("public/{n}"));
            if s3 { upload.s3() } else { upload }
        };
        for fault in [
            Some(Fault::Disconnect),
            Some(Fault::LoseAnswer),
            Some(Fault::Status(StatusCode::INTERNAL_SERVER_ERROR)),
            Some(Fault::Status(StatusCode::TOO_MANY_REQUESTS)),
            Some(Fault::Status(StatusCode::REQUEST_TIMEOUT)),
            None,
        ] {
            n += 1;
            running.fake.clear_calls();
            let stub = running.fake.on_uploads().times(2);
            match fault.clone() {
                Some(fault) => stub.fault(fault),
                None => stub.reply(timeout.clone()),
            }
            upload(n).bytes(data.clone()).await.unwrap();
            assert_eq!(running.fake.transfers().len(), 3, "{fault:?}");
            assert_eq!(running.count("finishArtifact"), usize::from(!s3));
            assert!(running.latest(&format!("public/{n}")).bytes().await.unwrap() == data);
        }
        for (status, requests) in [(500, 6), (400, 1), (404, 1), (403, 1), (411, 1)] {
            n += 1;
            running.fake.clear_calls();
            running.fake.clear_stubs();
            let status = StatusCode::from_u16(status).unwrap();
            running.fake.on_uploads().fault(Fault::Status(status));
            let error = upload(n).bytes(data.clone()).await.unwrap_err();
            assert_eq!((error.status(), error.attempts()), (Some(status), requests), "{error}");
            assert_eq!(running.fake.transfers().len(), requests as usize);
            let finished = running.count("finishUpload") + running.count("finishArtifact");
            assert_eq!(finished, 0, "{error}");
        }
        running.fake.clear_stubs();
    }
}

#[tokio::test]
async fn lost_answers_of_every_call_do_no_harm() {
    let running = Running::new().await;
    for (n, size) in [100, 100_000].into_iter().enumerate() {
        let data = bytes(size);
        for endpoint in [
            Queue::REFERENCE.endpoint("createArtifact"),
            Object::REFERENCE.endpoint("createUpload"),
            Object::REFERENCE.endpoint("finishUpload"),
            Queue::REFERENCE.endpoint("finishArtifact"),
        ] {
            running.fake.on(endpoint).times(1).fault(Fault::LoseAnswer);
            let name = format!("public/{n}/{}", endpoint.name);
            upload(&running, &name).bytes(data.clone()).await.unwrap();
            assert!(running.latest(&name).bytes().await.unwrap() == data, "{name}");
        }
    }
}

#[tokio::test]
async fn an_expired_upload_url_is_replaced() {
    let running = Running::new().await;
    let data = bytes(100_000);
    let object = Object::new(&running.client);
    let (fake, once) = (running.fake.clone(), AtomicUsize::new(0));
    let open = {
        let data = data.clone();
        move || {
            // It expires before the first byte is sent.
            if once.fetch_add(1, Ordering::Relaxed) == 0 {
                fake.advance(Duration::from_secs(46 * 60));
            }
            Ok(Cursor::new(data.clone()))
        }
    };
    let late = objects::upload(&object, "proj", "a").expires(running.expires());
    late.reader(data.len() as u64, open).await.unwrap();
    let statuses: Vec<_> = running.fake.transfers().iter().map(|put| put.status).collect();
    assert_eq!(statuses, [StatusCode::FORBIDDEN, StatusCode::OK].map(Some));
    assert_eq!((running.count("createUpload"), running.count("finishUpload")), (2, 1));
    assert!(objects::named(&object, "a").bytes().await.unwrap() == data);

    // An artifact in S3 gets its new URL from the queue.
    running.fake.clear_calls();
    let expired = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    let expired = Reply::new(StatusCode::FORBIDDEN)
        .body(HeaderValue::from_static("application/xml"), expired);
    let running = Running::new().await;
    running.fake.on_uploads().times(1).reply(expired);
    upload(&running, PUBLIC).s3().bytes(data.clone()).await.unwrap();
    assert_eq!(running.count("createArtifact"), 2);
    assert!(running.latest(PUBLIC).bytes().await.unwrap() == data);
}

#[tokio::test]
async fn content_that_is_not_what_it_should_be_is_never_finished() {
    let running = Running::new().await;
    let folder = Folder::new();
    let finished = || running.count("finishUpload") + running.count("finishArtifact");
    for size in [100_u64, 100_000] {
        for wrong in [size - 1, size + 1] {
            let data = bytes(size as usize);
            let upload = upload(&running, &format!("public/{size}/{wrong}"));
            let open = move || Ok(Cursor::new(data.clone()));
            let error = upload.reader(wrong, open).await.unwrap_err();
            assert_eq!((error.kind(), finished()), (ErrorKind::File, 0), "{error}");
        }
        let open = move || {
            let start = Cursor::new(bytes(size as usize / 2));
            Ok(start.chain(Broken))
        };
        let name = format!("public/{size}/broken");
        let error = upload(&running, &name).reader(size, open).await.unwrap_err();
        assert_eq!((error.kind(), finished()), (ErrorKind::File, 0), "{error}");
        assert!(error.to_string().contains("the tape is torn"), "{error}");
        assert!(running.fake.transfers().len() <= 3, "nothing of this is tried again");
        running.fake.clear_calls();
    }
    let missing = folder.path("missing");
    let error = upload(&running, PUBLIC).file(&missing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");
    let error = upload(&running, PUBLIC).file(&folder.0).await.unwrap_err();
    assert!(error.to_string().contains("is not a file"), "{error}");
    assert!(running.fake.calls().is_empty());
    // A reader that fails once does not make the next attempt wrong.
    let opened = Arc::new(AtomicUsize::new(0));
    let counted = opened.clone();
    running.fake.on_uploads().times(1).fault(Fault::Disconnect);
    let open = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Cursor::new(bytes(10_000)))
    };
    upload(&running, "public/twice").reader(10_000, open).await.unwrap();
    assert_eq!(opened.load(Ordering::Relaxed), 2);
    assert!(running.latest("public/twice").bytes().await.unwrap() == bytes(10_000));
}

#[tokio::test]
async fn progress_is_told_of_every_kind_of_upload() {
    let running = Running::new().await;
    for size in [100, 200_000] {
        for is_s3 in [false, true] {
            let seen = Arc::<Mutex<Vec<(u64, Option<u64>, u32)>>>::default();
            let kept = seen.clone();
            let upload = upload(&running, &format!("public/{size}/{is_s3}"));
            let upload = if is_s3 { upload.s3() } else { upload };
            let upload = upload.on_progress(move |progress| {
                kept.lock().unwrap().push((progress.bytes, progress.total, progress.attempt));
            });
            upload.bytes(bytes(size)).await.unwrap();
            let seen = seen.lock().unwrap();
            assert!(seen.is_sorted(), "{seen:?}");
            assert_eq!(seen.last(), Some(&(size as u64, Some(size as u64), 1)), "{seen:?}");
        }
    }
}

#[tokio::test]
async fn a_file_that_grows_while_it_is_uploaded_is_not_stored() {
    let running = Running::new().await;
    let open = || Ok(Cursor::new(bytes(100_001)));
    let error = upload(&running, PUBLIC).s3().reader(100_000, open).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    let error = running.latest(PUBLIC).bytes().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND), "{error}");
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the tape is torn"))
    }
}

#[tokio::test]
async fn an_upload_that_nobody_answers_is_tried_again() {
    let running = Running::new().await;
    let data = bytes(20_000);
    running.fake.on_uploads().times(1).fault(Fault::Delay(Duration::from_secs(600)));
    let upload = upload(&running, PUBLIC).stall_timeout(Duration::from_millis(300));
    upload.bytes(data.clone()).await.unwrap();
    assert!(running.latest(PUBLIC).bytes().await.unwrap() == data);
}

#[tokio::test]
async fn a_source_that_gives_nothing_more_ends_the_upload() {
    let running = Running::new().await;
    let builder = running.fake.builder().unwrap().retry(Retry::never());
    let client = builder.credentials(running.fake.client("t", "no-secret", ["*"])).build().unwrap();
    let queue = Queue::new(&client);
    let upload = |name| {
        let upload = artifacts::upload(&queue, &running.task_id, 0, name);
        upload.expires(running.expires()).stall_timeout(Duration::from_millis(200))
    };
    let (held, waiting) = std::sync::mpsc::channel::<()>();
    let waiting = Arc::new(Mutex::new(waiting));
    let open = move |given| {
        let waiting = waiting.clone();
        move || Ok(Cursor::new(bytes(given)).chain(Silent(waiting.clone())))
    };
    for upload in [
        upload(PUBLIC).reader(20_000, open(10_000)),
        upload("public/inline").reader(100, open(50)),
        upload("public/zipped").s3().compress(true).reader(20_000, open(10_000)),
    ] {
        let error = upload.await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
    }
    // Lets its thread end.
    drop(held);
}

/// Gives nothing as long as the other side is held.
struct Silent(Arc<Mutex<std::sync::mpsc::Receiver<()>>>);

impl Read for Silent {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        let _ = self.0.lock().unwrap().recv();
        Ok(0)
    }
}

/// Gives other credentials each time, as a worker whose claim is renewed.
struct Renewed(Vec<Credentials>, AtomicUsize);

impl CredentialsProvider for Renewed {
    fn credentials(&self) -> CredentialsFuture<'_> {
        let n = self.1.fetch_add(1, Ordering::Relaxed);
        let credentials = self.0[n.min(self.0.len() - 1)].clone();
        Box::pin(async move { Ok(credentials) })
    }
}

#[tokio::test]
async fn an_artifact_is_finished_with_the_credentials_of_that_time() {
    let running = Running::new().await;
    let first = running.fake.client("first", "no-secret", ["*"]);
    let second = running.fake.client("second", "no-secret", ["*"]);
    let builder = running.fake.builder().unwrap();
    let provider = Renewed(vec![first, second], AtomicUsize::new(0));
    let client: Client = builder.credentials_provider(provider).build().unwrap();
    let upload = artifacts::upload(&Queue::new(&client), &running.task_id, 0, PUBLIC);
    running.fake.clear_calls();
    upload.expires(running.fake.now() + TimeDelta::hours(1)).bytes("hello").await.unwrap();
    let calls = running.fake.calls();
    let by = |name: &str| {
        let call = calls.iter().find(|call| call.endpoint.name == name).unwrap();
        call.client_id.clone().unwrap()
    };
    assert_eq!((&*by("createArtifact"), &*by("finishArtifact")), ("first", "second"));
}

#[test]
fn programs_without_async_upload_too() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = runtime.block_on(Running::new());
    upload(&running, PUBLIC).bytes(bytes(10_000)).send_blocking().unwrap();
    let (queue, id) = (&running.queue, &running.task_id);
    artifacts::link(queue, id, 0, "public/link", PUBLIC).send_blocking().unwrap();
    assert!(running.latest("public/link").bytes_blocking().unwrap() == bytes(10_000));
    let zipped = upload(&running, "public/zipped").s3().compress(true).bytes(vec![b'a'; 100_000]);
    zipped.send_blocking().unwrap();
    let stored: usize = running.fake.transfers().last().unwrap().headers["content-length"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(stored <= gzip(&[b'a'; 100_000]).len(), "{stored}");
}
