//! What is repeated, how, and what is not.

use std::future::{Future, IntoFuture as _};
use std::time::Duration;

use taskcluster::hawk::verify::Header;
use taskcluster::{Client, Credentials, ErrorKind, Queue, Retry, StatusCode};
use taskcluster_tests::{RawServer, answer, json};

use crate::support::log::Log;

/// Delays too short to wait for.
fn quick() -> Retry {
    Retry::default().first_delay(Duration::from_millis(1)).max_delay(Duration::from_millis(20))
}

fn client(url: &str) -> Client {
    Client::builder(url)
        .credentials(Credentials::new("tester", "no-secret"))
        .retry(quick())
        .build()
        .unwrap()
}

fn authorization(request: &str) -> String {
    let line = request.lines().find(|line| line.to_lowercase().starts_with("authorization: "));
    line.unwrap().split_once(": ").unwrap().1.to_owned()
}

#[tokio::test]
async fn every_attempt_is_signed_anew() {
    let busy = answer("503 Service Unavailable", &[], "");
    let server =
        RawServer::start([busy.clone(), busy, json("200 OK", r#"{"alive": true}"#)]).await.unwrap();
    Queue::new(&client(&server.url)).ping().await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    let headers: Vec<_> = requests.iter().map(|request| authorization(request)).collect();
    let nonces: std::collections::HashSet<_> =
        headers.iter().map(|header| Header::parse(header).unwrap().nonce).collect();
    assert_eq!(nonces.len(), 3);
}

#[tokio::test]
async fn connection_errors_5xx_and_429_are_repeated_until_none_is_left() {
    for (broken, status) in [
        (String::new(), None),
        (answer("500 Internal Server Error", &[], ""), Some(500)),
        (json("429 Too Many Requests", "{}"), Some(429)),
        (answer("502 Bad Gateway", &["Content-Type: text/html"], "<html>no</html>"), Some(502)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"alive\":".to_owned(), Some(200)),
    ] {
        let server = RawServer::start([broken.clone()]).await.unwrap();
        let error = Queue::new(&client(&server.url)).ping().await.unwrap_err();
        assert_eq!(error.attempts(), 6, "{broken}");
        assert_eq!(server.requests().len(), 6, "{broken}");
        assert_eq!(error.status().map(|status| status.as_u16()), status, "{error}");
        assert!(error.to_string().ends_with("(6 attempts)"), "{error}");

        let server = RawServer::start([broken, json("200 OK", "{}")]).await.unwrap();
        Queue::new(&client(&server.url)).ping().await.unwrap();
    }
}

#[tokio::test]
async fn nobody_listening_is_a_transport_error() {
    let server = RawServer::start([json("200 OK", "{}")]).await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = Queue::new(&client(&format!("http://{address}"))).ping().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 6));
    assert!(error.message().contains("cannot connect"), "{error}");
    drop(server);
}

#[tokio::test]
async fn other_refusals_are_not_repeated() {
    for status in
        ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "409 Conflict"]
    {
        let refusal = json(status, r#"{"code": "Some", "message": "no"}"#);
        let server = RawServer::start([refusal, json("200 OK", "{}")]).await.unwrap();
        let error = Queue::new(&client(&server.url)).ping().await.unwrap_err();
        assert_eq!((error.attempts(), server.requests().len()), (1, 1), "{error}");
        assert_eq!(error.code(), Some("Some"));
    }
}

#[tokio::test]
async fn without_retries_there_is_one_attempt() {
    let server = RawServer::start([answer("503 Busy", &[], "")]).await.unwrap();
    let client = Client::builder(&server.url).retry(Retry::never()).build().unwrap();
    assert_eq!(Queue::new(&client).ping().await.unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn a_slow_answer_times_out() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::builder(format!("http://{address}"))
        .timeout(Duration::from_millis(50))
        .retry(quick().max_retries(1))
        .build()
        .unwrap();
    // Connections are taken by the system, but nobody ever answers.
    let error = Queue::new(&client).ping().await.unwrap_err();
    assert!(error.is_timeout() && error.is_transport(), "{error:?}");
    assert_eq!(error.attempts(), 2);
}

#[tokio::test]
async fn retry_after_is_obeyed_up_to_the_limit() {
    for (retry_after, least, most) in [
        ("2", 2.0, 2.1),
        ("3600", 5.0, 5.1),
        ("Sun, 06 Nov 1994 08:49:40 GMT", 3.0, 3.1),
        ("Sun, 06 Nov 1994 08:49:30 GMT", 0.0, 1.0),
        ("soon", 0.0, 1.0),
    ] {
        let headers = [
            format!("Retry-After: {retry_after}"),
            "Date: Sun, 06 Nov 1994 08:49:37 GMT".to_owned(),
        ];
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let busy = answer("429 Too Many Requests", &headers, "");
        let server = RawServer::start([busy, json("200 OK", "{}")]).await.unwrap();
        let retry = Retry::default()
            .first_delay(Duration::from_millis(100))
            .max_delay(Duration::from_secs(5));
        let client = Client::builder(&server.url).retry(retry).build().unwrap();
        let queue = Queue::new(&client);
        let call = queue.ping();
        let waited = slept(call.send()).await;
        assert!((least..=most).contains(&waited), "{retry_after}: {waited} s");
    }
}

/// How long a call wanted to sleep, by what it said through `tracing`.
async fn slept(call: impl Future<Output = taskcluster::Result<serde_json::Value>>) -> f64 {
    let log = Log::default();
    let guard = log.install();
    let mut call = std::pin::pin!(call);
    // The sleep itself is cut short.
    while !log.text().contains("delay=") {
        tokio::select! {
            _ = &mut call => break,
            () = tokio::task::yield_now() => {}
        }
    }
    drop(guard);
    let text = log.text();
    let delay = text.split("delay=").nth(1).unwrap_or_else(|| panic!("no delay in {text}"));
    let delay = delay.split_whitespace().next().unwrap();
    match delay.strip_suffix("ms") {
        Some(millis) => millis.parse::<f64>().unwrap() / 1000.0,
        None => delay.strip_suffix('s').unwrap().parse().unwrap(),
    }
}

#[tokio::test]
async fn a_refusal_whose_body_breaks_off_is_a_refusal() {
    let broken = "HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{\"code\":".to_owned();
    let server = RawServer::start([broken]).await.unwrap();
    let error = Queue::new(&client(&server.url)).ping().await.unwrap_err();
    assert_eq!((error.attempts(), error.is_api()), (1, true), "{error}");
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn what_the_http_client_refuses_is_not_repeated() {
    let http = taskcluster::http_client_builder().unwrap().https_only(true).build().unwrap();
    let client = Client::builder("http://127.0.0.1:9").http_client(http).build().unwrap();
    let error = Queue::new(&client).ping().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Config, 1), "{error}");
}

#[tokio::test]
async fn a_body_that_the_caller_reads_may_take_longer_than_an_attempt() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab").await.unwrap();
        finished.await.unwrap();
        stream.write_all(b"cd").await.unwrap();
    });
    let timeout = Duration::from_millis(500);
    let client = Client::builder(format!("http://{address}")).timeout(timeout).build().unwrap();
    let response = Queue::new(&client).ping().send_raw().await.unwrap();
    // It must take longer than the timeout: the HTTP client measures it by a clock that no test can move.
    tokio::time::sleep(2 * timeout).await;
    finish.send(()).unwrap();
    assert_eq!(response.text().await.unwrap(), "abcd");

    // The head must come in time all the same.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::builder(format!("http://{}", silent.local_addr().unwrap()))
        .timeout(Duration::from_millis(50))
        .retry(Retry::never())
        .build()
        .unwrap();
    let error = Queue::new(&client).ping().send_raw().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

#[tokio::test]
async fn a_dropped_call_is_not_tried_again() {
    let server = RawServer::start([answer("503 Busy", &[], ""), answer("200 OK", &[], "")]);
    let server = server.await.unwrap();
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let client = Client::builder(&server.url).on_attempt(move |_| {
        tell.lock().unwrap().take().map(|tell| tell.send(()));
    });
    let queue = Queue::new(&client.build().unwrap());
    let dropped = {
        let call = queue.ping().retry(Retry::default().first_delay(Duration::from_secs(60)));
        tokio::select! {
            answer = call.into_future() => Some(answer),
            _ = told => None,
        }
    };
    assert!(dropped.is_none());
    // Were there an attempt to come, its time would have come.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3600)).await;
    tokio::time::resume();
    queue.ping().await.unwrap();
    assert_eq!(server.requests().len(), 2);
}
