//! Signatures in a header.

use serde_json::{Value, json};
use taskcluster::hawk::{Signer, Target, payload_hash};
use taskcluster::reqwest::Method;
use taskcluster::reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use taskcluster::{Auth, Credentials, Queue, StatusCode};

use crate::deployment::{
    LIST_CLIENTS, assert_unauthenticated, deployment, header, now, secret, send, send_with, target,
    tester, with_anybodys,
};
use crate::support::{assert_api_error, plain, typed};

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
async fn a_wrong_signature_does_not_matter_where_none_is_needed() {
    let fake = deployment().await;
    let wrong = Credentials::new("tester", "another");
    let tc = fake.builder().unwrap().credentials(wrong).build().unwrap();
    Queue::new(&tc).ping().await.unwrap();
    assert_eq!(fake.calls()[0].client_id, None);
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
    assert_eq!(answer, json!({"scopes": with_anybodys(&["auth:current-scopes"])}));
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
        (with_ext("bnVsbA=="), "Failed to parse ext"),
        (with_ext("W10="), "Bad mac"),
        (with_ext("e30="), "Bad mac"),
        (with_ext("e30"), "Bad mac"),
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
