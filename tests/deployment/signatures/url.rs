//! Signatures in the URL.

use std::time::Duration;

use serde_json::json;
use taskcluster::hawk::Signer;
use taskcluster::reqwest::Method;
use taskcluster::testing::Signature;
use taskcluster::{Auth, StatusCode};

use crate::deployment::{
    LIST_CLIENTS, assert_unauthenticated, deployment, header, now, send, send_with, target, tester,
    with_anybodys,
};
use crate::support::plain;

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
async fn a_signed_url_expires() {
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
    assert_unauthenticated(&send(plain().delete(&url)).await, "authorizes GET");
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
        (StatusCode::OK, json!({"scopes": with_anybodys(&["auth:current-scopes"])}))
    );
}
