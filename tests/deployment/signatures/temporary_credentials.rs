//! Temporary credentials: theirs is what their issuer signed, and no more than the issuer has.

use std::time::Duration;

use serde_json::{Value, json};
use taskcluster::testing::Deployment;
use taskcluster::{Auth, Credentials, Error, StatusCode};

use crate::deployment::{deployment, now, tester, with_anybodys};
use crate::support::{assert_api_error, typed, vectors};

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
    assert_eq!(answer, json!({"scopes": with_anybodys(&["auth:current-scopes"])}));
    let error = Auth::new(&tc).list_clients().await.unwrap_err();
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", "auth:list-clients");
}

#[tokio::test]
async fn named_temporary_credentials_call_by_their_name() {
    let fake = with_issuer().await;
    with_changed_certificate(&fake, |_| {}).await.unwrap();
    assert_eq!(fake.calls()[0].client_id.as_deref(), Some("temp/x"));
    assert_eq!(fake.calls()[0].scopes, with_anybodys(&["auth:current-scopes"]));
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
        (Box::new(|c| c["scopes"] = json!(["auth:*"])), "exceeds the scopes of the issuer: auth:*"),
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
async fn temporary_credentials_expire() {
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
async fn temporary_credentials_are_good_for_five_minutes_more_on_either_side() {
    let fake = with_issuer().await;
    let issuer = Credentials::new("issuer", "its-token");
    let minutes = chrono::TimeDelta::minutes;
    for (start, lifetime, is_good) in
        [(4, 10, true), (6, 10, false), (-64, 60, true), (-66, 60, false)]
    {
        let start = chrono::Utc::now() + minutes(start);
        let temporary = issuer.temporary(Duration::from_secs(lifetime * 60)).start(start);
        let temporary = temporary.scopes(["auth:current-scopes"]).create().unwrap();
        let tc = fake.builder().unwrap().credentials(temporary).build().unwrap();
        assert_eq!(Auth::new(&tc).current_scopes().await.is_ok(), is_good, "{start}");
    }
}

#[tokio::test]
async fn temporary_credentials_end_with_their_issuer() {
    let fake = deployment().await;
    let auth = Auth::new(&fake.connect("tester").unwrap());
    let soon = taskcluster::from_now_json("10 minutes").unwrap();
    let client = json!({"description": "", "expires": soon, "scopes": ["auth:current-scopes"]});
    let token = auth.create_client("short", &typed(client)).await.unwrap().access_token;
    let issuer = Credentials::new("short", &*token);
    let temporary = issuer.temporary(Duration::from_secs(3600)).scopes(["auth:current-scopes"]);
    let tc = fake.builder().unwrap().credentials(temporary.create().unwrap()).build().unwrap();
    Auth::new(&tc).current_scopes().await.unwrap();
    fake.advance(Duration::from_secs(11 * 60));
    let error = Auth::new(&tc).current_scopes().await.unwrap_err();
    assert_api_error(&error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", "short has expired");
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
        "exceeds the scopes of the issuer: queue:x",
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
    let values = vectors("temporary_credentials");
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
        let scopes: Vec<_> =
            values["scopes"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
        assert_eq!(call.scopes, with_anybodys(&scopes));
    }
}
