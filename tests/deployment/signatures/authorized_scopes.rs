//! Calls that are limited to some of their client's scopes.

use std::time::Duration;

use serde_json::{Value, json};
use taskcluster::{Auth, StatusCode};

use crate::deployment::{deployment, with_anybodys};
use crate::support::assert_api_error;

#[tokio::test]
async fn authorized_scopes_limit_a_client() {
    let fake = deployment().await;
    let limited =
        fake.connect("tester").unwrap().with_authorized_scopes(["auth:current-scopes"]).unwrap();
    let answer: Value = Auth::new(&limited).current_scopes().send_as().await.unwrap();
    assert_eq!(answer, json!({"scopes": with_anybodys(&["auth:current-scopes"])}));
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
        let message = format!("exceeds the scopes of modest: {over}");
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
