//! What is there already is not fetched again, and is never mixed with something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures::TryStreamExt as _;
use serde_json::json;
use taskcluster::artifacts::{self, Artifact};
use taskcluster::reqwest::header::{CONTENT_RANGE, ETAG, HeaderValue};
use taskcluster::testing::{Fault, Reply};
use taskcluster::{ErrorKind, Queue, Retry, StatusCode};

use crate::artifacts::encodings::{LOG, LOG_BR, LOG_ZSTD};
use crate::artifacts::{Folder, PUBLIC, Running, bytes, gzip, names_in, sha256};

/// The same artifact for a client that gives up at once.
fn impatient(running: &Running, name: &str) -> Artifact {
    let builder = running.fake.builder().unwrap().retry(Retry::never());
    let credentials = running.fake.client("impatient", "no-secret", ["*"]);
    let client = builder.credentials(credentials).build().unwrap();
    artifacts::latest(&Queue::new(&client), &running.task_id, name)
}

#[tokio::test]
async fn cut_anywhere_the_content_is_the_same() {
    let running = Running::new().await;
    let data = bytes(90);
    running.object("public/object", &data, json!({"sha256": sha256(&data)})).await;
    let mut artifacts = vec![("public/object", data.clone(), 90)];
    for (name, encoding, body) in
        [("public/plain", "identity", data.clone()), ("public/zipped", "gzip", gzip(&data))]
    {
        running.s3(name, &body, encoding).await;
        artifacts.push((name, data.clone(), body.len()));
    }
    for (name, encoding, body) in [("public/br", "br", LOG_BR), ("public/zstd", "zstd", LOG_ZSTD)] {
        running.s3(name, body, encoding).await;
        artifacts.push((name, LOG.to_vec(), body.len()));
    }
    let folder = Folder::new();
    for (name, data, length) in artifacts {
        for cut in 0..length {
            let artifact = running.latest(name);
            let cut_off = || {
                running.fake.clear_calls();
                running.fake.on_downloads().times(1).fault(Fault::CutOff(cut));
            };
            cut_off();
            assert!(artifact.bytes().await.unwrap() == data, "{name} {cut}");
            let rest = (cut > 0).then(|| format!("bytes={cut}-"));
            assert_eq!(running.ranges(), [None, rest.clone()], "{name}");
            if cut > 0 {
                let etag = &running.fake.transfers()[1].headers["if-range"];
                assert!(etag.to_str().unwrap().starts_with('"'), "{etag:?}");
            }
            cut_off();
            let pieces: Vec<_> = artifact.stream().await.unwrap().try_collect().await.unwrap();
            assert!(pieces.concat() == data, "{name} {cut}");
            cut_off();
            artifact.download_to(folder.path("x")).await.unwrap();
            assert!(std::fs::read(folder.path("x")).unwrap() == data, "{name} {cut}");
            // The same in two goes.
            cut_off();
            let error = impatient(&running, name).resume(true).download_to(folder.path("y")).await;
            assert!(error.unwrap_err().is_transport());
            let artifact = impatient(&running, name).resume(true);
            let file = artifact.download_to(folder.path("y")).await.unwrap();
            assert!(std::fs::read(&file.path).unwrap() == data, "{name} {cut}");
            assert_eq!(file.size, data.len() as u64);
            assert_eq!(file.hashes.sha256, sha256(&data));
            assert_eq!(running.ranges(), [None, rest], "{name}");
            assert_eq!(folder.names(), ["x", "y"]);
        }
    }
}

#[tokio::test]
async fn a_server_that_sends_the_whole_instead_begins_anew() {
    let running = Running::new().await;
    let data = bytes(90);
    for (name, body, encoding, data) in [
        ("public/plain", data.clone(), "identity", &*data),
        ("public/zipped", gzip(&data), "gzip", &*data),
        ("public/br", LOG_BR.to_vec(), "br", LOG),
        ("public/zstd", LOG_ZSTD.to_vec(), "zstd", LOG),
    ] {
        running.s3(name, &body, encoding).await;
        let etag = HeaderValue::from_static("\"e\"");
        let reply = Reply::new(StatusCode::OK)
            .body(HeaderValue::from_static("a/b"), body.clone())
            .header("content-encoding".parse().unwrap(), HeaderValue::from_static(encoding))
            .header(ETAG, etag);
        running.fake.clear_stubs();
        running.fake.on_downloads().reply(reply);
        for cut in 0..body.len() {
            running.fake.on_downloads().times(1).fault(Fault::CutOff(cut));
            assert!(running.latest(name).bytes().await.unwrap() == data, "{name} {cut}");
            running.fake.on_downloads().times(1).fault(Fault::CutOff(cut));
            let stream = running.latest(name).stream().await.unwrap();
            let pieces: Vec<_> = stream.try_collect().await.unwrap();
            assert!(pieces.concat() == data, "{name} {cut}");
        }
    }
}

/// Stores other content while the first is under way.
async fn change_after_first_bytes(running: &Running, other: &[u8]) -> Artifact {
    running.s3(PUBLIC, &bytes(1000), "identity").await;
    running.fake.on_downloads().times(1).fault(Fault::CutOff(400));
    let (changed, other) = (AtomicBool::new(false), other.to_vec());
    let artifact = json!({"storageType": "s3", "contentType": "text/plain"});
    let url = running.create(PUBLIC, artifact).await["putUrl"].as_str().unwrap().to_owned();
    running.latest(PUBLIC).on_progress(move |_| {
        if !changed.swap(true, Ordering::Relaxed) {
            let put = crate::support::plain().put(&url).header("content-type", "text/plain");
            let put = put.body(other.clone());
            // On a thread of its own: here is a runtime already.
            let runtime = || tokio::runtime::Runtime::new().unwrap().block_on(put.send());
            std::thread::scope(|scope| scope.spawn(runtime).join().unwrap()).unwrap();
        }
    })
}

#[tokio::test]
async fn content_that_changes_meanwhile_is_fetched_from_its_start() {
    let running = Running::new().await;
    for length in [100, 400, 1000, 3000] {
        let other = vec![b'x'; length];
        let artifact = change_after_first_bytes(&running, &other).await;
        assert!(artifact.bytes().await.unwrap() == other, "{length}");
        // A stream cannot take back what it has given away.
        let artifact = change_after_first_bytes(&running, &other).await;
        let streamed: Result<Vec<_>, _> = artifact.stream().await.unwrap().try_collect().await;
        let error = streamed.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Artifact, "{length}: {error}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_not_joined() {
    let running = Running::new().await;
    let data = bytes(100);
    running.s3(PUBLIC, &data, "identity").await;
    let part = |range: &'static str, etag: Option<&'static str>, body: &[u8]| {
        let mut reply = Reply::new(StatusCode::PARTIAL_CONTENT)
            .body(HeaderValue::from_static("a/b"), body.to_vec())
            .header("content-range".parse().unwrap(), HeaderValue::from_static(range));
        if let Some(etag) = etag {
            reply = reply.header(ETAG, HeaderValue::from_static(etag));
        }
        reply
    };
    for wrong in [
        part("bytes 39-99/100", None, &data[39..]),
        part("bytes 41-99/100", None, &data[41..]),
        part("bytes 40-99/101", None, &data[40..]),
        part("bytes 40-99/100", Some("\"other\""), &[b'x'; 60]),
        part("lines 40-99/100", None, &data[40..]),
        Reply::new(StatusCode::PARTIAL_CONTENT).body(HeaderValue::from_static("a/b"), "x"),
        Reply::new(StatusCode::RANGE_NOT_SATISFIABLE),
    ] {
        running.fake.clear_calls();
        running.fake.clear_stubs();
        running.fake.on_downloads().times(1).fault(Fault::CutOff(40));
        let first = running.latest(PUBLIC);
        // The stub of the second request comes when the first is over.
        let (fake, stubbed) = (running.fake.clone(), AtomicBool::new(false));
        let artifact = first.on_progress(move |_| {
            if !stubbed.swap(true, Ordering::Relaxed) {
                fake.on_downloads().times(1).reply(wrong.clone());
            }
        });
        assert!(artifact.bytes().await.unwrap() == data);
        assert_eq!(running.ranges(), [None, Some("bytes=40-".to_owned()), None]);
    }
    // A part that nobody asked for is no content.
    running.fake.on_downloads().times(1).reply(part("bytes 0-9/100", None, &data[..10]));
    running.latest(PUBLIC).bytes().await.unwrap_err();
}

#[tokio::test]
async fn a_part_of_something_else_is_not_continued() {
    let running = Running::new().await;
    let (data, folder) = (bytes(1000), Folder::new());
    running.s3(PUBLIC, &data, "identity").await;
    running.s3("public/other", &[b'x'; 1000], "identity").await;
    let path = folder.path("file");
    let cut = async |name: &str| {
        running.fake.on_downloads().times(1).fault(Fault::CutOff(400));
        impatient(&running, name).resume(true).download_to(&path).await.unwrap_err();
        assert_eq!(folder.names(), ["file.part", "file.part.json"]);
        running.fake.clear_calls();
    };
    cut("public/other").await;
    running.latest(PUBLIC).resume(true).download_to(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == data);
    assert_eq!(running.ranges(), [None]);

    // The same artifact with other content: the server says so.
    std::fs::remove_file(&path).unwrap();
    cut(PUBLIC).await;
    running.s3(PUBLIC, &[b'y'; 1000], "identity").await;
    running.latest(PUBLIC).resume(true).download_to(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == [b'y'; 1000]);
    assert_eq!(running.ranges(), [Some("bytes=400-".to_owned())]);

    // Files that are no parts at all.
    for junk in ["", "{", "{}", "[1]", "\u{0}"] {
        std::fs::write(folder.path("file.part"), "zzz").unwrap();
        std::fs::write(folder.path("file.part.json"), junk).unwrap();
        running.latest(PUBLIC).resume(true).download_to(&path).await.unwrap();
        assert!(std::fs::read(&path).unwrap() == [b'y'; 1000]);
        assert_eq!(folder.names(), ["file"]);
    }
}

#[tokio::test]
async fn a_damaged_part_is_found_by_its_hash_and_not_kept() {
    let running = Running::new().await;
    let (data, folder) = (bytes(1000), Folder::new());
    running.object(PUBLIC, &data, json!({"sha256": sha256(&data)})).await;
    let path = folder.path("file");
    running.fake.on_downloads().times(1).fault(Fault::CutOff(400));
    impatient(&running, PUBLIC).resume(true).download_to(&path).await.unwrap_err();
    std::fs::write(folder.path("file.part"), vec![0; 400]).unwrap();
    let error = running.latest(PUBLIC).resume(true).download_to(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Artifact, "{error}");
    assert!(folder.names().is_empty(), "{:?}", folder.names());
    running.latest(PUBLIC).resume(true).download_to(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == data);
}

#[tokio::test]
async fn large_content_comes_over_several_connections() {
    const MIB: usize = 1024 * 1024;

    let running = Running::new().await;
    let (data, folder) = (bytes(25 * MIB + 1), Folder::new());
    running.s3(PUBLIC, &data, "identity").await;
    let path = folder.path("file");
    let most = Arc::new(AtomicU64::new(0));
    let kept = most.clone();
    let artifact = running.latest(PUBLIC).parallel(3).on_progress(move |progress| {
        assert_eq!(progress.total, Some(25 * MIB as u64 + 1));
        kept.fetch_max(progress.bytes, Ordering::Relaxed);
    });
    running.fake.on_downloads().one_in(2).fault(Fault::CutOff(3 * MIB));
    artifact.download_to(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == data);
    assert_eq!(names_in(&folder.0), ["file"]);
    assert_eq!(most.load(Ordering::Relaxed), 25 * MIB as u64 + 1);
    let ranges = running.ranges();
    assert_eq!(ranges[0].as_deref(), Some("bytes=0-8388607"));
    for start in ["bytes=8388608-16777215", "bytes=16777216-25165823", "bytes=25165824-26214400"] {
        assert!(ranges.contains(&Some(start.to_owned())), "{ranges:?}");
    }

    // Compressed, resumed, and from a server that knows no ranges.
    running.fake.clear_stubs();
    running.s3("public/zipped", &gzip(&data), "gzip").await;
    running.fake.on_downloads().one_in(3).fault(Fault::Disconnect);
    let artifact = impatient(&running, "public/zipped").parallel(4).resume(true);
    artifact.download_to(&path).await.unwrap_err();
    assert_eq!(folder.names(), ["file", "file.part", "file.part.json"]);
    running.fake.clear_stubs();
    running.fake.clear_calls();
    artifact.download_to(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == data);
    assert!(!running.ranges().contains(&Some("bytes=0-8388607".to_owned())));
    let whole = Reply::new(StatusCode::OK).body(HeaderValue::from_static("a/b"), data.clone());
    running.fake.on_downloads().reply(whole);
    running.fake.clear_calls();
    running.latest(PUBLIC).parallel(4).download_to(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == data);
    assert_eq!(running.fake.transfers().len(), 1);
    assert_eq!(folder.names(), ["file"]);
}

#[tokio::test]
async fn what_cannot_come_in_parts_comes_whole() {
    let running = Running::new().await;
    let folder = Folder::new();
    let path = folder.path("file");
    // Even a client that never retries gets it.
    let artifact = impatient(&running, PUBLIC).parallel(3);
    let data = bytes(9 * 1024 * 1024);
    running.s3(PUBLIC, &data, "identity").await;
    let part = Reply::new(StatusCode::PARTIAL_CONTENT)
        .body(HeaderValue::from_static("a/b"), data[..8 * 1024 * 1024].to_vec());
    let headers = |range: &str, etag: Option<&str>| {
        let part = part.clone().header(CONTENT_RANGE, HeaderValue::try_from(range).unwrap());
        match etag {
            Some(etag) => part.header(ETAG, HeaderValue::try_from(etag).unwrap()),
            None => part,
        }
    };
    let range = format!("bytes 0-8388607/{}", data.len());
    for part in [
        // Nothing says whether later parts are of the same content.
        headers(&range, Some("W/\"a\"")),
        headers(&range, Some("a")),
        headers(&range, None),
        headers("bytes 0-8388607/*", Some("\"a\"")),
        headers("bytes 1-8388608/9437184", Some("\"a\"")),
        part.clone(),
    ] {
        running.fake.clear_calls();
        running.fake.on_downloads().times(1).reply(part.clone());
        assert_eq!(artifact.download_to(&path).await.unwrap().size, data.len() as u64);
        assert!(std::fs::read(&path).unwrap() == data, "{part:?}");
        assert_eq!(running.ranges(), [Some("bytes=0-8388607".to_owned()), None], "{part:?}");
    }
    // Storage has no first byte of empty content.
    running.s3("public/empty", b"", "identity").await;
    running.fake.clear_calls();
    let empty = impatient(&running, "public/empty").parallel(3);
    assert_eq!(empty.download_to(&path).await.unwrap().size, 0);
    assert_eq!(running.ranges(), [Some("bytes=0-8388607".to_owned()), None]);
    assert_eq!(folder.names(), ["file"]);
}

#[tokio::test]
async fn a_part_that_is_whole_is_asked_about_and_finished() {
    let running = Running::new().await;
    let (data, folder) = (bytes(1000), Folder::new());
    running.s3(PUBLIC, &data, "identity").await;
    let path = folder.path("file");
    running.fake.on_downloads().times(1).fault(Fault::CutOff(400));
    impatient(&running, PUBLIC).resume(true).download_to(&path).await.unwrap_err();
    // As if the other process had ended before it gave the file its name.
    std::fs::write(folder.path("file.part"), &data).unwrap();
    running.fake.clear_calls();
    running.latest(PUBLIC).resume(true).download_to(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == data);
    assert_eq!(running.ranges(), [Some("bytes=999-".to_owned())]);
    assert_eq!(folder.names(), ["file"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_part_that_somebody_replaced_gets_no_name() {
    let running = Running::new().await;
    let (data, folder) = (bytes(1000), Folder::new());
    running.s3(PUBLIC, &data, "identity").await;
    let (path, part) = (folder.path("file"), folder.path("file.part"));
    let theirs = part.clone();
    let artifact = running.latest(PUBLIC).resume(true).on_progress(move |progress| {
        if progress.bytes == 1000 {
            std::fs::remove_file(&theirs).unwrap();
            std::fs::write(&theirs, vec![b'x'; 1000]).unwrap();
        }
    });
    let error = artifact.download_to(&path).await.unwrap_err();
    assert!(error.to_string().contains("another program changed"), "{error}");
    assert_eq!(folder.names(), ["file.part", "file.part.json"]);
    assert!(std::fs::read(&part).unwrap() == [b'x'; 1000], "theirs stays");

    // Nor is a link followed to a file of somebody else.
    let other = Folder::new();
    std::fs::write(other.path("theirs"), [b'y'; 400]).unwrap();
    std::fs::remove_file(&part).unwrap();
    std::os::unix::fs::symlink(other.path("theirs"), &part).unwrap();
    running.latest(PUBLIC).resume(true).download_to(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == data);
    assert_eq!(std::fs::read(other.path("theirs")).unwrap(), [b'y'; 400]);
}
