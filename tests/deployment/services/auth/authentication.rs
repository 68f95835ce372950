//! Signatures that others ask about, and endpoints to test signing with.

use std::time::Duration;

use serde_json::{Value, json};
use taskcluster::hawk::{Signer, Target};
use taskcluster::testing::Deployment;
use taskcluster::{Auth, Credentials, StatusCode};

use crate::deployment::services::auth::call;
use crate::deployment::services::connected;
use crate::deployment::{tester, with_anybodys};
use crate::support::{assert_api_error, typed};

#[tokio::test]
async fn signatures_of_others_are_judged() {
    let (fake, tc) = connected().await;
    fake.client("signer", "token", ["a:*", "b"]);
    let target = Target { method: "GET", resource: "/x?y=1", host: "example.com", port: 443 };
    let judge = async |token: &str, host: &str| {
        let signer = Signer::new(&Credentials::new("signer", token), None).unwrap();
        let header = signer.header(&target, None, chrono::Utc::now().timestamp(), "nonce");
        let payload = json!({"method": "get", "resource": "/x?y=1", "host": host, "port": 443, "authorization": header});
        call(&tc, "authenticateHawk").payload(payload).await.unwrap()
    };
    let good = judge("token", "example.com").await;
    assert_eq!(good["status"], "auth-success");
    assert_eq!(good["scopes"], json!(with_anybodys(&["a:*", "b"])));
    assert_eq!(good["clientId"], "signer");
    assert_eq!(judge("wrong", "example.com").await["status"], "auth-failed");
    assert_eq!(judge("token", "example.org").await["status"], "auth-failed");
    let unsigned = json!({"method": "get", "resource": "/", "host": "example.com", "port": 443});
    let unsigned = call(&tc, "authenticateHawk").payload(unsigned).await.unwrap();
    assert_eq!(unsigned["status"], "no-auth");
}

#[tokio::test]
async fn signing_can_be_tested() {
    // The client of these endpoints is the same in every deployment, whoever else there is.
    let fake = Deployment::start().await.unwrap();
    let tc = fake.builder().unwrap().credentials(tester()).build().unwrap();
    let auth = Auth::new(&tc);
    let request = json!({"clientScopes": ["b:*", "a"], "requiredScopes": ["a", "b:c"]});
    let answer: Value = auth.test_authenticate(&typed(&request)).send_as().await.unwrap();
    // These endpoints know no roles.
    assert_eq!(answer, json!({"clientId": "tester", "scopes": ["assume:anonymous", "b:*", "a"]}));
    let answer: Value = auth.test_authenticate_get().send_as().await.unwrap();
    assert_eq!(
        answer,
        json!({
            "clientId": "tester",
            "scopes": ["assume:anonymous", "test:*", "auth:create-client:test:*"],
        })
    );

    let request = json!({"clientScopes": ["a"], "requiredScopes": ["a", "b"]});
    let error = auth.test_authenticate(&typed(&request)).await.unwrap_err();
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", "```\nb\n```");

    let issuer = tester();
    let named =
        issuer.temporary(Duration::from_secs(60)).scopes(["test:authenticate-get"]).name("test:x");
    let tc = tc.with_credentials(named.create().unwrap()).unwrap();
    let answer: Value = Auth::new(&tc).test_authenticate_get().send_as().await.unwrap();
    let scopes = json!(["assume:anonymous", "test:authenticate-get"]);
    assert_eq!(answer, json!({"clientId": "test:x", "scopes": scopes}));

    for credentials in [Credentials::new("tester", "wrong"), Credentials::new("other", "no-secret")]
    {
        let tc = tc.with_credentials(credentials).unwrap();
        let error = Auth::new(&tc).test_authenticate_get().await.unwrap_err();
        assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    }
}
