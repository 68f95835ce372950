//! No wait without end, no size without limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::{Auth, Client, Error, ErrorKind, Queue, Retry, StatusCode};
use taskcluster_tests::{RawServer, answer, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A server that sends these bytes, then a filling again and again until nobody takes it any more. It returns its URL
/// and how many bytes it got rid of. Without a filling it waits.
async fn endless(start: &str, filling: Option<&'static [u8]>) -> (String, Arc<AtomicU64>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (start, sent) = (start.to_owned(), Arc::<AtomicU64>::default());
    let count = sent.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (start, count) = (start.clone(), count.clone());
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(start.as_bytes()).await;
                while let Some(filling) = filling
                    && stream.write_all(filling).await.is_ok()
                {
                    count.fetch_add(filling.len() as u64, Ordering::Relaxed);
                }
                // Until the client closes.
                while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    (url, sent)
}

fn impatient(url: &str) -> Client {
    Client::builder(url)
        .timeout(Duration::from_millis(300))
        .retry(Retry::default().first_delay(Duration::from_millis(1)).max_retries(1))
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_error_whose_body_stalls_is_an_error_when_the_time_is_up() {
    for start in [
        "HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{\"code\":",
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\n",
    ] {
        let (url, _) = endless(start, None).await;
        let ping = Queue::new(&impatient(&url)).ping();
        for error in [ping.clone().send_raw().await.unwrap_err(), ping.send().await.unwrap_err()] {
            // The status is what counts, as with a body that breaks off.
            assert!(error.is_api() && error.body().is_empty(), "{error}");
            assert_eq!(error.status().unwrap().as_str(), &start[9..12]);
            assert_eq!(error.attempts(), if start.contains("503") { 2 } else { 1 });
        }
    }
    // A redirect that no one asked for.
    let (url, _) = endless("HTTP/1.1 302 Found\r\nContent-Length: 100\r\n\r\n", None).await;
    let error = Queue::new(&impatient(&url)).ping().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Answer, 1), "{error}");
}

#[tokio::test]
async fn a_good_answer_that_stalls_is_tried_again_and_times_out() {
    let (url, _) = endless("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":", None).await;
    let error = Queue::new(&impatient(&url)).ping().await.unwrap_err();
    assert!(error.is_timeout() && error.is_transport(), "{error}");
    assert_eq!((error.attempts(), error.status()), (2, Some(StatusCode::OK)));
}

#[tokio::test]
async fn of_an_endless_error_only_the_start_is_read() {
    let start = "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n";
    let (url, sent) = endless(start, Some(&[b'x'; 65_536])).await;
    let client = Client::builder(&url).build().unwrap();
    let error = Queue::new(&client).ping().await.unwrap_err();
    assert!(error.is_api(), "{error}");
    // With what the system buffers.
    assert!(sent.load(Ordering::Relaxed) < 32 << 20);
}

async fn too_large(client: &Client) -> Error {
    let error = Queue::new(client).ping().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Answer, 1), "{error}");
    assert_eq!(error.status(), Some(StatusCode::OK));
    error
}

#[tokio::test]
async fn a_response_larger_than_allowed_is_an_error_and_is_not_read() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let until_closed = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    for (start, filling) in [(chunked, "5\r\nhello\r\n".as_bytes()), (until_closed, &[b' '; 4096])]
    {
        let (url, sent) = endless(start, Some(filling)).await;
        let client = Client::builder(&url).max_body(100_000).build().unwrap();
        let error = too_large(&client).await;
        assert!(
            error.message().starts_with("the response is larger than 100000 bytes; raise"),
            "{error}"
        );
        assert!(sent.load(Ordering::Relaxed) < 32 << 20);
    }
    // What is announced as too large is not waited for; that holds without a setting, too.
    let start = "HTTP/1.1 200 OK\r\nContent-Length: 134217729\r\n\r\n";
    let (url, _) = endless(start, None).await;
    let client = Client::builder(&url).build().unwrap();
    let error = too_large(&client).await;
    assert!(error.message().contains("larger than 134217728 bytes"), "{error}");
}

#[tokio::test]
async fn the_limit_is_exact_and_holds_for_pages_and_derived_clients() {
    let body = r#"{"clients": [], "x": "yz"}"#;
    let server = RawServer::start([json("200 OK", body)]).await.unwrap();
    let client = |limit| Client::builder(&server.url).max_body(limit).build().unwrap();
    let fits = client(body.len());
    Auth::new(&fits).list_clients().send_as::<Value>().await.unwrap();
    let short = client(body.len() - 1);
    let clients = Auth::new(&short.without_credentials()).list_clients();
    for error in [
        clients.clone().send_as::<Value>().await.unwrap_err(),
        clients.pages().try_next().await.unwrap_err(),
        clients.items().try_next().await.unwrap_err(),
    ] {
        assert!(error.message().contains("larger than 25 bytes"), "{error}");
    }
    // An empty answer has no bytes; an error is told whatever its size; and who reads alone sets limits alone.
    let nothing = RawServer::start([answer("200 OK", &[], "")]).await.unwrap();
    let none = Client::builder(&nothing.url).max_body(0).build().unwrap();
    assert_eq!(Queue::new(&none).ping().await.unwrap(), json!(null));
    let refused = json("404 Not Found", r#"{"code": "ResourceNotFound", "message": "none"}"#);
    let refusing = RawServer::start([refused]).await.unwrap();
    let none = Client::builder(&refusing.url).max_body(0).build().unwrap();
    assert_eq!(Queue::new(&none).ping().await.unwrap_err().code(), Some("ResourceNotFound"));
    let response = Auth::new(&short).list_clients().send_raw().await.unwrap();
    assert_eq!(response.text().await.unwrap(), body);
}
