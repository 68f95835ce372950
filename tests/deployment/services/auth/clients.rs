//! Clients are made, changed, and end.

use serde_json::{Value, json};
use taskcluster::testing::Deployment;
use taskcluster::{Auth, AuthEvents, Credentials, StatusCode, from_now_json};

use crate::deployment::services::auth::{
    assert_unauthenticated, client, connect, of_client, of_role, role, scopes,
};
use crate::deployment::services::connected;
use crate::deployment::{HOUR, deployment, with_anybodys};
use crate::support::{assert_api_error, typed};

#[tokio::test]
async fn a_client_is_created_disabled_given_another_token_changed_and_deleted() {
    let (fake, tc) = connected().await;
    let mut messages = fake
        .listen(AuthEvents::client_created())
        .and_then(|all| all.bind(AuthEvents::client_updated()))
        .and_then(|all| all.bind(AuthEvents::client_deleted()))
        .unwrap();
    let created = of_client(&tc, "createClient", "c")
        .payload(client(&["auth:current-scopes"]))
        .await
        .unwrap();
    let its = connect(&fake, &created);
    assert_eq!(scopes(&its).await.unwrap(), with_anybodys(&["auth:current-scopes"]));

    of_client(&tc, "disableClient", "c").await.unwrap();
    assert_unauthenticated(&scopes(&its).await.unwrap_err(), "c is disabled");
    let enabled = of_client(&tc, "enableClient", "c").await.unwrap();
    assert_eq!(enabled["disabled"], false);
    scopes(&its).await.unwrap();

    let reset = of_client(&tc, "resetAccessToken", "c").await.unwrap();
    assert_unauthenticated(&scopes(&its).await.unwrap_err(), "Bad mac");
    let its = connect(&fake, &reset);
    scopes(&its).await.unwrap();

    // Scopes stay where they are not given.
    let update = json!({"description": "new", "expires": from_now_json("1 hour").unwrap()});
    let updated = of_client(&tc, "updateClient", "c").payload(update).await.unwrap();
    assert_eq!(
        (&updated["description"], &updated["scopes"]),
        (&json!("new"), &json!(["auth:current-scopes"]))
    );
    assert_eq!(of_client(&tc, "client", "c").await.unwrap()["description"], "new");
    assert!(updated.get("accessToken").is_none());

    fake.advance(HOUR);
    assert_unauthenticated(&scopes(&its).await.unwrap_err(), "c has expired");
    for _ in 0..2 {
        of_client(&tc, "deleteClient", "c").await.unwrap();
    }
    assert_unauthenticated(&scopes(&its).await.unwrap_err(), "No such clientId: c");
    for name in ["client", "enableClient", "disableClient", "resetAccessToken"] {
        let error = of_client(&tc, name, "c").await.unwrap_err();
        assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "\"c\"");
    }

    let heard: Vec<_> = messages.take();
    assert!(heard.iter().all(|message| message.payload == json!({"clientId": "c", "version": 1})));
    let kinds: Vec<_> =
        heard.iter().map(|message| message.exchange.rsplit_once('-').unwrap().1).collect();
    assert_eq!(
        kinds,
        ["created", "updated", "updated", "updated", "updated", "deleted", "deleted"]
    );
    assert_eq!(heard[0].routing_key, "_");
}

#[tokio::test]
async fn a_client_may_be_deleted_when_it_expires() {
    let (fake, tc) = connected().await;
    let expires = from_now_json("1 hour").unwrap();
    for (id, deleted) in [("goes", true), ("stays", false)] {
        let client = json!({"description": "", "expires": expires, "scopes": [], "deleteOnExpiration": deleted});
        of_client(&tc, "createClient", id).payload(client).await.unwrap();
    }
    fake.advance(2 * HOUR);
    let error = of_client(&tc, "client", "goes").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    of_client(&tc, "client", "stays").await.unwrap();
}

#[tokio::test]
async fn the_same_client_may_be_created_again_soon() {
    let (fake, tc) = connected().await;
    let create = |client: Value| of_client(&tc, "createClient", "c").payload(client);
    let created = create(client(&["a"])).await.unwrap();
    assert_eq!(create(client(&["a"])).await.unwrap()["accessToken"], created["accessToken"]);
    let error = create(client(&["b"])).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "\"c\"");
    fake.advance(HOUR);
    let error = create(client(&["a"])).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "\"c\"");
}

#[tokio::test]
async fn nobody_gives_away_what_they_do_not_have() {
    let (fake, tc) = connected().await;
    let modest = fake.connect_as("modest", ["auth:*", "a:*"]).unwrap();
    let create = of_client(&modest, "createClient", "c").payload(client(&["a:1", "b"]));
    assert_api_error(
        &create.await.unwrap_err(),
        StatusCode::FORBIDDEN,
        "InsufficientScopes",
        "\nb\n",
    );
    of_client(&tc, "createClient", "c").payload(client(&["b:*"])).await.unwrap();
    of_role(&tc, "createRole", "r").payload(role(&["b:*"])).await.unwrap();
    // Only what is added has to be held.
    for (name, of_client_is_fine, of_role_is_fine) in
        [("b:*", true, true), ("b:1", false, true), ("b", false, false)]
    {
        let scopes = ["a:1", "b:*", name];
        let scopes = if name == "b:*" { &scopes[..2] } else { &scopes };
        let client = of_client(&modest, "updateClient", "c").payload(client(scopes));
        let role = of_role(&modest, "updateRole", "r").payload(role(scopes));
        for (outcome, is_fine) in [(client.await, of_client_is_fine), (role.await, of_role_is_fine)]
        {
            assert_eq!(outcome.is_ok(), is_fine, "{name}");
            if let Err(error) = outcome {
                let missing = format!("\n{name}\n");
                assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", &missing);
            }
        }
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
    assert_eq!(answer, json!({"scopes": with_anybodys(&["auth:current-scopes"])}));

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
