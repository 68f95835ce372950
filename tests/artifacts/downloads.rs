//! What can be downloaded, and in which ways.

use futures::TryStreamExt as _;
use serde_json::json;
use std::time::Duration;
use taskcluster::artifacts::{self, StorageType};
use taskcluster::{Auth, ErrorKind, Index, Object, Queue, StatusCode, legacy, objects};
use taskcluster_tests::{RawServer, TASK_ID, answer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::artifacts::{Folder, PUBLIC, Running, bytes, gzip, sha256, sha512};

#[tokio::test]
async fn every_storage_type_is_downloaded_to_a_file() {
    let running = Running::new().await;
    let (data, folder) = (bytes(100_000), Folder::new());
    running.s3("public/s3", &data, "identity").await;
    running.s3("public/zipped", &gzip(&data), "gzip").await;
    running
        .object("public/object", &data, json!({"sha256": sha256(&data), "sha512": sha512(&data)}))
        .await;
    let body = String::from_utf8(b"abc".to_vec()).unwrap();
    let far = RawServer::start([answer("200 OK", &["Content-Type: a/b"], &body)]).await.unwrap();
    let near = answer("302 Found", &[&format!("Location: {}/far", far.url)], "");
    let near = RawServer::start([near]).await.unwrap();
    let reference = json!({"storageType": "reference", "contentType": "a/b", "url": near.url});
    running.create("public/reference", reference).await;
    let link = json!({"storageType": "link", "contentType": "a/b", "artifact": "public/object"});
    running.create("public/link", link).await;

    for (name, storage, content_type, expected) in [
        ("public/s3", StorageType::S3, "text/plain", &data[..]),
        ("public/zipped", StorageType::S3, "text/plain", &data),
        ("public/object", StorageType::Object, "text/plain", &data),
        ("public/link", StorageType::Object, "text/plain", &data),
        ("public/reference", StorageType::Reference, "a/b", b"abc"),
    ] {
        let path = folder.path("file");
        let file = running.latest(name).download_to(&path).await.unwrap();
        assert!(std::fs::read(&path).unwrap() == expected, "{name}");
        assert_eq!((file.size, file.storage), (expected.len() as u64, storage), "{name}");
        assert_eq!(file.content_type.as_deref(), Some(content_type), "{name}");
        assert_eq!(file.hashes.sha256, sha256(expected), "{name}");
        let known = (storage == StorageType::Object).then(|| sha512(expected));
        assert_eq!((file.hashes.sha512, file.path), (known, path), "{name}");
    }
    assert_eq!(folder.names(), ["file"]);
    assert!(far.requests()[0].starts_with("GET /far "), "{:?}", far.requests());
}

#[tokio::test]
async fn artifacts_are_found_by_run_by_index_and_objects_by_name() {
    let running = Running::new().await;
    running.object(PUBLIC, b"hello", json!({"sha256": sha256(b"hello")})).await;
    let of_run = artifacts::of_run(&running.queue, &running.task_id, 0, PUBLIC);
    assert_eq!(of_run.bytes().await.unwrap(), "hello");
    let missing = artifacts::of_run(&running.queue, &running.task_id, 1, PUBLIC);
    assert_eq!(missing.bytes().await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));

    let task = json!({"taskId": running.task_id, "rank": 0, "data": {}, "expires": "2100-01-01T00:00:00.000Z"});
    let insert = running.client.call(&Index::REFERENCE, "insertTask").unwrap();
    insert.param("namespace", "a.b").payload(task).await.unwrap();
    let index = Index::new(&running.client);
    assert_eq!(artifacts::indexed(&index, "a.b", PUBLIC).bytes().await.unwrap(), "hello");

    let object = Object::new(&running.client);
    let name = format!("t/{}/0/{PUBLIC}", running.task_id);
    assert_eq!(objects::named(&object, name).bytes().await.unwrap(), "hello");
    let error = objects::named(&object, "none").bytes().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn the_queue_of_2017_leads_to_artifacts() {
    let running = Running::new().await;
    running.s3(PUBLIC, &gzip(b"hello"), "gzip").await;
    running.fake.serve(&legacy::Queue::REFERENCE);
    let queue = legacy::Queue::new(&running.client);
    let artifact = artifacts::latest(&queue, &running.task_id, PUBLIC);
    assert_eq!(artifact.managed_only().bytes().await.unwrap(), "hello");
    let artifact = artifacts::of_run(&queue, &running.task_id, 0, PUBLIC);
    assert_eq!(artifact.bytes().await.unwrap(), "hello");
    assert_eq!((running.count("getLatestArtifact"), running.count("getArtifact")), (1, 1));
    // Azure, and whatever else a queue leads to.
    let server = RawServer::start([answer("200 OK", &[], "blob")]).await.unwrap();
    let leading = answer("303 See Other", &[&format!("Location: {}/blob", server.url)], "{}");
    let old = RawServer::start([leading]).await.unwrap();
    let client = taskcluster::Client::builder(&old.url).build().unwrap();
    let artifact = artifacts::latest(&legacy::Queue::new(&client), TASK_ID, "x");
    assert_eq!(artifact.bytes().await.unwrap(), "blob");
    let error = artifact.managed_only().bytes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Artifact);
    assert_eq!(server.requests().len(), 1);
    // A redirect whose body never comes leads there as well.
    let server = RawServer::start([answer("200 OK", &[], "blob")]).await.unwrap();
    let old = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", old.local_addr().unwrap());
    let head = format!("Location: {}/blob\r\nContent-Length: 100", server.url);
    let silent = tokio::spawn(async move {
        let (mut stream, _) = old.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        let answer = format!("HTTP/1.1 303 See Other\r\n{head}\r\n\r\n{{");
        stream.write_all(answer.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let client = taskcluster::Client::builder(root).timeout(Duration::from_millis(300));
    let queue = legacy::Queue::new(&client.build().unwrap());
    assert_eq!(artifacts::latest(&queue, TASK_ID, "x").bytes().await.unwrap(), "blob");
    silent.abort();
}

#[tokio::test]
async fn an_error_artifact_is_an_error_with_its_reason() {
    let running = Running::new().await;
    let error = json!({"storageType": "error", "reason": "file-missing-on-worker", "message": "it was never built"});
    running.create(PUBLIC, error).await;
    let error = running.latest(PUBLIC).bytes().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Artifact, Some("file-missing-on-worker")));
    assert_eq!(error.message(), "it was never built");
    assert!(error.request().unwrap().1.path().ends_with("public%2Fdata.bin"), "{error}");
    assert!(running.fake.transfers().is_empty());
}

#[tokio::test]
async fn what_is_no_artifact_is_an_error_before_anything_is_sent() {
    let running = Running::new().await;
    let error =
        artifacts::latest(&Auth::new(&running.client), TASK_ID, "x").bytes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let error = artifacts::latest(&running.queue, "", "x").bytes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let unknown = json!({"storageType": "tape", "url": "https://example.com"});
    running.fake.on(Queue::REFERENCE.endpoint("latestArtifact")).unchecked().reply(unknown);
    let error = running.latest(PUBLIC).bytes().await.unwrap_err();
    assert!(error.to_string().contains("\"tape\" cannot be downloaded"), "{error}");
}

#[tokio::test]
async fn urls_that_a_task_chose_are_not_asked_if_only_managed_content_is_wanted() {
    let running = Running::new().await;
    let server = RawServer::start([answer("200 OK", &[], "internal")]).await.unwrap();
    let reference = json!({"storageType": "reference", "contentType": "a/b", "url": server.url});
    running.create("public/reference", reference).await;
    let error = running.latest("public/reference").managed_only().bytes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Artifact);
    assert!(server.requests().is_empty());
    running.s3("public/s3", b"fine", "identity").await;
    assert_eq!(running.latest("public/s3").managed_only().bytes().await.unwrap(), "fine");
}

#[tokio::test]
async fn every_known_hash_must_be_right_and_one_must_be_known() {
    let running = Running::new().await;
    let wrong = "0".repeat(64);
    for (n, (hashes, right)) in [
        (json!({"sha256": sha256(b"hello")}), true),
        (json!({"sha512": sha512(b"hello")}), true),
        (json!({"sha256": sha256(b"hello"), "sha512": sha512(b"hello")}), true),
        (json!({"sha512": sha512(b"hello"), "md5": "?"}), true),
        (json!({"sha256": wrong}), false),
        (json!({"sha256": wrong, "sha512": sha512(b"hello")}), false),
        (json!({"sha256": sha256(b"hello"), "sha512": "0".repeat(128)}), false),
        (json!({"md5": "5d41402abc4b2a76b9719d911017c592"}), false),
        (json!({}), false),
    ]
    .into_iter()
    .enumerate()
    {
        let (name, folder) = (format!("public/{n}"), Folder::new());
        running.object(&name, b"hello", hashes.clone()).await;
        running.fake.clear_calls();
        let result = running.latest(&name).download_to(folder.path("x")).await;
        assert_eq!(result.is_ok(), right, "{hashes}");
        assert_eq!(folder.names().len(), usize::from(right), "{hashes}");
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Artifact, "{error}");
            // Neither the content nor its hashes will be better next time.
            assert!(running.fake.transfers().len() <= 1);
            let error = running.latest(&name).bytes().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Artifact, "{error}");
            let streamed = async {
                let stream = running.latest(&name).stream().await?;
                stream.try_collect::<Vec<_>>().await
            };
            let streamed = streamed.await;
            assert_eq!(streamed.unwrap_err().kind(), ErrorKind::Artifact);
        }
    }
}

#[tokio::test]
async fn content_beyond_the_limit_is_refused_also_if_it_only_becomes_large() {
    let running = Running::new().await;
    let large = vec![b'a'; 5_000_000];
    running.s3("public/plain", &large[..1000], "identity").await;
    running.s3("public/bomb", &gzip(&large), "gzip").await;
    for (name, size) in [("public/plain", 1000), ("public/bomb", 5_000_000)] {
        let artifact = running.latest(name);
        assert_eq!(artifact.limit(size).bytes().await.unwrap().len() as u64, size);
        let folder = Folder::new();
        for error in [
            artifact.limit(size - 1).bytes().await.unwrap_err(),
            artifact.limit(size - 1).download_to(folder.path("x")).await.unwrap_err(),
            artifact.limit(size - 1).resume(true).download_to(folder.path("x")).await.unwrap_err(),
            artifact
                .limit(size - 1)
                .stream()
                .await
                .unwrap()
                .try_collect::<Vec<_>>()
                .await
                .unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Artifact, "{error}");
            assert!(error.message().contains("larger than"), "{error}");
        }
        assert!(folder.names().is_empty(), "{:?}", folder.names());
    }
}

#[tokio::test]
async fn damaged_gzip_is_an_error() {
    let running = Running::new().await;
    let whole = gzip(&bytes(1000));
    for end in [1, 20, whole.len() - 1] {
        running.s3("public/cut", &whole[..end], "gzip").await;
        let error = running.latest("public/cut").bytes().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Artifact, "{end}: {error}");
    }
    let mut changed = whole.clone();
    changed[500] ^= 1;
    running.s3("public/changed", &changed, "gzip").await;
    let error = running.latest("public/changed").bytes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Artifact, "{error}");
    running.s3("public/odd", b"hello", "compress").await;
    let error = running.latest("public/odd").bytes().await.unwrap_err();
    assert!(error.message().contains("cannot decode"), "{error}");
    // Two members in a row are one content.
    let both = [gzip(b"one, "), gzip(b"two")].concat();
    running.s3("public/both", &both, "gzip").await;
    assert_eq!(running.latest("public/both").bytes().await.unwrap(), "one, two");
}

#[tokio::test]
async fn content_is_streamed_and_read() {
    let running = Running::new().await;
    let data = bytes(300_000);
    for (name, body, encoding) in
        [("public/plain", data.clone(), "identity"), ("public/zipped", gzip(&data), "gzip")]
    {
        running.s3(name, &body, encoding).await;
        let pieces: Vec<_> =
            running.latest(name).stream().await.unwrap().try_collect().await.unwrap();
        assert!(pieces.concat() == data, "{name}");
        let mut read = Vec::new();
        running.latest(name).stream().await.unwrap().read_to_end(&mut read).await.unwrap();
        assert!(read == data, "{name}");
    }
    let empty = running.latest("public/empty");
    running.s3("public/empty", b"", "identity").await;
    assert_eq!(empty.bytes().await.unwrap(), "");
    assert!(empty.stream().await.unwrap().try_next().await.unwrap().is_none());
    let folder = Folder::new();
    for artifact in [empty.clone(), empty.resume(true), empty.parallel(3)] {
        assert_eq!(artifact.download_to(folder.path("x")).await.unwrap().size, 0);
        assert_eq!(folder.names(), ["x"]);
    }
}

#[test]
fn programs_without_async_download_too() {
    use std::io::Read as _;

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = runtime.block_on(async {
        let running = Running::new().await;
        running.s3(PUBLIC, &gzip(b"hello"), "gzip").await;
        running
    });
    let (artifact, folder) = (running.latest(PUBLIC), Folder::new());
    assert_eq!(artifact.bytes_blocking().unwrap(), "hello");
    assert_eq!(artifact.download_to_blocking(folder.path("x")).unwrap().size, 5);
    let mut text = String::new();
    artifact.reader_blocking().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
    let all = artifacts::download_all(&running.queue, &running.task_id, |_| true);
    assert_eq!(all.to(folder.path("all")).send_blocking().unwrap()[0].size, 5);
    let error = runtime.block_on(async { artifact.bytes_blocking() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocking);
}

#[tokio::test]
async fn progress_comes_with_the_length_and_the_attempt() {
    use std::sync::{Arc, Mutex};

    use taskcluster::testing::Fault;

    let running = Running::new().await;
    running.s3(PUBLIC, &bytes(1000), "identity").await;
    running.fake.on_downloads().times(1).fault(Fault::CutOff(400));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let artifact = running.latest(PUBLIC).on_progress(move |progress| {
        kept.lock().unwrap().push((progress.bytes, progress.total, progress.attempt));
    });
    artifact.bytes().await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.first(), Some(&(400, Some(1000), 1)));
    assert_eq!(seen.last(), Some(&(1000, Some(1000), 2)));
}
