//! What a call sets for itself, in place of its client's settings.

use std::time::Duration;

use futures::TryStreamExt as _;
use taskcluster::legacy::Login;
use taskcluster::{
    Auth, Client, Credentials, Error, ErrorKind, NamedCall, Queue, Retry, StatusCode,
};
use taskcluster_tests::{RawServer, answer, json};

fn client(server: &RawServer) -> Client {
    Client::builder(&server.url)
        .credentials(Credentials::new("tester", "no-secret"))
        .build()
        .unwrap()
}

/// All values of a header of a request.
fn header<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let lines =
        request.split("\r\n\r\n").next().unwrap().lines().filter_map(|l| l.split_once(": "));
    lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

fn ping(client: &Client) -> NamedCall {
    client.call(&Queue::REFERENCE, "ping").unwrap()
}

#[tokio::test]
async fn retries_are_those_of_the_call() {
    let quick = Retry::default().first_delay(Duration::from_millis(1));
    let server = RawServer::start([answer("503 Busy", &[], "")]).await.unwrap();
    let client = client(&server);
    let (queue, auth) = (Queue::new(&client), Auth::new(&client));
    let never = Retry::never();
    for (sent, error) in [
        (1, queue.ping().retry(never).await.unwrap_err()),
        (3, queue.ping().retry(quick.max_retries(2)).await.unwrap_err()),
        (1, ping(&client).retry(never).await.unwrap_err()),
        (1, auth.list_clients().limit(2).retry(never).await.unwrap_err()),
        (1, auth.list_clients().retry(never).items().try_next().await.unwrap_err()),
    ] {
        assert_eq!(error.attempts(), sent);
    }
    assert_eq!(server.requests().len(), 7);
}

#[tokio::test]
async fn the_timeout_is_that_of_the_call() {
    // Connections are taken by the system, but nobody ever answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::builder(format!("http://{}", silent.local_addr().unwrap()));
    let client = client.timeout(Duration::MAX).retry(Retry::never()).build().unwrap();
    let (queue, short) = (Queue::new(&client), Duration::from_millis(20));
    for error in [
        queue.ping().timeout(short).await.unwrap_err(),
        queue.ping().timeout(short).send_raw().await.unwrap_err(),
        ping(&client).timeout(short).await.unwrap_err(),
        queue
            .list_task_group("fN1SbArXTPSVFNUvaOlinQ")
            .timeout(short)
            .items()
            .try_next()
            .await
            .unwrap_err(),
    ] {
        assert!(error.is_timeout(), "{error}");
    }
}

#[tokio::test]
async fn headers_are_sent_beside_the_signature_with_every_attempt_and_page() {
    let page = |token| format!(r#"{{"clients": [], "continuationToken": "{token}"}}"#);
    let pages = [
        answer("503 Busy", &[], ""),
        json("200 OK", &page("a")),
        json("200 OK", r#"{"clients": []}"#),
    ];
    let server = RawServer::start(pages).await.unwrap();
    let call = Auth::new(&client(&server)).list_clients().limit(1);
    let call =
        call.header("X-Taskcluster-Skip-Cache", "no").header("x-taskcluster-skip-cache", true);
    let pages: Vec<_> = call.header("user-agent", "mine/1").pages().try_collect().await.unwrap();
    assert_eq!(pages.len(), 2);
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        assert_eq!(header(&request, "x-taskcluster-skip-cache"), ["true"], "{request}");
        assert_eq!(header(&request, "user-agent"), ["mine/1"]);
        assert!(header(&request, "authorization")[0].starts_with("Hawk id=\"tester\""));
    }
}

#[tokio::test]
async fn a_bearer_token_takes_the_place_of_the_signature() {
    let credentials = r#"{"expires": "2030-01-01T00:00:00.000Z", "credentials": {"clientId": "a", "accessToken": "b"}}"#;
    let server = RawServer::start([json("200 OK", credentials)]).await.unwrap();
    let client = client(&server);
    let login = Login::new(&client);
    login
        .oidc_credentials("mozilla-auth0")
        .bearer(" hush.hush\n")
        .send_as::<serde_json::Value>()
        .await
        .unwrap();
    let named = client.call(&Login::REFERENCE, "oidcCredentials").unwrap();
    named.param("provider", "mozilla-auth0").bearer("hush.hush").await.unwrap();
    let unsigned = Login::new(&client.without_credentials());
    unsigned.oidc_credentials("x").bearer("hush.hush").send_raw().await.unwrap();
    for request in server.requests() {
        assert_eq!(header(&request, "authorization"), ["Bearer hush.hush"]);
    }
}

#[tokio::test]
async fn a_client_without_credentials_may_set_authorization_itself() {
    let server = RawServer::start([json("200 OK", "{}")]).await.unwrap();
    let queue = Queue::new(&client(&server).without_credentials());
    queue.ping().header("authorization", "Basic aHVzaA==").await.unwrap();
    assert_eq!(header(&server.requests()[0], "authorization"), ["Basic aHVzaA=="]);
}

#[tokio::test]
async fn what_a_call_may_not_set_is_refused_before_anything_is_sent() {
    let server = RawServer::start([json("200 OK", "{}")]).await.unwrap();
    let client = client(&server);
    let queue = Queue::new(&client);
    let call = |name: &str, value: &str| queue.ping().header(name, value);
    for (name, value, problem) in [
        (
            "Authorization",
            "hush",
            "ping: the client signs this call, so it cannot have an `authorization` header of its own; use `bearer`, or a client without credentials",
        ),
        ("Host", "hush", "ping: the client sets the header `host` itself"),
        ("content-length", "3", "ping: the client sets the header `content-length` itself"),
        ("Content-Type", "hush", "ping: the client sets the header `content-type` itself"),
        (
            "transfer-encoding",
            "hush",
            "ping: the client sets the header `transfer-encoding` itself",
        ),
        (
            "x-taskcluster-trace-id",
            "hush",
            "ping: the client sets the header `x-taskcluster-trace-id` itself",
        ),
        ("a b", "hush", "ping: \"a b\" is not the name of a header"),
        ("", "hush", "ping: \"\" is not the name of a header"),
        (
            "x-a",
            "hush\r\nx-b: c",
            "ping: the value of the header `x-a` contains control characters",
        ),
    ] {
        for error in [
            call(name, value).await.unwrap_err(),
            call(name, value).send_raw().await.unwrap_err(),
            call(name, value).url().unwrap_err(),
            ping(&client).header(name, value).await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.message()), (ErrorKind::Input, problem));
        }
        assert!(!format!("{:?}", call(name, value)).contains("hush"));
    }
    for token in ["", " ", "hush hush", "hush\r\nx-b: c", "hüsh"] {
        let error = queue.ping().bearer(token).await.unwrap_err();
        let problem = "ping: the bearer token is empty, or has characters that no token has";
        assert_eq!((error.kind(), error.message()), (ErrorKind::Input, problem));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn what_a_call_sets_is_shown_nowhere() {
    let log = crate::support::log::Log::default();
    let _installed = log.install();
    let server = RawServer::start([json("403 Forbidden", r#"{"message": "no"}"#)]).await.unwrap();
    let call = Queue::new(&client(&server)).ping().bearer("hush").header("x-key", "hush");
    let shown = format!("{call:?}");
    let error: Error = call.await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    let as_data = serde_json::to_string(&error).unwrap();
    for text in [shown, error.to_string(), format!("{error:?}"), as_data, log.text()] {
        assert!(!text.contains("hush") && !text.contains("Bearer"), "{text}");
    }
    assert!(server.requests()[0].contains("hush"));
}
