//! Compressed responses: asked for, read, and limited by what they unpack to.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use taskcluster::reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use taskcluster::testing::Deployment;
use taskcluster::{Auth, Client, ErrorKind, Queue, Retry, Url};
use taskcluster_tests::RawServer;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// A whole answer with a compressed body.
fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

async fn client(answer: Vec<u8>) -> (RawServer, Client) {
    let server = RawServer::start([answer]).await.unwrap();
    let retry = Retry::default().first_delay(Duration::from_millis(1)).max_retries(1);
    let client = Client::builder(&server.url).max_body(1 << 20).retry(retry).build().unwrap();
    (server, client)
}

#[tokio::test]
async fn large_answers_travel_compressed() {
    let fake = Deployment::start().await.unwrap();
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    let scopes: Vec<_> = (0..200).map(|i| format!("scope:{i}")).collect();
    fake.on(Auth::REFERENCE.endpoint("currentScopes")).reply(json!({ "scopes": scopes }));
    let auth = Auth::new(&tc);
    assert_eq!(auth.current_scopes().await.unwrap().scopes, scopes);
    assert_eq!(fake.calls()[0].headers[ACCEPT_ENCODING], "gzip");
    // Who reads the response gets it unpacked, too.
    let raw = auth.current_scopes().send_raw().await.unwrap();
    let raw: Value = serde_json::from_str(&raw.text().await.unwrap()).unwrap();
    assert_eq!(raw["scopes"], json!(scopes));

    // What is on the wire.
    let http = taskcluster::http_client_builder().unwrap().no_gzip().build().unwrap();
    let get = async |url: &Url, accepted: &str| {
        let request = http.get(url.clone()).header(ACCEPT_ENCODING, accepted);
        let response = request.send().await.unwrap();
        let encoding = response.headers().get(CONTENT_ENCODING).cloned();
        (encoding, response.bytes().await.unwrap())
    };
    let large = auth.current_scopes().signed_url(Duration::from_secs(900)).unwrap();
    let small = auth.ping().url().unwrap();
    let (encoding, body) = get(&large, "deflate, gzip;q=0.5").await;
    assert_eq!(encoding.unwrap(), "gzip");
    assert!(body.starts_with(&[0x1f, 0x8b]) && body.len() < 1000, "{} bytes", body.len());
    for (url, accepted) in [(&large, "identity"), (&large, "gzip;q=0, br"), (&small, "gzip")] {
        let (encoding, body) = get(url, accepted).await;
        assert_eq!(encoding, None);
        assert!(body.starts_with(b"{"));
    }
}

#[tokio::test]
async fn a_small_response_cannot_fill_the_memory() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 1 << 17);
    let (_server, tc) = client(answer("200 OK", &bomb)).await;
    let error = Queue::new(&tc).ping().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Answer, 1));
    assert!(error.message().starts_with("the response is larger than 1048576 bytes"), "{error}");
    // Of an error the start is enough.
    let (_server, tc) = client(answer("404 Not Found", &bomb)).await;
    assert!(Queue::new(&tc).ping().await.unwrap_err().is_api());
    let fits = gzip(&vec![b' '; (1 << 20) - 2].into_iter().chain(*b"{}").collect::<Vec<u8>>());
    let (_server, tc) = client(answer("200 OK", &fits)).await;
    assert_eq!(Queue::new(&tc).ping().await.unwrap(), json!({}));
}

#[tokio::test]
async fn a_compressed_error_is_read_and_a_broken_answer_tried_again() {
    let refused = gzip(br#"{"code": "ResourceNotFound", "message": "none"}"#);
    let (_server, tc) = client(answer("404 Not Found", &refused)).await;
    assert_eq!(Queue::new(&tc).ping().await.unwrap_err().code(), Some("ResourceNotFound"));

    let whole = gzip(json!({"alive": true}).to_string().as_bytes());
    let mut wrong_sum = whole.clone();
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    for broken in [b"no gzip".to_vec(), whole[..whole.len() - 9].to_vec(), wrong_sum] {
        let (server, tc) = client(answer("200 OK", &broken)).await;
        let error = Queue::new(&tc).ping().await.unwrap_err();
        assert!(error.is_transport(), "{error}");
        assert_eq!((error.attempts(), server.requests().len()), (2, 2));
    }
}
