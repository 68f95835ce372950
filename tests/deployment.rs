//! The embedded deployment: what it refuses, what it implements, and how a test makes it answer.

use crate::{assert_api_error, plain, typed};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::hawk::{Signer, Target, payload_hash};
use taskcluster::reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue, LOCATION, RETRY_AFTER,
};
use taskcluster::reqwest::{self, Method};
use taskcluster::testing::{Deployment, Fault, Reply, Signature};
use taskcluster::{Auth, Credentials, Error, Queue, Retry, Secrets, StatusCode, taskcluster_api};

taskcluster_api! {
    /// A service described by a reference of its own, which shares an endpoint with [`Queue`].
    struct TaskReader = "../references/current/queue/v1/api.json" { status }
}

const TASK_ID: &str = "fN1SbArXTPSVFNUvaOlinQ";
const LIST_CLIENTS: &str = "/api/auth/v1/clients/";

static BEGUN: LazyLock<DateTime<Utc>> = LazyLock::new(Utc::now);

/// A deployment with a client that may do anything.
async fn deployment() -> Deployment {
    let fake = Deployment::start().await.unwrap();
    fake.client("tester", "no-secret", ["*"]);
    fake
}

fn tester() -> Credentials {
    Credentials::new("tester", "no-secret")
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

fn target<'a>(fake: &Deployment, method: &'a str, resource: &'a str) -> Target<'a> {
    let port = fake.root_url().rsplit_once(':').unwrap().1.parse().unwrap();
    Target { method, resource, host: "127.0.0.1", port }
}

/// A header for a request without a body.
fn header(fake: &Deployment, method: &str, resource: &str, time: i64) -> String {
    Signer::new(&tester(), None).unwrap().header(
        &target(fake, method, resource),
        None,
        time,
        "nonce",
    )
}

/// Sends a request by hand and returns the answer's status and JSON.
async fn send(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

/// Sends a request with this `Authorization` header.
async fn send_with(
    fake: &Deployment,
    method: Method,
    resource: &str,
    header: &str,
) -> (StatusCode, Value) {
    let url = format!("{}{resource}", fake.root_url());
    send(plain().request(method, url).header(AUTHORIZATION, header)).await
}

#[track_caller]
fn assert_refused(answer: &(StatusCode, Value), status: StatusCode, code: &str, message: &str) {
    assert_eq!((answer.0, answer.1["code"].as_str()), (status, Some(code)), "{}", answer.1);
    assert!(answer.1["message"].as_str().unwrap().contains(message), "{}", answer.1);
}

#[track_caller]
fn assert_unauthenticated(answer: &(StatusCode, Value), message: &str) {
    assert_refused(answer, StatusCode::UNAUTHORIZED, "AuthenticationFailed", message);
}

/// The same at each call, made by the time at which the tests began: a task must be of now.
fn task_definition() -> Value {
    let begun = *BEGUN;
    json!({
        "taskQueueId": "prov/work",
        "created": to_json(begun),
        "deadline": to_json(begun + TimeDelta::days(1)),
        "payload": {"command": ["true"]},
        "metadata": {"name": "n", "description": "d", "owner": "o@example.com", "source": "https://example.com"},
    })
}

fn counts(task_queue_id: &str, pending: u32) -> Value {
    let (provisioner_id, worker_type) = task_queue_id.split_once('/').unwrap();
    json!({
        "taskQueueId": task_queue_id, "provisionerId": provisioner_id, "workerType": worker_type,
        "pendingTasks": pending, "claimedTasks": 0,
    })
}

fn scopes(scope: &str) -> Value {
    json!({"scopes": [scope]})
}

fn secret() -> Value {
    json!({"secret": {"password": "x"}, "expires": "2100-01-01T00:00:00.000Z"})
}

// Calls and their record

#[tokio::test]
async fn a_signed_call_is_answered_and_recorded() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    queue.create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    queue.list_task_group(TASK_ID).limit(7).await.unwrap();

    let calls = fake.calls();
    assert_eq!(calls.len(), 2);
    let (created, listed) = (&calls[0], &calls[1]);
    assert_eq!(
        (created.service, created.version, created.endpoint.name),
        ("queue", "v1", "createTask")
    );
    assert_eq!(created.args["taskId"], TASK_ID);
    assert_eq!(created.payload, Some(task_definition()));
    assert_eq!(created.query, []);
    assert_eq!(created.headers[CONTENT_TYPE], "application/json");
    assert_eq!(created.client_id.as_deref(), Some("tester"));
    assert_eq!(created.scopes, ["*"]);
    assert_eq!(created.status, Some(StatusCode::OK));
    assert!(std::ptr::eq(listed.endpoint, Queue::REFERENCE.endpoint("listTaskGroup")));
    assert_eq!(listed.query, [("limit".to_owned(), "7".to_owned())]);
    assert_eq!(listed.query_value("limit"), Some("7"));
    assert_eq!(listed.payload, None);

    fake.clear_calls();
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn refused_calls_are_recorded_too() {
    let fake = deployment().await;
    let auth = Auth::new(&fake.anonymous().unwrap());
    auth.list_clients().await.unwrap_err();
    let calls = fake.calls();
    assert_eq!(calls[0].status, Some(StatusCode::FORBIDDEN));
    assert_eq!((&calls[0].client_id, &calls[0].signature), (&None, &None));
}

#[tokio::test]
async fn every_attempt_has_a_signature_of_its_own() {
    let fake = deployment().await;
    fake.on(Auth::REFERENCE.endpoint("currentScopes"))
        .times(3)
        .fault(Fault::Status(StatusCode::BAD_GATEWAY));
    Auth::new(&fake.connect("tester").unwrap()).current_scopes().await.unwrap();
    let nonces: std::collections::BTreeSet<_> = fake
        .calls()
        .into_iter()
        .map(|call| match call.signature {
            Some(Signature::Header { nonce, time, .. }) => {
                assert!(time > 0);
                nonce
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(nonces.len(), 4);
}

#[tokio::test]
async fn escaped_arguments_and_options_arrive_as_they_were() {
    let fake = deployment().await;
    let name = "a/b c%2F+ü?&=#";
    let tc = fake.connect("tester").unwrap();
    Secrets::new(&tc).set(name, &typed(secret())).await.unwrap();
    Auth::new(&tc).list_clients().prefix(name).await.unwrap();
    let calls = fake.calls();
    assert_eq!(calls[0].args["name"], name);
    assert_eq!(calls[1].query_value("prefix"), Some(name));
}

// Signatures in a header

#[tokio::test]
async fn a_header_made_by_hand_is_accepted() {
    let fake = deployment().await;
    let resource = format!("{LIST_CLIENTS}?limit=1");
    for skew in [0, 14 * 60, -14 * 60] {
        let header = header(&fake, "GET", &resource, now() + skew);
        let (status, answer) = send_with(&fake, Method::GET, &resource, &header).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["clients"][0]["clientId"], "tester");
    }
}

#[tokio::test]
async fn a_wrong_token_is_refused() {
    let fake = deployment().await;
    let wrong = Credentials::new("tester", "another");
    let tc = fake.builder().unwrap().credentials(wrong).build().unwrap();
    let error = Auth::new(&tc).current_scopes().await.unwrap_err();
    assert_api_error(&error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", "Bad mac");
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn a_wrong_signature_is_refused_even_where_none_is_needed() {
    let fake = deployment().await;
    let wrong = Credentials::new("tester", "another");
    let tc = fake.builder().unwrap().credentials(wrong).build().unwrap();
    let error = Queue::new(&tc).ping().await.unwrap_err();
    assert_api_error(&error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", "Bad mac");
}

#[tokio::test]
async fn an_unknown_client_is_refused() {
    let fake = deployment().await;
    let tc = fake.builder().unwrap().credentials(Credentials::new("nobody", "x")).build().unwrap();
    let error = Auth::new(&tc).current_scopes().await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::UNAUTHORIZED,
        "AuthenticationFailed",
        "No such clientId: nobody",
    );
    assert_eq!(fake.calls()[0].client_id, None);
    assert!(fake.connect("nobody").unwrap_err().message().contains("nobody"));
}

#[tokio::test]
async fn a_replaced_client_has_the_new_token_and_scopes() {
    let fake = deployment().await;
    let before = fake.connect("tester").unwrap();
    let credentials = fake.client("tester", "another", ["auth:current-scopes"]);
    assert_eq!(credentials, Credentials::new("tester", "another"));
    Auth::new(&before).current_scopes().await.unwrap_err();
    let answer: Value =
        Auth::new(&fake.connect("tester").unwrap()).current_scopes().send_as().await.unwrap();
    assert_eq!(answer, json!({"scopes": ["auth:current-scopes"]}));
}

#[tokio::test]
async fn a_tampered_request_is_refused() {
    let fake = deployment().await;
    let signed = format!("{LIST_CLIENTS}?limit=1&prefix=t");
    let header = header(&fake, "GET", &signed, now());
    let changed = [
        format!("{LIST_CLIENTS}?limit=2&prefix=t"),
        format!("{LIST_CLIENTS}?limit=1"),
        format!("{LIST_CLIENTS}?prefix=t&limit=1"),
        LIST_CLIENTS.to_owned(),
        "/api/auth/v1/scopes/current".to_owned(),
    ];
    for resource in changed {
        let answer = send_with(&fake, Method::GET, &resource, &header).await;
        assert_unauthenticated(&answer, "Bad mac");
    }
    assert_eq!(send_with(&fake, Method::GET, &signed, &header).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_signature_is_for_one_method_host_and_port() {
    let fake = deployment().await;
    let resource = "/api/secrets/v1/secret/x";
    let for_get = header(&fake, "GET", resource, now());
    assert_unauthenticated(&send_with(&fake, Method::DELETE, resource, &for_get).await, "Bad mac");

    let signer = Signer::new(&tester(), None).unwrap();
    let right = target(&fake, "DELETE", resource);
    for wrong in [Target { host: "localhost", ..right }, Target { port: right.port ^ 1, ..right }] {
        let header = signer.header(&wrong, None, now(), "n");
        assert_unauthenticated(
            &send_with(&fake, Method::DELETE, resource, &header).await,
            "Bad mac",
        );
    }
    let header = signer.header(&right, None, now(), "n");
    assert_eq!(send_with(&fake, Method::DELETE, resource, &header).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_tampered_body_is_refused() {
    let fake = deployment().await;
    let resource = "/api/secrets/v1/secret/x";
    let body = secret().to_string();
    let hash = payload_hash("application/json", body.as_bytes());
    let signer = Signer::new(&tester(), None).unwrap();
    let header = signer.header(&target(&fake, "PUT", resource), Some(&hash), now(), "n");
    let put = |content_type: &str, body: String| {
        let url = format!("{}{resource}", fake.root_url());
        let request =
            plain().put(url).header(AUTHORIZATION, &header).header(CONTENT_TYPE, content_type);
        send(request.body(body))
    };
    let tampered = body.replace("\"x\"", "\"y\"");
    assert_unauthenticated(&put("application/json", tampered).await, "Bad payload hash");
    assert_unauthenticated(&put("text/plain", body.clone()).await, "Bad payload hash");
    assert_eq!(put("application/json; charset=utf-8", body).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_tampered_hash_is_refused() {
    let fake = deployment().await;
    let resource = "/api/secrets/v1/secret/x";
    let body = secret().to_string();
    let hash = payload_hash("application/json", body.as_bytes());
    let signer = Signer::new(&tester(), None).unwrap();
    let header = signer.header(&target(&fake, "PUT", resource), Some(&hash), now(), "n");
    // Right for another body, but not what was signed.
    let other = payload_hash("application/json", b"{}");
    let url = format!("{}{resource}", fake.root_url());
    let request = plain().put(url).header(CONTENT_TYPE, "application/json").body("{}");
    let answer = send(request.header(AUTHORIZATION, header.replace(&hash, &other))).await;
    assert_unauthenticated(&answer, "Bad mac");
}

#[tokio::test]
async fn a_stale_timestamp_is_refused() {
    let fake = deployment().await;
    for skew in [16 * 60, -16 * 60] {
        let header = header(&fake, "GET", LIST_CLIENTS, now() + skew);
        assert_unauthenticated(
            &send_with(&fake, Method::GET, LIST_CLIENTS, &header).await,
            "Stale timestamp",
        );
    }
}

#[tokio::test]
async fn a_client_with_a_wrong_clock_meets_stale_timestamp_and_learns_the_time() {
    let fake = deployment().await;
    for offset in [86_400, -86_400] {
        fake.set_clock_offset(offset);
        fake.clear_calls();
        Auth::new(&fake.connect("tester").unwrap()).current_scopes().await.unwrap();
        let statuses: Vec<_> = fake.calls().iter().map(|call| call.status.unwrap()).collect();
        assert_eq!(statuses, [StatusCode::UNAUTHORIZED, StatusCode::OK]);
    }
    let response =
        plain().get(format!("{}/api/auth/v1/ping", fake.root_url())).send().await.unwrap();
    let date =
        chrono::DateTime::parse_from_rfc2822(response.headers()[DATE].to_str().unwrap()).unwrap();
    assert!((now() - 86_400).abs_diff(date.timestamp()) < 3600, "{date}");
}

#[tokio::test]
async fn a_header_that_cannot_be_read_is_refused() {
    let fake = deployment().await;
    let good = header(&fake, "GET", LIST_CLIENTS, now());
    let with_ext = |ext: &str| good.replace(", mac=", &format!(", ext=\"{ext}\", mac="));
    let headers = [
        ("Bearer abc".to_owned(), "Incorrect scheme"),
        ("Hawk id".to_owned(), "Bad header format"),
        (good.replace("nonce=\"nonce\", ", ""), "Missing attributes"),
        (good.replace("nonce=", "once="), "Unknown attribute"),
        (with_ext("!"), "Failed to parse ext"),
        (with_ext("W10="), "Failed to parse ext"),
        (with_ext("e30="), "Bad mac"),
    ];
    for (header, message) in headers {
        assert_unauthenticated(
            &send_with(&fake, Method::GET, LIST_CLIENTS, &header).await,
            message,
        );
    }
}

#[tokio::test]
async fn an_expired_client_is_refused() {
    let fake = deployment().await;
    let auth = Auth::new(&fake.connect("tester").unwrap());
    let request =
        json!({"description": "", "expires": "2020-01-01T00:00:00.000Z", "scopes": ["*"]});
    let created: Value =
        auth.create_client("short-lived", &typed(&request)).send_as().await.unwrap();
    assert_eq!(created["clientId"], "short-lived");
    let tc = fake.connect("short-lived").unwrap();
    let error = Auth::new(&tc).current_scopes().await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::UNAUTHORIZED,
        "AuthenticationFailed",
        "short-lived has expired",
    );
}

// Signatures in the URL

#[tokio::test]
async fn a_signed_url_is_good_without_a_header() {
    let fake = deployment().await;
    let auth = Auth::new(&fake.connect("tester").unwrap());
    let hour = Duration::from_secs(3600);
    for url in [
        auth.current_scopes().signed_url(hour).unwrap(),
        auth.list_clients().limit(1).signed_url(hour).unwrap(),
    ] {
        let (status, answer) = send(plain().get(url)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let calls = fake.calls();
    assert_eq!(calls[1].client_id.as_deref(), Some("tester"));
    assert_eq!(calls[1].query, [("limit".to_owned(), "1".to_owned())]);
    match calls[1].signature {
        Some(Signature::Bewit { expires, .. }) => assert!(expires > now()),
        ref other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_signed_url_ends() {
    let fake = deployment().await;
    let auth = Auth::new(&fake.connect("tester").unwrap());
    let url = auth.current_scopes().signed_url(Duration::from_secs(3600)).unwrap();
    fake.set_clock_offset(3700);
    assert_unauthenticated(&send(plain().get(url)).await, "Access expired");
}

#[tokio::test]
async fn a_tampered_signed_url_is_refused() {
    let fake = deployment().await;
    let auth = Auth::new(&fake.connect("tester").unwrap());
    let url = auth.list_clients().limit(1).signed_url(Duration::from_secs(3600)).unwrap();
    let tampered = url.as_str().replace("limit=1", "limit=2");
    assert_unauthenticated(&send(plain().get(tampered)).await, "Bad mac");
    let (before, bewit) = url.as_str().split_once("bewit=").unwrap();
    assert_unauthenticated(
        &send(plain().get(format!("{before}bewit=%20"))).await,
        "Invalid bewit encoding",
    );
    assert_unauthenticated(
        &send(plain().get(format!("{before}bewit=YWJj"))).await,
        "Invalid bewit structure",
    );
    assert_eq!(send(plain().get(format!("{before}bewit={bewit}"))).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_signed_url_is_for_get_alone() {
    let fake = deployment().await;
    let resource = "/api/secrets/v1/secret/x";
    let signer = Signer::new(&tester(), None).unwrap();
    let bewit = signer.bewit(&target(&fake, "GET", resource), now() + 60);
    let url = format!("{}{resource}?bewit={bewit}", fake.root_url());
    assert_unauthenticated(&send(plain().delete(&url)).await, "for GET");
    // The same URL is good for GET; there is just no such secret.
    assert_eq!(send(plain().get(&url)).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_request_signed_twice_is_refused() {
    let fake = deployment().await;
    let signer = Signer::new(&tester(), None).unwrap();
    let bewit = signer.bewit(&target(&fake, "GET", LIST_CLIENTS), now() + 60);
    let resource = format!("{LIST_CLIENTS}?bewit={bewit}");
    let header = header(&fake, "GET", &resource, now());
    assert_unauthenticated(
        &send_with(&fake, Method::GET, &resource, &header).await,
        "this one has both",
    );
}

#[tokio::test]
async fn a_signed_url_of_temporary_credentials_is_good() {
    let fake = deployment().await;
    let temporary = tester()
        .temporary(Duration::from_secs(60))
        .scopes(["auth:current-scopes"])
        .create()
        .unwrap();
    let tc = fake.connect("tester").unwrap().with_credentials(temporary).unwrap();
    let url = Auth::new(&tc).current_scopes().signed_url(Duration::from_secs(60)).unwrap();
    assert_eq!(
        send(plain().get(url)).await,
        (StatusCode::OK, json!({"scopes": ["auth:current-scopes"]}))
    );
}

// Temporary credentials and authorized scopes

/// What the deployment says of a certificate that is changed after it was made.
async fn with_changed_certificate(
    fake: &Deployment,
    change: impl FnOnce(&mut Value),
) -> Result<Value, Error> {
    let issuer = Credentials::new("issuer", "its-token");
    let good =
        issuer.temporary(Duration::from_secs(3600)).scopes(["auth:current-scopes"]).name("temp/x");
    let good = good.create().unwrap();
    let mut certificate: Value = serde_json::from_str(good.certificate_json().unwrap()).unwrap();
    change(&mut certificate);
    let changed = Credentials::new(good.client_id(), good.access_token())
        .with_certificate(certificate.to_string());
    let tc = fake.builder().unwrap().credentials(changed).build().unwrap();
    Auth::new(&tc).current_scopes().send_as().await
}

async fn with_issuer() -> Deployment {
    let fake = Deployment::start().await.unwrap();
    fake.client("issuer", "its-token", ["auth:current-scopes", "auth:create-client:temp/*"]);
    fake
}

#[tokio::test]
async fn temporary_credentials_have_their_own_scopes() {
    let fake = deployment().await;
    let temporary = tester()
        .temporary(Duration::from_secs(60))
        .scopes(["auth:current-scopes"])
        .create()
        .unwrap();
    let tc = fake.anonymous().unwrap().with_credentials(temporary).unwrap();
    let answer: Value = Auth::new(&tc).current_scopes().send_as().await.unwrap();
    assert_eq!(answer, json!({"scopes": ["auth:current-scopes"]}));
    let error = Auth::new(&tc).list_clients().await.unwrap_err();
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", "auth:list-clients");
}

#[tokio::test]
async fn named_temporary_credentials_call_by_their_name() {
    let fake = with_issuer().await;
    with_changed_certificate(&fake, |_| {}).await.unwrap();
    assert_eq!(fake.calls()[0].client_id.as_deref(), Some("temp/x"));
    assert_eq!(fake.calls()[0].scopes, ["auth:current-scopes"]);
}

#[tokio::test]
async fn temporary_credentials_that_were_changed_are_refused() {
    let fake = with_issuer().await;
    let day = 86_400_000;
    type Change = Box<dyn FnOnce(&mut Value)>;
    let changes: [(Change, &str); 14] = [
        (Box::new(|c| c["scopes"] = json!([])), "signature is not valid"),
        (
            Box::new(|c| c["start"] = json!(c["start"].as_i64().unwrap() - 1)),
            "signature is not valid",
        ),
        (
            Box::new(|c| c["expiry"] = json!(c["expiry"].as_i64().unwrap() + 1)),
            "signature is not valid",
        ),
        (Box::new(|c| c["seed"] = json!("A".repeat(44))), "signature is not valid"),
        (Box::new(|c| c["signature"] = json!("AAAA")), "signature is not valid"),
        (Box::new(|c| c["seed"] = json!("A".repeat(22))), "certificate.seed"),
        (Box::new(|c| c["version"] = json!(2)), "version must be 1"),
        (Box::new(|c| c["scopes"] = json!(["a", 1])), "certificate.scopes"),
        (
            Box::new(|c| c["scopes"] = json!(["auth:*"])),
            "oversteps the scopes of the issuer: auth:*",
        ),
        (Box::new(|c| c["issuer"] = json!("temp/x")), "No such clientId: temp/x"),
        (Box::new(|c| c["issuer"] = json!("nobody")), "No such clientId: nobody"),
        // Without an issuer it would be the credentials' own name.
        (Box::new(|c| c["issuer"] = Value::Null), "No such clientId: temp/x"),
        (
            Box::new(move |c| c["start"] = json!(c["start"].as_i64().unwrap() + day)),
            "start is in the future",
        ),
        (
            Box::new(move |c| c["expiry"] = json!(c["expiry"].as_i64().unwrap() + 31 * day)),
            "longer than 31 days",
        ),
    ];
    for (change, message) in changes {
        let error = with_changed_certificate(&fake, change).await.unwrap_err();
        assert_api_error(&error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", message);
    }
}

#[tokio::test]
async fn an_issuer_of_the_same_name_is_refused() {
    let fake = with_issuer().await;
    fake.client("temp/x", "its-token", ["*"]);
    let error =
        with_changed_certificate(&fake, |c| c["issuer"] = json!("temp/x")).await.unwrap_err();
    assert_api_error(&error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", "must differ");
}

#[tokio::test]
async fn temporary_credentials_end() {
    let fake = with_issuer().await;
    let issuer = Credentials::new("issuer", "its-token");
    let begun = chrono::Utc::now() - chrono::TimeDelta::hours(2);
    let expired =
        issuer.temporary(Duration::from_secs(3600)).scopes(["auth:current-scopes"]).start(begun);
    let tc = fake.builder().unwrap().credentials(expired.create().unwrap()).build().unwrap();
    let error = Auth::new(&tc).current_scopes().await.unwrap_err();
    assert_api_error(&error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", "have expired");
}

#[tokio::test]
async fn an_issuer_gives_away_only_what_it_has() {
    let fake = with_issuer().await;
    let issuer = Credentials::new("issuer", "its-token");
    let over = issuer
        .temporary(Duration::from_secs(60))
        .scopes(["auth:current-scopes", "queue:x"])
        .create()
        .unwrap();
    let tc = fake.builder().unwrap().credentials(over).build().unwrap();
    let error = Auth::new(&tc).current_scopes().await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::UNAUTHORIZED,
        "AuthenticationFailed",
        "oversteps the scopes of the issuer: queue:x",
    );

    let name = issuer.temporary(Duration::from_secs(60)).name("other/x").create().unwrap();
    let tc = fake.builder().unwrap().credentials(name).build().unwrap();
    let error = Auth::new(&tc).current_scopes().await.unwrap_err();
    let message = "issuer issuer does not have auth:create-client:other/x";
    assert_api_error(&error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", message);
}

#[tokio::test]
async fn temporary_credentials_of_a_wrong_issuer_token_are_refused() {
    let fake = with_issuer().await;
    let wrong =
        Credentials::new("issuer", "another").temporary(Duration::from_secs(60)).create().unwrap();
    let tc = fake.builder().unwrap().credentials(wrong).build().unwrap();
    let error = Auth::new(&tc).current_scopes().await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::UNAUTHORIZED,
        "AuthenticationFailed",
        "signature is not valid",
    );
}

#[tokio::test]
async fn temporary_credentials_of_the_go_client_are_accepted() {
    let values = crate::vectors("temporary_credentials");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let issuer = text(&values["issuer"]["clientId"]);
    let scopes = ["scope/asd:*", "auth:create-client:abc/*", "auth:current-scopes"];
    for (name, kind) in [(None, "unnamed"), (Some(text(&values["named"]["clientId"])), "named")] {
        let fake = Deployment::start().await.unwrap();
        fake.set_clock_offset(values["start"].as_i64().unwrap() / 1000 + 60 - now());
        fake.client(&issuer, text(&values["issuer"]["accessToken"]), scopes);
        let mut certificate = json!({
            "version": 1, "seed": values["seed"], "start": values["start"], "expiry": values["expiry"],
            "scopes": values["scopes"], "signature": values[kind]["signature"],
        });
        if name.is_some() {
            certificate["issuer"] = json!(issuer);
        }
        let client_id = name.unwrap_or(issuer.clone());
        let credentials = Credentials::new(&client_id, text(&values["accessToken"]))
            .with_certificate(certificate.to_string());
        let tc = fake.builder().unwrap().credentials(credentials).build().unwrap();
        // Refused only for what these scopes do not allow: the signature itself is good.
        let error = Auth::new(&tc).current_scopes().await.unwrap_err();
        assert_api_error(
            &error,
            StatusCode::FORBIDDEN,
            "InsufficientScopes",
            "auth:current-scopes",
        );
        let call = fake.calls().pop().unwrap();
        assert_eq!(call.client_id, Some(client_id));
        assert_eq!(json!(call.scopes), values["scopes"]);
    }
}

#[tokio::test]
async fn authorized_scopes_limit_a_client() {
    let fake = deployment().await;
    let limited =
        fake.connect("tester").unwrap().with_authorized_scopes(["auth:current-scopes"]).unwrap();
    let answer: Value = Auth::new(&limited).current_scopes().send_as().await.unwrap();
    assert_eq!(answer, json!({"scopes": ["auth:current-scopes"]}));
    let error = Auth::new(&limited).list_clients().await.unwrap_err();
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", "auth:list-clients");
}

#[tokio::test]
async fn authorized_scopes_cannot_reach_over_those_of_the_client() {
    let fake = deployment().await;
    let modest = fake.client("modest", "token", ["auth:current-scopes", "queue:status:*"]);
    let tc = fake.connect("modest").unwrap();
    for (scopes, over) in
        [(vec!["queue:status:x", "queue:task:x"], "queue:task:x"), (vec!["*"], "*")]
    {
        let tc = tc.with_authorized_scopes(scopes).unwrap();
        let error = Auth::new(&tc).current_scopes().await.unwrap_err();
        let message = format!("oversteps the scopes of modest: {over}");
        assert_api_error(&error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", &message);
    }
    // Those of temporary credentials are the certificate's, not the issuer's.
    let temporary =
        modest.temporary(Duration::from_secs(60)).scopes(["auth:current-scopes"]).create().unwrap();
    let tc = tc.with_credentials(temporary).unwrap();
    Auth::new(&tc.with_authorized_scopes(["auth:current-scopes"]).unwrap())
        .current_scopes()
        .await
        .unwrap();
    let over = tc.with_authorized_scopes(["queue:status:x"]).unwrap();
    let error = Auth::new(&over).current_scopes().await.unwrap_err();
    assert_api_error(&error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", "queue:status:x");
}

// Required scopes

#[tokio::test]
async fn missing_scopes_are_listed() {
    let fake = Deployment::start().await.unwrap();
    fake.client(
        "tester",
        "no-secret",
        ["queue:create-task:project:none", "queue:route:a.b", "queue:route:c"],
    );
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let mut task = task_definition();
    task["priority"] = json!("very-high");
    task["routes"] = json!(["a.b", "c.d"]);
    let error = queue.create_task(TASK_ID, &typed(&task)).await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::FORBIDDEN,
        "InsufficientScopes",
        "Client ID tester does not have",
    );
    let missing = error.message().split("```").nth(1).unwrap();
    assert_eq!(
        missing.trim(),
        "all of (queue:route:c.d, queue:scheduler-id:-, \
         any of (queue:create-task:highest:prov/work, queue:create-task:very-high:prov/work))"
    );
    let needed = error.message().split("```").nth(3).unwrap();
    for scope in ["queue:route:a.b", "queue:route:c.d", "queue:create-task:project:none"] {
        assert!(needed.contains(scope), "{needed}");
    }
}

#[tokio::test]
async fn a_higher_priority_covers_a_lower_one_and_not_the_other_way() {
    let fake = Deployment::start().await.unwrap();
    let common = [
        "queue:create-task:project:none",
        "queue:scheduler-id:-",
        "queue:create-task:medium:prov/work",
    ];
    fake.client("tester", "no-secret", common);
    let queue = Queue::new(&fake.connect("tester").unwrap());
    for (priority, status) in
        [("low", None), ("medium", None), ("high", Some(StatusCode::FORBIDDEN))]
    {
        let mut task = task_definition();
        task["priority"] = json!(priority);
        let outcome = queue.create_task(taskcluster::slugid::nice(), &typed(&task)).await;
        assert_eq!(outcome.err().and_then(|error| error.status()), status, "{priority}");
    }
}

#[tokio::test]
async fn anonymous_callers_have_no_scopes() {
    let fake = deployment().await;
    let tc = fake.anonymous().unwrap();
    Queue::new(&tc).ping().await.unwrap();
    let error = Queue::new(&tc).status(TASK_ID).await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::FORBIDDEN,
        "InsufficientScopes",
        "Client ID static/anonymous",
    );
    assert!(error.message().contains(&format!("queue:status:{TASK_ID}")));
}

#[tokio::test]
async fn what_only_the_service_knows_counts_as_satisfied_by_what_could_match() {
    let fake = Deployment::start().await.unwrap();
    fake.client("right", "x", ["queue:cancel-task:my-scheduler/*"]);
    fake.client("wrong", "x", ["queue:cancel-tasks:*"]);
    let cancel = async |client| {
        Queue::new(&fake.connect(client).unwrap()).cancel_task(TASK_ID).await.unwrap_err()
    };
    // The scheduler of an unknown task is not known.
    assert_api_error(&cancel("right").await, StatusCode::NOT_FOUND, "ResourceNotFound", TASK_ID);
    let message = format!("queue:cancel-task:<schedulerId>/<taskGroupId>/{TASK_ID}");
    assert_api_error(&cancel("wrong").await, StatusCode::FORBIDDEN, "InsufficientScopes", &message);

    fake.client("tester", "no-secret", ["*"]);
    Queue::new(&fake.connect("tester").unwrap())
        .create_task(TASK_ID, &typed(task_definition()))
        .await
        .unwrap();
    let message = format!("queue:cancel-task:-/{TASK_ID}/{TASK_ID}");
    assert_api_error(&cancel("right").await, StatusCode::FORBIDDEN, "InsufficientScopes", &message);
}

#[tokio::test]
async fn private_artifacts_need_a_scope_and_public_ones_do_not() {
    let fake = deployment().await;
    let endpoint = Queue::REFERENCE.endpoint("getLatestArtifact");
    fake.on(endpoint).reply(json!({"storageType": "s3", "url": "https://example.com/log"}));
    let (anonymous, tester) = (fake.anonymous().unwrap(), fake.connect("tester").unwrap());
    Queue::new(&anonymous).get_latest_artifact(TASK_ID, "public/log").await.unwrap();
    Queue::new(&tester).get_latest_artifact(TASK_ID, "private/log").await.unwrap();
    let error =
        Queue::new(&anonymous).get_latest_artifact(TASK_ID, "private/log").await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::FORBIDDEN,
        "InsufficientScopes",
        "queue:get-artifact:private/log",
    );
}

// Requests that no endpoint takes

#[tokio::test]
async fn an_unknown_route_is_not_found() {
    let fake = deployment().await;
    let requests = [
        (Method::GET, "/", "/api/<service>/<version>"),
        (Method::GET, "/api/queue", "/api/<service>/<version>"),
        (Method::GET, "/api/quue/v1/ping", "did you mean `queue`?"),
        (Method::GET, "/api/queue/v2/ping", "no service `queue` of version `v2`"),
        (Method::GET, "/api/queue/v1/pong", "no endpoint GET /pong"),
        (Method::GET, "/api/queue/v1/ping//", "no endpoint GET /ping//"),
        (Method::POST, "/api/queue/v1/ping", "no endpoint POST /ping"),
        (Method::GET, "/api/queue/v1/task//status", "no endpoint GET /task//status"),
    ];
    for (method, path, message) in requests {
        let answer = send(plain().request(method, format!("{}{path}", fake.root_url()))).await;
        assert_refused(&answer, StatusCode::NOT_FOUND, "ResourceNotFound", message);
    }
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn a_slash_at_the_end_of_a_path_does_not_count() {
    let fake = deployment().await;
    for resource in
        ["/api/queue/v1/ping", "/api/queue/v1/ping/", LIST_CLIENTS, "/api/auth/v1/clients"]
    {
        let header = header(&fake, "GET", resource, now());
        let (status, answer) = send_with(&fake, Method::GET, resource, &header).await;
        assert_eq!(status, StatusCode::OK, "{resource}: {answer}");
    }
}

#[tokio::test]
async fn an_unknown_query_option_is_refused_with_the_nearest_one() {
    let fake = deployment().await;
    for (option, message) in [
        ("limits", "listClients has no query option `limits`; did you mean `limit`?"),
        ("zzz", "listClients has no query option `zzz`"),
    ] {
        let resource = format!("{LIST_CLIENTS}?{option}=1");
        let header = header(&fake, "GET", &resource, now());
        let answer = send_with(&fake, Method::GET, &resource, &header).await;
        assert_refused(&answer, StatusCode::BAD_REQUEST, "InvalidRequestArguments", message);
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_the_reference_says_is_refused() {
    let fake = deployment().await;
    let json = "application/json";
    let (set, cancel) =
        ("/api/secrets/v1/secret/x", format!("/api/queue/v1/task/{TASK_ID}/cancel"));
    let requests = [
        (Method::PUT, set, json, "", "InputError", "set wants a payload (v1/secret.json#)"),
        (Method::PUT, set, json, "{\"secret\"", "MalformedPayload", "not JSON"),
        (Method::PUT, set, "text/plain", "{}", "MalformedPayload", "not \"text/plain\""),
        (Method::PUT, set, json, "{\"secret\": {}}", "InputValidationError", "'expires'"),
        (Method::POST, &cancel, json, "{}", "InputError", "cancelTask takes no payload"),
    ];
    for (method, resource, content_type, body, code, message) in requests {
        let header = header(&fake, method.as_str(), resource, now());
        let request = plain().request(method, format!("{}{resource}", fake.root_url()));
        let request =
            request.header(AUTHORIZATION, header).header(CONTENT_TYPE, content_type).body(body);
        assert_refused(&send(request).await, StatusCode::BAD_REQUEST, code, message);
    }
}

#[tokio::test]
async fn a_body_of_over_ten_mebibytes_is_refused() {
    let fake = deployment().await;
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    let of_size = |size: usize| {
        let mut secret = secret();
        secret["secret"]["password"] = json!("x".repeat(size));
        secret
    };
    secrets.set("x", &typed(of_size(10 << 20))).await.unwrap_err();
    let error = secrets.set("x", &typed(of_size(12 << 20))).await.unwrap_err();
    assert_api_error(&error, StatusCode::PAYLOAD_TOO_LARGE, "InputTooLarge", "10485760 bytes");
    secrets.set("x", &typed(of_size(9 << 20))).await.unwrap();
}

#[tokio::test]
async fn an_error_repeats_the_request() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    queue.create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    let mut other = task_definition();
    other["retries"] = json!(1);
    let error = queue.create_task(TASK_ID, &typed(&other)).await.unwrap_err();
    let info = error.request_info().unwrap();
    assert_eq!(info["method"], "createTask");
    assert_eq!(info["params"], json!({"taskId": TASK_ID}));
    assert_eq!(info["payload"], other);
    let time = info["time"].as_str().unwrap();
    assert!(time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
    let (_, trailer) = error.message().split_once("\n\n---\n\n").unwrap();
    let lines: Vec<_> =
        trailer.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(
        lines,
        [
            ["*", "method:", "createTask"],
            ["*", "errorCode:", "RequestConflict"],
            ["*", "statusCode:", "409"],
            ["*", "time:", time],
        ]
    );
}

// Stubs and faults

#[tokio::test]
async fn an_endpoint_without_stub_says_so() {
    let fake = deployment().await;
    let error = Auth::new(&fake.connect("tester").unwrap()).sentry_dsn("p").await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::BAD_REQUEST,
        "NotStubbed",
        "on(reference.endpoint(\"sentryDSN\"))",
    );
}

#[tokio::test]
async fn stubs_are_used_up_in_order_and_then_the_lasting_one() {
    let fake = deployment().await;
    let auth = Auth::new(&fake.connect("tester").unwrap());
    let endpoint = Auth::REFERENCE.endpoint("currentScopes");
    fake.on(endpoint).reply(scopes("replaced"));
    fake.on(endpoint).times(2).reply(scopes("first"));
    fake.on(endpoint).times(0).reply(scopes("never"));
    fake.on(endpoint).reply(scopes("lasting"));
    fake.on(endpoint).times(1).reply(scopes("second"));
    for expected in ["first", "first", "second", "lasting", "lasting"] {
        let answer: Value = auth.current_scopes().send_as().await.unwrap();
        assert_eq!(answer, scopes(expected));
    }
    fake.clear_stubs();
    let answer: Value = auth.current_scopes().send_as().await.unwrap();
    assert_eq!(answer, json!({"scopes": ["*"]}));
}

#[tokio::test]
async fn used_up_stubs_leave_the_built_in_answer() {
    let fake = deployment().await;
    let auth = Auth::new(&fake.connect("tester").unwrap());
    fake.on(Auth::REFERENCE.endpoint("currentScopes")).times(1).reply(json!({"scopes": []}));
    for expected in [json!([]), json!(["*"])] {
        let answer: Value = auth.current_scopes().send_as().await.unwrap();
        assert_eq!(answer["scopes"], expected);
    }
}

#[tokio::test]
async fn a_stub_is_for_one_endpoint_of_one_service() {
    let fake = deployment().await;
    fake.on(Queue::REFERENCE.endpoint("ping")).reply(json!("stubbed"));
    let tc = fake.anonymous().unwrap();
    let (queue, auth): (Value, Value) =
        (Queue::new(&tc).ping().await.unwrap(), Auth::new(&tc).ping().await.unwrap());
    assert_eq!(queue, "stubbed");
    assert_eq!(auth["alive"], true);
}

#[tokio::test]
async fn only_a_call_that_passes_all_checks_uses_a_stub_up() {
    let fake = deployment().await;
    fake.on(Auth::REFERENCE.endpoint("currentScopes")).times(1).reply(scopes("stubbed"));
    let error = Auth::new(&fake.anonymous().unwrap()).current_scopes().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    let answer: Value =
        Auth::new(&fake.connect("tester").unwrap()).current_scopes().send_as().await.unwrap();
    assert_eq!(answer, scopes("stubbed"));
}

#[tokio::test]
async fn a_stub_may_answer_by_the_call() {
    let fake = deployment().await;
    fake.on(Queue::REFERENCE.endpoint("taskQueueCounts")).reply_with(|call| {
        assert_eq!(call.client_id.as_deref(), Some("tester"));
        counts(&call.args["taskQueueId"], 4)
    });
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let answer: Value = queue.task_queue_counts("a/b").send_as().await.unwrap();
    assert_eq!(answer, counts("a/b", 4));
}

#[tokio::test]
async fn a_stub_may_answer_with_any_status_header_and_body() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let endpoint = Queue::REFERENCE.endpoint("getLatestArtifact");

    fake.on(endpoint)
        .times(1)
        .reply_status(StatusCode::NOT_FOUND, json!({"code": "X", "message": "y"}));
    let error = queue.get_latest_artifact(TASK_ID, "a").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "X", "y");

    fake.on(endpoint).times(1).reply(Reply::error(
        StatusCode::GONE,
        "ResourceExpired",
        "The artifact is over",
    ));
    let error = queue.get_latest_artifact(TASK_ID, "a").await.unwrap_err();
    assert_api_error(&error, StatusCode::GONE, "ResourceExpired", "The artifact is over");
    assert_eq!(error.request_info().unwrap()["params"]["name"], "a");

    let location = HeaderValue::from_static("https://example.com/a");
    fake.on(endpoint)
        .times(1)
        .reply(Reply::new(StatusCode::SEE_OTHER).header(LOCATION, location.clone()));
    let response = queue.get_latest_artifact(TASK_ID, "a").send_raw().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()[LOCATION]),
        (StatusCode::SEE_OTHER, &location)
    );

    let svg = HeaderValue::from_static("image/svg+xml");
    let badge = Reply::new(StatusCode::OK).body(svg.clone(), "<svg/>");
    fake.on(endpoint).times(1).unchecked().reply(badge);
    let response = queue.get_latest_artifact(TASK_ID, "a").send_raw().await.unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], svg);
    assert_eq!(response.text().await.unwrap(), "<svg/>");
}

#[tokio::test]
#[should_panic(expected = "call `serve` first")]
async fn a_stub_for_a_reference_that_is_not_served_is_a_mistake() {
    let fake = deployment().await;
    fake.on(TaskReader::REFERENCE.endpoint("status")).reply(json!({}));
}

#[tokio::test]
async fn references_may_be_added_and_share_endpoints() {
    let fake = deployment().await;
    fake.serve(&TaskReader::REFERENCE);
    let tc = fake.connect("tester").unwrap();
    // Endpoints that the added one lacks are still there.
    Queue::new(&tc).create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    let answer: Value = TaskReader::new(&tc).status(TASK_ID).send_as().await.unwrap();
    assert_eq!(answer["status"]["state"], "pending");
    assert!(std::ptr::eq(fake.calls()[1].endpoint, TaskReader::REFERENCE.endpoint("status")));

    // A stub is good for the endpoint, whichever reference it was taken from.
    let status = |answer: &str| Reply::error(StatusCode::GONE, "Stub", answer);
    fake.on(TaskReader::REFERENCE.endpoint("status")).times(1).reply(status("a"));
    fake.on(Queue::REFERENCE.endpoint("status")).times(1).reply(status("b"));
    let a = Queue::new(&tc).status(TASK_ID).await.unwrap_err();
    assert_api_error(&a, StatusCode::GONE, "Stub", "a");
    let b = TaskReader::new(&tc).status(TASK_ID).await.unwrap_err();
    assert_api_error(&b, StatusCode::GONE, "Stub", "b");
}

/// A client that tries once, and the error of its one call under a fault.
async fn under_fault(fault: Fault) -> Error {
    let fake = deployment().await;
    fake.on(Auth::REFERENCE.endpoint("currentScopes")).fault(fault);
    let tc = fake.builder().unwrap().credentials(tester()).retry(Retry::never()).build().unwrap();
    let error = Auth::new(&tc).current_scopes().await.unwrap_err();
    assert_eq!(fake.calls().len(), 1);
    assert_eq!(fake.calls()[0].status, error.status());
    error
}

#[tokio::test]
async fn a_status_can_be_asked_for() {
    let error = under_fault(Fault::Status(StatusCode::SERVICE_UNAVAILABLE)).await;
    assert_api_error(
        &error,
        StatusCode::SERVICE_UNAVAILABLE,
        "InternalServerError",
        "a test has asked for",
    );
}

#[tokio::test]
async fn retry_after_can_be_asked_for() {
    let fake = deployment().await;
    let fault = Fault::RetryAfter(StatusCode::TOO_MANY_REQUESTS, Duration::from_millis(1500));
    fake.on(Auth::REFERENCE.endpoint("ping")).times(2).fault(fault);
    let response =
        plain().get(format!("{}/api/auth/v1/ping", fake.root_url())).send().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()[RETRY_AFTER]),
        (StatusCode::TOO_MANY_REQUESTS, &HeaderValue::from(2))
    );
    // The client's longest delay bounds what it is asked for.
    Auth::new(&fake.anonymous().unwrap()).ping().await.unwrap();
    assert_eq!(fake.calls().len(), 3);
}

#[tokio::test]
async fn a_connection_can_be_closed_without_an_answer() {
    let error = under_fault(Fault::Disconnect).await;
    assert!(error.is_transport() && !error.is_timeout(), "{error}");
    assert_eq!(error.status(), None);
}

#[tokio::test]
async fn a_closed_connection_leaves_the_call_undone_and_is_tried_again() {
    let fake = deployment().await;
    let set = Secrets::REFERENCE.endpoint("set");
    fake.on(set).times(1).fault(Fault::Disconnect);
    let once = fake.builder().unwrap().credentials(tester()).retry(Retry::never()).build().unwrap();
    Secrets::new(&once).set("x", &typed(secret())).await.unwrap_err();
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    assert_eq!(secrets.get("x").await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
    fake.on(set).times(2).fault(Fault::Disconnect);
    secrets.set("x", &typed(secret())).await.unwrap();
    secrets.get("x").await.unwrap();
}

#[tokio::test]
async fn an_answer_can_break_off_though_the_call_is_carried_out() {
    let fake = deployment().await;
    fake.on(Secrets::REFERENCE.endpoint("set")).times(1).fault(Fault::Truncate);
    let once = fake.builder().unwrap().credentials(tester()).retry(Retry::never()).build().unwrap();
    let error = Secrets::new(&once).set("x", &typed(secret())).await.unwrap_err();
    assert!(error.is_transport() && !error.is_timeout(), "{error}");
    assert_eq!(error.status(), Some(StatusCode::OK), "the head of the answer did arrive");
    let kept: Value = Secrets::new(&once).get("x").send_as().await.unwrap();
    assert_eq!(kept, secret());
}

#[tokio::test]
async fn a_broken_answer_is_that_of_the_next_stub() {
    let fake = deployment().await;
    let endpoint = Queue::REFERENCE.endpoint("taskQueueCounts");
    fake.on(endpoint).times(1).fault(Fault::Truncate);
    fake.on(endpoint).times(1).reply(counts("p/w", 1));
    fake.on(endpoint).reply(counts("p/w", 2));
    let answer: Value = Queue::new(&fake.connect("tester").unwrap())
        .task_queue_counts("p/w")
        .send_as()
        .await
        .unwrap();
    assert_eq!(answer["pendingTasks"], 2);
    assert_eq!(fake.calls().len(), 2);

    // One that lasts applies to a lasting answer that was there before.
    fake.on(endpoint).fault(Fault::Truncate);
    let once = fake.builder().unwrap().credentials(tester()).retry(Retry::never()).build().unwrap();
    let error = Queue::new(&once).task_queue_counts("p/w").await.unwrap_err();
    assert!(error.is_transport(), "{error}");
}

#[tokio::test]
async fn a_page_of_html_can_be_asked_for() {
    let error = under_fault(Fault::Html(StatusCode::BAD_GATEWAY)).await;
    assert_eq!((error.status(), error.code()), (Some(StatusCode::BAD_GATEWAY), None));
    assert!(error.body().starts_with(b"<!DOCTYPE html>"));
    let error = under_fault(Fault::Html(StatusCode::OK)).await;
    assert_eq!(error.kind(), taskcluster::ErrorKind::Answer);
}

#[tokio::test]
async fn an_empty_answer_can_be_asked_for() {
    let error = under_fault(Fault::Empty).await;
    assert_eq!(
        (error.kind(), error.status()),
        (taskcluster::ErrorKind::Answer, Some(StatusCode::OK))
    );
    assert!(error.body().is_empty());
}

#[tokio::test]
async fn a_delayed_answer_is_that_of_the_next_stub() {
    let fake = deployment().await;
    let endpoint = Auth::REFERENCE.endpoint("currentScopes");
    let auth = Auth::new(&fake.connect("tester").unwrap());
    fake.on(endpoint).times(1).fault(Fault::Delay(Duration::from_millis(1)));
    fake.on(endpoint).times(1).reply(scopes("stubbed"));
    let answer: Value = auth.current_scopes().send_as().await.unwrap();
    assert_eq!(answer, scopes("stubbed"));
    fake.on(endpoint).reply(scopes("lasting"));
    fake.on(endpoint).fault(Fault::Delay(Duration::from_millis(1)));
    let answer: Value = auth.current_scopes().send_as().await.unwrap();
    assert_eq!(answer, scopes("lasting"));
}

#[tokio::test]
async fn an_answer_can_be_too_late() {
    let fake = deployment().await;
    fake.on(Auth::REFERENCE.endpoint("currentScopes"))
        .fault(Fault::Delay(Duration::from_secs(86_400)));
    let tc = fake.builder().unwrap().credentials(tester()).retry(Retry::never());
    let tc = tc.timeout(Duration::from_millis(100)).build().unwrap();
    let error = Auth::new(&tc).current_scopes().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

// Built-in endpoints

#[tokio::test]
async fn every_service_answers_ping() {
    let fake = deployment().await;
    let services = [
        "auth",
        "github",
        "hooks",
        "index",
        "notify",
        "object",
        "purge-cache",
        "queue",
        "secrets",
        "web-server",
        "worker-manager",
    ];
    for service in services {
        let (status, answer) =
            send(plain().get(format!("{}/api/{service}/v1/ping", fake.root_url()))).await;
        assert_eq!((status, &answer["alive"]), (StatusCode::OK, &json!(true)), "{service}");
    }
}

#[tokio::test]
async fn signing_can_be_tested() {
    // The client of these endpoints is the same in every deployment, whoever else there is.
    let fake = Deployment::start().await.unwrap();
    let tc = fake.builder().unwrap().credentials(tester()).build().unwrap();
    let auth = Auth::new(&tc);
    let request = json!({"clientScopes": ["b:*", "a"], "requiredScopes": ["a", "b:c"]});
    let answer: Value = auth.test_authenticate(&typed(&request)).send_as().await.unwrap();
    assert_eq!(answer, json!({"clientId": "tester", "scopes": ["a", "b:*"]}));
    let answer: Value = auth.test_authenticate_get().send_as().await.unwrap();
    assert_eq!(
        answer,
        json!({"clientId": "tester", "scopes": ["auth:create-client:test:*", "test:*"]})
    );

    let request = json!({"clientScopes": ["a"], "requiredScopes": ["a", "b"]});
    let error = auth.test_authenticate(&typed(&request)).await.unwrap_err();
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", "```\nb\n```");

    let issuer = tester();
    let named =
        issuer.temporary(Duration::from_secs(60)).scopes(["test:authenticate-get"]).name("test:x");
    let tc = tc.with_credentials(named.create().unwrap()).unwrap();
    let answer: Value = Auth::new(&tc).test_authenticate_get().send_as().await.unwrap();
    assert_eq!(answer, json!({"clientId": "test:x", "scopes": ["test:authenticate-get"]}));

    for credentials in [Credentials::new("tester", "wrong"), Credentials::new("other", "no-secret")]
    {
        let tc = tc.with_credentials(credentials).unwrap();
        let error = Auth::new(&tc).test_authenticate_get().await.unwrap_err();
        assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    }
}

#[tokio::test]
async fn a_client_can_be_created_and_used() {
    let fake = deployment().await;
    let auth = Auth::new(&fake.connect("tester").unwrap());
    let request = json!({
        "description": "d", "expires": "2100-01-01T00:00:00.000Z", "scopes": ["auth:current-scopes"],
    });
    let created: Value =
        auth.create_client("project/new", &typed(&request)).send_as().await.unwrap();
    assert_eq!(created["scopes"], json!(["auth:current-scopes"]));
    let token = created["accessToken"].as_str().unwrap();
    let tc = fake
        .builder()
        .unwrap()
        .credentials(Credentials::new("project/new", token))
        .build()
        .unwrap();
    let answer: Value = Auth::new(&tc).current_scopes().send_as().await.unwrap();
    assert_eq!(answer, json!({"scopes": ["auth:current-scopes"]}));

    let again: Value = auth.create_client("project/new", &typed(&request)).send_as().await.unwrap();
    assert_eq!(again, created);
    let mut other = request.clone();
    other["description"] = json!("another");
    let error = auth.create_client("project/new", &typed(&other)).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "project/new");
}

#[tokio::test]
async fn a_client_cannot_create_one_with_more_scopes() {
    let fake = Deployment::start().await.unwrap();
    fake.client("tester", "no-secret", ["auth:create-client:project/*", "a:*"]);
    let auth = Auth::new(&fake.connect("tester").unwrap());
    let request =
        json!({"description": "", "expires": "2100-01-01T00:00:00.000Z", "scopes": ["a:b", "c"]});
    let error = auth.create_client("project/new", &typed(&request)).await.unwrap_err();
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", "```\nc\n```");
    let error = auth
        .create_client(
            "other",
            &typed(json!({"description": "", "expires": "2100-01-01T00:00:00.000Z"})),
        )
        .await;
    assert_eq!(error.unwrap_err().status(), Some(StatusCode::FORBIDDEN));
}

#[tokio::test]
async fn clients_are_listed_in_pages_and_by_prefix() {
    let fake = deployment().await;
    let ids: Vec<_> = (0..7).map(|i| format!("many/{i}")).collect();
    for id in &ids {
        fake.client(id, "x", ["b", "a"]);
    }
    let auth = Auth::new(&fake.connect("tester").unwrap());
    let found: Vec<Value> =
        auth.list_clients().prefix("many/").limit(3).items_as().try_collect().await.unwrap();
    assert_eq!(found.iter().map(|client| client["clientId"].clone()).collect::<Vec<_>>(), ids);
    assert_eq!(found[0]["expandedScopes"], json!(["a", "b"]));
    assert_eq!(found[0].get("accessToken"), None);
    assert_eq!(fake.calls().len(), 3);
    let all: Value = auth.list_clients().send_as().await.unwrap();
    assert_eq!((all["clients"].as_array().unwrap().len(), all.get("continuationToken")), (8, None));
}

#[tokio::test]
async fn a_last_page_that_is_full_has_no_token() {
    let fake = deployment().await;
    fake.client("other", "x", ["a"]);
    let auth = Auth::new(&fake.connect("tester").unwrap());
    let page: Value = auth.list_clients().limit(2).send_as().await.unwrap();
    assert_eq!(
        (page["clients"].as_array().unwrap().len(), page.get("continuationToken")),
        (2, None)
    );
}

#[tokio::test]
async fn a_continuation_token_is_good_for_its_list_alone() {
    let fake = deployment().await;
    fake.client("toaster", "x", ["a"]);
    let auth = Auth::new(&fake.connect("tester").unwrap());
    let page: Value = auth.list_clients().prefix("t").limit(1).send_as().await.unwrap();
    let token = page["continuationToken"].as_str().unwrap();
    let next: Value =
        auth.list_clients().prefix("t").continuation_token(token).send_as().await.unwrap();
    assert_eq!(next["clients"][0]["clientId"], "toaster");
    assert_eq!(next["clients"].as_array().unwrap().len(), 1);

    for wrong in ["", "x", "dGVzdGVy", &token[1..], &format!("{token}AA")] {
        let error = auth.list_clients().prefix("t").continuation_token(wrong).await.unwrap_err();
        assert_api_error(
            &error,
            StatusCode::BAD_REQUEST,
            "InvalidRequestArguments",
            "continuationToken",
        );
    }
    let error = auth.list_clients().prefix("to").continuation_token(token).await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::BAD_REQUEST,
        "InvalidRequestArguments",
        "continuationToken",
    );
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    let error = secrets.list().continuation_token(token).await.unwrap_err();
    assert_api_error(
        &error,
        StatusCode::BAD_REQUEST,
        "InvalidRequestArguments",
        "continuationToken",
    );
    let error = auth.list_clients().limit("many").await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InvalidRequestArguments", "`limit`");
}

#[tokio::test]
async fn a_secret_can_be_set_read_listed_and_removed() {
    let fake = deployment().await;
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    let names = ["project/a", "project/b", "project/c"];
    for name in names {
        secrets.set(name, &typed(secret())).await.unwrap();
    }
    let kept: Value = secrets.get("project/a").send_as().await.unwrap();
    assert_eq!(kept, secret());
    let changed = json!({"secret": {"password": "y"}, "expires": "2100-01-01T00:00:00.000Z"});
    secrets.set("project/a", &typed(&changed)).await.unwrap();
    let kept: Value = secrets.get("project/a").send_as().await.unwrap();
    assert_eq!(kept, changed);

    let listed: Vec<Value> = secrets.list().limit(2).items_as().try_collect().await.unwrap();
    assert_eq!(listed, names);
    secrets.remove("project/b").await.unwrap();
    let error = secrets.get("project/b").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "project/b");
    let listed: Value = secrets.list().send_as().await.unwrap();
    assert_eq!(listed, json!({"secrets": ["project/a", "project/c"]}));
}

#[tokio::test]
async fn a_secret_ends() {
    let fake = deployment().await;
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    let over = json!({"secret": {}, "expires": "2020-01-01T00:00:00.000Z"});
    secrets.set("x", &typed(&over)).await.unwrap();
    let error = secrets.get("x").await.unwrap_err();
    assert_api_error(&error, StatusCode::GONE, "ResourceExpired", "expired");
}

#[tokio::test]
async fn a_task_gets_its_defaults() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let created: Value =
        queue.create_task(TASK_ID, &typed(task_definition())).send_as().await.unwrap();
    let scheduled = created["status"]["runs"][0]["scheduled"].clone();
    assert_eq!(
        created,
        json!({"status": {
            "taskId": TASK_ID, "provisionerId": "prov", "workerType": "work", "taskQueueId": "prov/work",
            "schedulerId": "-", "projectId": "none", "taskGroupId": TASK_ID, "priority": "lowest",
            "deadline": to_json(*BEGUN + TimeDelta::days(1)), "expires": to_json(*BEGUN + TimeDelta::days(366)),
            "retriesLeft": 5,
            "state": "pending",
            "runs": [{"runId": 0, "state": "pending", "reasonCreated": "scheduled", "scheduled": scheduled}],
        }})
    );
    let status: Value = queue.status(TASK_ID).send_as().await.unwrap();
    assert_eq!(status, created);

    let mut expected = task_definition();
    let defaults = json!({
        "provisionerId": "prov", "workerType": "work", "schedulerId": "-", "projectId": "none",
        "taskGroupId": TASK_ID, "dependencies": [], "requires": "all-completed", "routes": [], "scopes": [],
        "priority": "lowest", "retries": 5, "tags": {}, "extra": {},
        "expires": to_json(*BEGUN + TimeDelta::days(366)),
    });
    expected.as_object_mut().unwrap().extend(defaults.as_object().unwrap().clone());
    let task: Value = queue.task(TASK_ID).send_as().await.unwrap();
    assert_eq!(task, expected);
}

#[tokio::test]
async fn the_same_task_may_be_created_again_and_another_may_not() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let created: Value =
        queue.create_task(TASK_ID, &typed(task_definition())).send_as().await.unwrap();
    let mut same = task_definition();
    same["retries"] = json!(5);
    let elsewhere = chrono::FixedOffset::east_opt(3600).unwrap();
    same["created"] = json!(
        to_json(*BEGUN).parse::<DateTime<Utc>>().unwrap().with_timezone(&elsewhere).to_rfc3339()
    );
    same["provisionerId"] = json!("prov");
    same["workerType"] = json!("work");
    let again: Value = queue.create_task(TASK_ID, &typed(&same)).send_as().await.unwrap();
    assert_eq!(again, created);
    let mut other = task_definition();
    other["payload"] = json!({"command": ["false"]});
    let error = queue.create_task(TASK_ID, &typed(&other)).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", TASK_ID);
    let task: Value = queue.task(TASK_ID).send_as().await.unwrap();
    assert_eq!(task["payload"], json!({"command": ["true"]}));
}

#[tokio::test]
async fn a_task_that_makes_no_sense_is_refused() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let changes = [
        ("deadline", json!("2025-01-01T00:00:00.000Z"), "`deadline` is before `created`"),
        ("taskQueueId", json!(null), "`taskQueueId`"),
        ("workerType", json!("other"), "another queue"),
    ];
    for (name, value, message) in changes {
        let mut task = task_definition();
        task[name] = value;
        task.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let error = queue.create_task(TASK_ID, &typed(&task)).await.unwrap_err();
        assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", message);
    }
}

#[tokio::test]
async fn a_task_group_is_listed_in_pages() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    let group = taskcluster::slugid::nice();
    let mut ids: Vec<_> = (0..5).map(|_| taskcluster::slugid::nice()).collect();
    for id in &ids {
        let mut task = task_definition();
        task["taskGroupId"] = json!(group);
        queue.create_task(id, &typed(&task)).await.unwrap();
    }
    queue.create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    fake.clear_calls();
    let tasks: Vec<Value> =
        queue.list_task_group(&group).limit(2).items_as().try_collect().await.unwrap();
    ids.sort();
    assert_eq!(tasks.iter().map(|item| item["status"]["taskId"].clone()).collect::<Vec<_>>(), ids);
    assert!(tasks.iter().all(|item| item["task"]["taskGroupId"] == *group));
    assert_eq!(fake.calls().len(), 3);

    let page: Value = queue.list_task_group(&group).send_as().await.unwrap();
    assert_eq!((&page["taskGroupId"], &page["schedulerId"]), (&json!(group), &json!("-")));
    assert_eq!(page["expires"], to_json(*BEGUN + TimeDelta::days(366)));
    let error = queue.list_task_group(taskcluster::slugid::nice()).await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "no task group");
}

#[tokio::test]
async fn a_task_group_has_one_scheduler() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    queue.create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    let mut task = task_definition();
    task["taskGroupId"] = json!(TASK_ID);
    task["schedulerId"] = json!("another");
    let error = queue.create_task(taskcluster::slugid::nice(), &typed(&task)).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "another scheduler");
}

#[tokio::test]
async fn a_task_can_be_cancelled() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    queue.create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    let cancelled: Value = queue.cancel_task(TASK_ID).send_as().await.unwrap();
    assert_eq!(cancelled["status"]["state"], "exception");
    let run = &cancelled["status"]["runs"][0];
    assert_eq!((&run["state"], &run["reasonResolved"]), (&json!("exception"), &json!("canceled")));
    let again: Value = queue.cancel_task(TASK_ID).send_as().await.unwrap();
    assert_eq!(again, cancelled);

    let waiting = taskcluster::slugid::nice();
    let mut task = task_definition();
    task["dependencies"] = json!([TASK_ID]);
    let created: Value = queue.create_task(&waiting, &typed(&task)).send_as().await.unwrap();
    assert_eq!(
        (&created["status"]["state"], &created["status"]["runs"]),
        (&json!("unscheduled"), &json!([]))
    );
    let cancelled: Value = queue.cancel_task(&waiting).send_as().await.unwrap();
    assert_eq!(cancelled["status"]["runs"][0]["reasonResolved"], "canceled");
}

#[tokio::test]
async fn an_unknown_task_is_not_found() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    for error in [
        queue.status(TASK_ID).await.unwrap_err(),
        queue.task(TASK_ID).await.unwrap_err(),
        queue.cancel_task(TASK_ID).await.unwrap_err(),
    ] {
        assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", TASK_ID);
    }
}

// The deployment itself

#[tokio::test]
async fn two_deployments_know_nothing_of_each_other() {
    let (one, two) = (deployment().await, deployment().await);
    assert_ne!(one.root_url(), two.root_url());
    let (first, second) = (
        Secrets::new(&one.connect("tester").unwrap()),
        Secrets::new(&two.connect("tester").unwrap()),
    );
    first.set("x", &typed(secret())).await.unwrap();
    assert_eq!(second.get("x").await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
    first.get("x").await.unwrap();
    assert_eq!((one.calls().len(), two.calls().len()), (2, 1));
}

#[tokio::test]
async fn a_deployment_is_gone_with_its_last_handle() {
    let fake = deployment().await;
    let address = fake.root_url().strip_prefix("http://").unwrap().to_owned();
    let tc = fake.connect("tester").unwrap();
    let clone = fake.clone();
    drop(fake);
    Auth::new(&tc).current_scopes().await.unwrap();
    drop(clone);
    assert!(TcpStream::connect(&address).is_err());
    // Nobody holds the port any more.
    std::net::TcpListener::bind(&address).unwrap();
    let error = Auth::new(&tc).ping().await.unwrap_err();
    assert!(error.is_transport(), "{error}");
}

#[tokio::test]
async fn a_deployment_ends_in_the_middle_of_a_call() {
    let fake = deployment().await;
    fake.on(Auth::REFERENCE.endpoint("ping")).fault(Fault::Delay(Duration::from_secs(86_400)));
    let tc = fake.builder().unwrap().retry(Retry::never()).build().unwrap();
    let call = tokio::spawn(async move { Auth::new(&tc).ping().await });
    while fake.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(fake.calls()[0].status, None);
    drop(fake);
    let error = call.await.unwrap().unwrap_err();
    assert!(error.is_transport() && !error.is_timeout(), "{error}");
}

#[test]
fn a_blocking_program_can_use_it() {
    let fake = Deployment::start_blocking().unwrap();
    fake.client("tester", "no-secret", ["*"]);
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    for name in ["a", "b", "c"] {
        secrets.set(name, &typed(secret())).send_blocking().unwrap();
    }
    let names: Vec<Value> =
        secrets.list().limit(1).items_as_blocking().collect::<Result<_, _>>().unwrap();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn many_threads_can_use_it() {
    let fake = Deployment::start_blocking().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let queue = Queue::new(&fake.anonymous().unwrap());
                runtime.block_on(async {
                    for _ in 0..10 {
                        queue.ping().await.unwrap();
                    }
                });
            });
        }
    });
    assert_eq!(fake.calls().len(), 80);
}
