//! What arrives at a sign-in besides the answer.

use taskcluster::testing::Deployment;
use taskcluster::{Credentials, ErrorKind};
use tokio::net::{TcpListener, TcpStream};

use super::{Waiting, sign_in};
use crate::support::log::Log;

#[tokio::test]
async fn anything_else_is_refused_and_does_not_end_the_wait() {
    let deployment = Deployment::start().await.unwrap();
    let credentials = deployment.client("a|b+c@d", "no-secret", ["auth:current-scopes"]);
    let waiting = Waiting::start(sign_in(&deployment)).await;
    let (path, port) = (&waiting.path, waiting.port);
    let answer = "clientId=evil&accessToken=evil";
    for (request, status) in [
        (format!("GET /?{answer} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), 404),
        (format!("GET {path}x?{answer} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), 404),
        (format!("GET {path}/done HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), 404),
        (format!("GET /favicon.ico HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), 404),
        (format!("POST {path}?{answer} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), 404),
        (format!("HEAD {path}?{answer} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), 404),
        // Another name for this machine, as after DNS rebinding.
        (format!("GET {path}?{answer} HTTP/1.1\r\nHost: evil.example.com:{port}\r\n\r\n"), 400),
        (format!("GET {path}?{answer} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"), 400),
        (format!("GET {path}?{answer} HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400),
        (format!("GET {path}?{answer} HTTP/1.0\r\n\r\n"), 400),
        (
            format!(
                "GET {path}?{answer} HTTP/1.1\r\nHost: localhost:{port}\r\nHost: localhost:{port}\r\n\r\n"
            ),
            400,
        ),
        (
            format!(
                "GET http://evil.example.com{path}?{answer} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"
            ),
            400,
        ),
        // An answer that is none.
        (format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), 400),
        (format!("GET {path}?clientId=a HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), 400),
        (format!("GET {path}?{answer}&{answer} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"), 400),
        ("no HTTP\r\n\r\n".to_owned(), 400),
    ] {
        let answer = waiting.send(&request).await;
        assert_eq!(answer.get(8..13), Some(&*format!(" {status} ")), "{request}{answer}");
        assert!(!answer.contains("evil"), "{answer}");
    }
    let long = "x".repeat(100_000);
    let answer = waiting.send(&format!("GET {path}?{long} HTTP/1.1\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 4") || answer.is_empty(), "{answer}");
    // One that says nothing, and one that goes away.
    let _silent = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    drop(TcpStream::connect(("127.0.0.1", port)).await.unwrap());

    assert_eq!(waiting.hand_in(&credentials).await.unwrap(), credentials);
}

#[tokio::test]
async fn one_answer_is_taken_and_leaves_the_address_bar() {
    let log = Log::default();
    let _logging = log.install();
    let deployment = Deployment::start().await.unwrap();
    let credentials = deployment.client("a|b+c@d", "no-secret", ["auth:current-scopes"]);
    let waiting = Waiting::start(sign_in(&deployment)).await;
    let path = &waiting.path;
    // As a browser may write it, too.
    let answer = waiting.get(&format!("{path}?clientId=a%7Cb%2Bc%40d&accessToken=no-secret")).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 303 "), "{head}");
    assert!(head.contains(&format!("location: {path}/done\r\n").to_ascii_lowercase()), "{head}");
    assert!(!answer.contains("no-secret") && !body.contains("a|b"), "{answer}");

    let second = waiting.get(&format!("{path}?clientId=evil&accessToken=evil")).await;
    assert!(second.starts_with("HTTP/1.1 404 "), "{second}");

    let last = waiting.get(&format!("{path}/done")).await;
    let (head, body) = last.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    for header in [
        "cache-control: no-store",
        "content-security-policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
        "content-type: text/html; charset=utf-8",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "connection: close",
    ] {
        assert!(head.contains(header), "{header} in {head}");
    }
    assert!(body.contains("builds has your credentials. You may close this page."), "{body}");
    assert!(!body.contains("script"), "{body}");

    let port = waiting.port;
    assert_eq!(waiting.result.await.unwrap().unwrap(), credentials);
    let log = log.text();
    assert!(log.contains("currentScopes") && !log.contains("no-secret"), "{log}");
    let gone = TcpStream::connect(("127.0.0.1", port)).await;
    assert!(gone.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_person_who_closes_the_last_page_early_has_signed_in_all_the_same() {
    let deployment = Deployment::start().await.unwrap();
    let credentials = deployment.client("a", "no-secret", ["auth:current-scopes"]);
    let waiting = Waiting::start(sign_in(&deployment)).await;
    waiting.get(&format!("{}?clientId=a&accessToken=no-secret", waiting.path)).await;
    assert_eq!(waiting.result.await.unwrap().unwrap(), credentials);
}

#[tokio::test]
async fn both_families_of_localhost_lead_to_the_program_or_none() {
    let Ok(taken) = TcpListener::bind("[::1]:0").await else {
        eprintln!("not checked: there is no IPv6 here");
        return;
    };
    let port = taken.local_addr().unwrap().port();
    let deployment = Deployment::start().await.unwrap();
    // Somebody else would get what a browser sends to ::1.
    let error = sign_in(&deployment).port(port).run().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("cannot listen for the browser"), "{error}");
    drop(taken);

    let waiting = Waiting::start(sign_in(&deployment)).await;
    TcpStream::connect(("::1", waiting.port)).await.unwrap();
    TcpStream::connect(("127.0.0.1", waiting.port)).await.unwrap();
    let credentials = Credentials::new("nobody", "no-secret");
    waiting.hand_in(&credentials).await.unwrap_err();
}
