//! Lists come in pages.

use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::{Auth, Secrets, StatusCode};

use crate::deployment::deployment;
use crate::support::assert_api_error;

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

    // Any other leads to the first page, if it could be one.
    for wrong in ["x", "dGVzdGVy", &token[1..], &format!("{token}AA")] {
        let first: Value =
            auth.list_clients().prefix("t").continuation_token(wrong).send_as().await.unwrap();
        assert_eq!(first["clients"].as_array().unwrap().len(), 2);
    }
    let first: Value =
        auth.list_clients().prefix("to").continuation_token(token).send_as().await.unwrap();
    assert_eq!(first["clients"][0]["clientId"], "toaster");
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    secrets.list().continuation_token(token).await.unwrap();
    for (wrong, code) in [("", "InvalidRequestArguments"), ("a-b", "InputError")] {
        let error = auth.list_clients().continuation_token(wrong).await.unwrap_err();
        assert_api_error(&error, StatusCode::BAD_REQUEST, code, "continuationToken");
    }
    for list in ["listRoles2", "listRoleIds"] {
        let call = fake.connect("tester").unwrap().call(&Auth::REFERENCE, list).unwrap();
        let error = call.query("continuationToken", token).send().await.unwrap_err();
        assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "continuationToken");
    }
    let error = auth.list_clients().limit(-1).await.unwrap_err();
    assert_eq!(error.message(), "listClients: query option `limit` does not match `^[0-9]+$`");
}
