//! Ten thousand faults at random, and not one wrong file.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use taskcluster::testing::{Fault, Reply};
use taskcluster::{ErrorKind, StatusCode};

use crate::artifacts::{Folder, Running, bytes, gzip, sha256};

/// How many faults happen.
const FAULTS: usize = 10_000;

async fn append(mut whole: Vec<u8>, piece: bytes::Bytes) -> taskcluster::Result<Vec<u8>> {
    whole.extend_from_slice(&piece);
    Ok(whole)
}

#[tokio::test(flavor = "multi_thread")]
async fn random_faults_make_no_wrong_file() {
    let running = Running::new().await;
    let data = bytes(300);
    let zipped = gzip(&data);
    running.object("public/object", &data, json!({"sha256": sha256(&data)})).await;
    running.s3("public/plain", &data, "identity").await;
    running.s3("public/zipped", &zipped, "gzip").await;
    let faults = AtomicUsize::new(0);
    let (whole, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let folder = Folder::new();
    let mut random = 7_u64;
    // Each round has its own mixture, which several downloads share.
    while faults.load(Ordering::Relaxed) < FAULTS {
        running.fake.clear_stubs();
        running.fake.clear_calls();
        for _ in 0..3 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let cut = (random >> 40) as usize % 300;
            let fault = match (random >> 33) % 7 {
                0 => Fault::Disconnect,
                1 => Fault::LoseAnswer,
                2 => Fault::Truncate,
                3 => Fault::Status(StatusCode::SERVICE_UNAVAILABLE),
                4 => Fault::Status(StatusCode::TOO_MANY_REQUESTS),
                _ => Fault::CutOff(cut),
            };
            running.fake.on_downloads().one_in(2 + (random >> 60) as usize % 3).fault(fault);
        }
        if random.is_multiple_of(5) {
            // A server that lost its ranges.
            let body = Reply::new(StatusCode::OK).body("a/b".parse().unwrap(), data.clone());
            running.fake.on_downloads().one_in(4).reply(body);
        }
        let downloads = (0..120).map(|n| {
            let name = ["public/object", "public/plain", "public/zipped"][n % 3];
            let artifact = running.latest(name);
            let (path, data) = (folder.path(&n.to_string()), &data);
            let (whole, failed) = (&whole, &failed);
            async move {
                let got = match n % 4 {
                    0 => artifact.bytes().await.map(Vec::from),
                    1 => {
                        let streamed = async {
                            let stream = artifact.stream().await?;
                            stream.try_fold(Vec::new(), append).await
                        };
                        streamed.await
                    }
                    2 => artifact.download_to(&path).await.map(|_| std::fs::read(&path).unwrap()),
                    _ => {
                        let resumed = artifact.resume(true).download_to(&path).await;
                        resumed.map(|_| std::fs::read(&path).unwrap())
                    }
                };
                match got {
                    Ok(got) => {
                        assert!(got == *data, "{name}");
                        whole.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => {
                        let kind = error.kind();
                        let is_fault = matches!(kind, ErrorKind::Transport | ErrorKind::Api);
                        assert!(is_fault, "{error}");
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        stream::iter(downloads).buffer_unordered(16).collect::<Vec<()>>().await;
        let transfers = running.fake.transfers();
        // Every request but the one that brought the end of a file met a fault.
        faults.fetch_add(transfers.len().saturating_sub(120), Ordering::Relaxed);
    }
    let (whole, failed) = (whole.into_inner(), failed.into_inner());
    assert!(whole > 10 * failed, "{whole} whole, {failed} failed");
}
