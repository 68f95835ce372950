//! Content that is stored compressed, by other programs: Node's brotli, and Facebook's zstd.

use futures::TryStreamExt as _;
use taskcluster::ErrorKind;
use taskcluster::reqwest::header::{CONTENT_ENCODING, ETAG, HeaderValue};
use taskcluster::testing::Reply;
use taskcluster::{StatusCode, artifacts};

use crate::artifacts::{Folder, PUBLIC, Running};

pub(crate) const LOG: &[u8] = include_bytes!("../vectors/encoded/log.txt");
pub(crate) const LOG_BR: &[u8] = include_bytes!("../vectors/encoded/log.txt.br");
pub(crate) const LOG_ZSTD: &[u8] = include_bytes!("../vectors/encoded/log.txt.zst");

/// 20 MiB of zeros.
const BOMBS: [(&str, &[u8]); 2] = [
    ("br", include_bytes!("../vectors/encoded/zeros.br")),
    ("zstd", include_bytes!("../vectors/encoded/zeros.zst")),
];
const ZEROS: u64 = 20 * 1024 * 1024;

/// Serves these bytes as the artifact's content.
fn serve(running: &Running, encoding: &'static str, body: &[u8]) {
    running.fake.clear_stubs();
    let reply = Reply::new(StatusCode::OK)
        .body(HeaderValue::from_static("text/plain"), body.to_vec())
        .header(CONTENT_ENCODING, HeaderValue::from_static(encoding))
        .header(ETAG, HeaderValue::from_static("\"e\""));
    running.fake.on_downloads().reply(reply);
}

#[tokio::test]
async fn every_encoding_is_asked_for_and_decoded() {
    let running = Running::new().await;
    for (encoding, body) in [("br", LOG_BR), ("BR", LOG_BR), ("zstd", LOG_ZSTD)] {
        running.s3(PUBLIC, body, encoding).await;
        running.fake.clear_calls();
        assert!(running.latest(PUBLIC).bytes().await.unwrap() == LOG, "{encoding}");
        let accepted = running.fake.transfers()[0].headers["accept-encoding"].clone();
        assert_eq!(accepted, "gzip, br, zstd, identity");
        let stream = running.latest(PUBLIC).stream().await.unwrap();
        assert_eq!(stream.size(), None);
        let pieces: Vec<_> = stream.try_collect().await.unwrap();
        assert!(pieces.concat() == LOG, "{encoding}");
    }
}

#[tokio::test]
async fn compressed_content_that_is_not_whole_is_an_error() {
    let running = Running::new().await;
    running.s3(PUBLIC, b"x", "identity").await;
    for (encoding, whole) in [("br", LOG_BR), ("zstd", LOG_ZSTD)] {
        for end in 0..whole.len() {
            serve(&running, encoding, &whole[..end]);
            let error = running.latest(PUBLIC).bytes().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Artifact, "{encoding} {end}: {error}");
        }
        serve(&running, encoding, &[whole, b"more"].concat());
        let error = running.latest(PUBLIC).bytes().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Artifact, "{encoding}: {error}");
    }
    for encoding in ["br, gzip", "gzip, zstd", "compress"] {
        serve(&running, encoding, LOG_BR);
        let error = running.latest(PUBLIC).bytes().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Artifact, "{encoding}: {error}");
    }
}

#[tokio::test]
async fn damaged_zstd_is_found_and_damaged_brotli_does_no_harm() {
    let running = Running::new().await;
    running.s3(PUBLIC, b"x", "identity").await;
    for (encoding, whole) in [("br", LOG_BR), ("zstd", LOG_ZSTD)] {
        for (n, bit) in (0..whole.len()).flat_map(|n| [(n, 1), (n, 16), (n, 128)]) {
            let mut damaged = whole.to_vec();
            damaged[n] ^= bit;
            serve(&running, encoding, &damaged);
            match running.latest(PUBLIC).limit(1 << 20).bytes().await {
                // Zstandard has a checksum. Some bits of a header say nothing of the content.
                Ok(content) => assert!(encoding == "br" || content == LOG, "{encoding} {n} {bit}"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Artifact, "{encoding} {n}"),
            }
        }
    }
}

#[tokio::test]
async fn zstd_has_any_number_of_frames_and_some_that_mean_nothing() {
    let running = Running::new().await;
    let skipped = [&[0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let none = [&[0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0][..]].concat();
    let body = [&*skipped, LOG_ZSTD, &none, LOG_ZSTD, &skipped].concat();
    running.s3(PUBLIC, &body, "zstd").await;
    assert!(running.latest(PUBLIC).bytes().await.unwrap() == [LOG, LOG].concat());
    // A frame that needs a window of 1 GiB.
    let hungry = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA0, 1, 0, 0];
    running.s3(PUBLIC, &[&hungry[..], &[0; 20]].concat(), "zstd").await;
    let error = running.latest(PUBLIC).bytes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Artifact, "{error}");
}

#[tokio::test]
async fn what_becomes_large_is_limited_and_streamed_in_pieces() {
    let running = Running::new().await;
    let folder = Folder::new();
    for (encoding, bomb) in BOMBS {
        running.s3(PUBLIC, bomb, encoding).await;
        let artifact: artifacts::Artifact = running.latest(PUBLIC).limit(ZEROS - 1);
        for error in [
            artifact.bytes().await.unwrap_err(),
            artifact.download_to(folder.path("x")).await.unwrap_err(),
            artifact.resume(true).download_to(folder.path("x")).await.unwrap_err(),
            artifact.stream().await.unwrap().try_collect::<Vec<_>>().await.unwrap_err(),
        ] {
            assert!(error.message().contains("larger than"), "{encoding}: {error}");
        }
        assert!(folder.names().is_empty(), "{:?}", folder.names());
        // A kilobyte does not become 20 MiB in memory.
        let (mut size, mut largest) = (0, 0);
        let mut stream = running.latest(PUBLIC).stream().await.unwrap();
        while let Some(piece) = stream.try_next().await.unwrap() {
            size += piece.len() as u64;
            largest = largest.max(piece.len());
        }
        assert_eq!(size, ZEROS, "{encoding}");
        assert!(largest <= 9 << 20, "{encoding}: {largest}");
    }
}
