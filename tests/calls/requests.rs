//! What leaves the client, byte for byte.

use crate::support::typed;
use std::time::Duration;

use serde_json::json;
use taskcluster::hawk::verify::Header;
use taskcluster::hawk::{Target, payload_hash};
use taskcluster::{Auth, Client, Credentials, Queue, Secrets, StatusCode, http_client_builder};
use taskcluster_tests::{RawServer, TASK_ID, answer, json};

fn client(server: &RawServer, path: &str) -> Client {
    Client::builder(format!("{}{path}", server.url))
        .credentials(Credentials::new("tester", "no-secret"))
        .validate(false)
        .build()
        .unwrap()
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let head = request.split("\r\n\r\n").next().unwrap();
    let mut found = head.lines().skip(1).filter_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    });
    let value = found.next();
    assert_eq!(found.next(), None, "{name} twice");
    value
}

/// Checks a request's signature against what really arrived.
fn verify(server: &RawServer, request: &str) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut words = head.lines().next().unwrap().split(' ');
    let (method, resource) = (words.next().unwrap(), words.next().unwrap());
    let address = server.url.strip_prefix("http://").unwrap();
    assert_eq!(header(request, "host"), Some(address));
    let (host, port) = address.rsplit_once(':').unwrap();
    let target = Target { method, resource, host, port: port.parse().unwrap() };
    let signature = Header::parse(header(request, "authorization").unwrap()).unwrap();
    signature.verify(&target, "no-secret", signature.time).unwrap();
    let hash = (!body.is_empty()).then(|| payload_hash("application/json", body.as_bytes()));
    assert_eq!(signature.hash, hash.as_deref());
}

#[tokio::test]
async fn a_get_with_query_options() {
    let server = RawServer::start([json("200 OK", r#"{"clients": []}"#)]).await.unwrap();
    let auth = Auth::new(&client(&server, ""));
    auth.list_clients().prefix("a/b & c").limit(7).limit(2).await.unwrap();
    let request = &server.requests()[0];
    let line = request.lines().next().unwrap();
    assert_eq!(line, "GET /api/auth/v1/clients/?prefix=a%2Fb%20%26%20c&limit=2 HTTP/1.1");
    assert_eq!(header(request, "content-length"), None);
    assert!(header(request, "user-agent").unwrap().starts_with("taskcluster-rust/"));
    verify(&server, request);
}

#[tokio::test]
async fn a_put_with_a_body() {
    let server = RawServer::start([json("200 OK", "{}")]).await.unwrap();
    let secrets = Secrets::new(&client(&server, "/some/where"));
    let secret = json!({"secret": {"a": "ü"}, "expires": "2030-01-01T00:00:00.000Z"});
    secrets.set("project/a b", &typed(&secret)).await.unwrap();
    let request = &server.requests()[0];
    assert!(
        request.starts_with("PUT /some/where/api/secrets/v1/secret/project%2Fa%20b HTTP/1.1\r\n")
    );
    assert_eq!(header(request, "content-type"), Some("application/json"));
    let body = request.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap(), secret);
    verify(&server, request);
}

#[tokio::test]
async fn a_post_without_a_body_has_a_length() {
    let server = RawServer::start([json("200 OK", "{}")]).await.unwrap();
    Queue::new(&client(&server, ""))
        .cancel_task(TASK_ID)
        .send_as::<serde_json::Value>()
        .await
        .unwrap();
    let request = &server.requests()[0];
    assert!(
        request.starts_with("POST /api/queue/v1/task/fN1SbArXTPSVFNUvaOlinQ/cancel HTTP/1.1\r\n")
    );
    assert_eq!(header(request, "content-length"), Some("0"));
    assert_eq!(header(request, "content-type"), None);
    verify(&server, request);
}

#[tokio::test]
async fn nothing_is_signed_without_credentials() {
    let server = RawServer::start([json("200 OK", "{}")]).await.unwrap();
    let signing = client(&server, "");
    Queue::new(&signing.without_credentials()).ping().await.unwrap();
    assert_eq!(header(&server.requests()[0], "authorization"), None);
}

#[tokio::test]
async fn hosts_may_be_ipv6_addresses() {
    let Ok(server) = RawServer::start_on("::1", [json("200 OK", r#"{"scopes": []}"#)]).await else {
        println!("skipped: this machine has no IPv6");
        return;
    };
    Auth::new(&client(&server, "")).current_scopes().await.unwrap();
    assert!(server.url.starts_with("http://[::1]:"));
    verify(&server, &server.requests()[0]);
}

#[tokio::test]
async fn a_redirect_is_a_result() {
    let redirect = answer("303 See Other", &["Location: /elsewhere"], r#"{"url": "there"}"#);
    let server = RawServer::start([redirect]).await.unwrap();
    let call = Queue::new(&client(&server, "")).get_latest_artifact(TASK_ID, "public/log");
    let response = call.clone().send_raw().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()["location"], "/elsewhere");
    assert_eq!(call.send_as::<serde_json::Value>().await.unwrap()["url"], "there");
    assert_eq!(server.requests().len(), 2, "nothing was followed");
}

#[tokio::test]
async fn an_http_client_that_follows_redirects_is_found_out() {
    let redirect = answer("303 See Other", &["Location: /elsewhere"], "");
    let server = RawServer::start([redirect, json("200 OK", "{}")]).await.unwrap();
    let follower =
        http_client_builder().unwrap().redirect(taskcluster::reqwest::redirect::Policy::limited(3));
    let client =
        Client::builder(&server.url).http_client(follower.build().unwrap()).build().unwrap();
    let error = Queue::new(&client).ping().await.unwrap_err();
    assert!(error.message().contains("redirect"), "{error}");
}

#[tokio::test]
async fn an_own_http_client_is_used() {
    let server = RawServer::start([json("200 OK", "{}")]).await.unwrap();
    let http = http_client_builder().unwrap().user_agent("my-bot/7").build().unwrap();
    let client = Client::builder(&server.url).http_client(http).build().unwrap();
    Queue::new(&client).ping().await.unwrap();
    assert_eq!(header(&server.requests()[0], "user-agent"), Some("my-bot/7"));
}

#[test]
fn signed_urls_keep_the_query_and_are_for_get_alone() {
    let client = Client::builder("https://tc.example.com")
        .credentials(Credentials::new("tester", "no-secret"))
        .build()
        .unwrap();
    let queue = Queue::new(&client);
    let call = queue.list_task_group(TASK_ID).limit(3);
    let url = call.signed_url(Duration::from_secs(900)).unwrap();
    let start =
        "https://tc.example.com/api/queue/v1/task-group/fN1SbArXTPSVFNUvaOlinQ/list?limit=3&bewit=";
    assert!(url.as_str().starts_with(start), "{url}");
    let (resource, bewit) =
        taskcluster::hawk::verify::without_bewit(&url.as_str()["https://tc.example.com".len()..]);
    assert_eq!(resource, "/api/queue/v1/task-group/fN1SbArXTPSVFNUvaOlinQ/list?limit=3");
    let bewit = taskcluster::hawk::verify::Bewit::parse(bewit.unwrap()).unwrap();
    let target = Target { method: "GET", resource: &resource, host: "tc.example.com", port: 443 };
    let in_ten_minutes = chrono::Utc::now().timestamp() + 600;
    bewit.verify(&target, "no-secret", in_ten_minutes).unwrap();
    bewit.verify(&target, "no-secret", in_ten_minutes + 600).unwrap_err();

    let error = queue.cancel_task(TASK_ID).signed_url(Duration::from_secs(900)).unwrap_err();
    assert!(error.message().contains("only GET"), "{error}");
    let unsigned = Queue::new(&client.without_credentials());
    let error = unsigned.status(TASK_ID).signed_url(Duration::from_secs(900)).unwrap_err();
    assert!(error.message().contains("credentials"), "{error}");
}
