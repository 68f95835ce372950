//! What the auth service says of credentials.

use std::time::Duration;

use taskcluster::auth::CreateClientRequest;
use taskcluster::testing::{Deployment, Reply};
use taskcluster::{Auth, Credentials, StatusCode};

use crate::client::CURRENT;

#[tokio::test]
async fn permanent_credentials_have_the_expiry_and_scopes_of_their_client() {
    let deployment = Deployment::start().await.unwrap();
    deployment.role("builds", ["queue:*"]);
    deployment.role("anonymous", ["auth:get-client:*"]);
    let credentials = deployment.client("project/x", "no-secret", ["assume:builds", CURRENT]);
    // Whoever the client is, and whatever it is limited to, it is not asked about.
    let client = deployment.connect_as("root", ["*"]).unwrap();
    let client = client.with_authorized_scopes(["nothing"]).unwrap();
    let checked = credentials.check(&client).await.unwrap();
    assert!(checked.is_active() && !checked.is_temporary && !checked.is_disabled, "{checked:?}");
    assert_eq!((checked.client_id.as_str(), &checked.issuer), ("project/x", &None));
    let auth = Auth::new(&deployment.connect("root").unwrap());
    let registered = auth.client("project/x").await.unwrap();
    assert_eq!(checked.expiry, Some(registered.expires));
    let scopes = ["assume:anonymous", "assume:builds", CURRENT, "auth:get-client:*", "queue:*"]
        .map(str::to_owned);
    assert_eq!(checked.scopes.unwrap(), scopes);
}

#[tokio::test]
async fn temporary_credentials_end_with_their_certificate_or_their_issuer() {
    let deployment = Deployment::start().await.unwrap();
    deployment.role("anonymous", ["auth:get-client:*"]);
    let root = Auth::new(&deployment.connect_as("root", ["*"]).unwrap());
    let issuer = deployment.client("issuer", "no-secret", ["auth:*", "queue:*"]);
    let temporary = issuer.temporary(Duration::from_secs(7200)).scopes(["queue:status:*", CURRENT]);
    let temporary = temporary.name("named").create().unwrap();
    let client = deployment.anonymous().unwrap();
    let certificate = temporary.information().unwrap();

    let checked = temporary.check(&client).await.unwrap();
    assert!(checked.is_active() && checked.is_temporary, "{checked:?}");
    assert_eq!((checked.client_id.as_str(), checked.issuer.as_deref()), ("named", Some("issuer")));
    assert_eq!((checked.start, checked.expiry), (certificate.start, certificate.expiry));
    let scopes = ["assume:anonymous", CURRENT, "auth:get-client:*", "queue:status:*"];
    assert_eq!(checked.scopes.unwrap(), scopes);

    // The issuer ends earlier.
    let soon = deployment.now() + chrono::TimeDelta::hours(1);
    let mut update = CreateClientRequest::new(soon, "Ends soon");
    update.scopes = Some(vec!["auth:*".to_owned(), "queue:*".to_owned()]);
    let ends = root.update_client("issuer", &update).await.unwrap().expires;
    assert_eq!(temporary.check(&client).await.unwrap().expiry, Some(ends));

    root.disable_client("issuer").await.unwrap();
    let checked = temporary.check(&client).await.unwrap();
    assert!(checked.is_disabled && !checked.is_active(), "{checked:?}");
    assert!(checked.scopes.is_none() && checked.refusal.is_some(), "{checked:?}");
}

#[tokio::test]
async fn refused_credentials_are_no_error_and_an_outage_is_one() {
    let deployment = Deployment::start().await.unwrap();
    deployment.client("known", "no-secret", ["a", CURRENT]);
    let client = deployment.anonymous().unwrap();
    for wrong in [Credentials::new("known", "wrong"), Credentials::new("unknown", "wrong")] {
        let checked = wrong.check(&client).await.unwrap();
        assert!(!checked.is_active() && checked.scopes.is_none(), "{checked:?}");
        assert!(!checked.refusal.unwrap().contains("wrong"));
    }
    // One that may not ask for its scopes is accepted nevertheless.
    let mute = deployment.client("mute", "no-secret", ["a"]);
    let checked = mute.check(&client).await.unwrap();
    assert!(checked.is_active() && checked.scopes.is_none(), "{checked:?}");
    assert_eq!(checked.expiry, None, "nobody may look it up");
    mute.with_certificate("{").check(&client).await.unwrap_err();

    let down = Reply::error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "down");
    deployment.on(Auth::REFERENCE.endpoint("currentScopes")).reply(down);
    let error = Credentials::new("known", "no-secret").check(&client).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::INTERNAL_SERVER_ERROR));
}
