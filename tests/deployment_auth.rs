//! The embedded deployment's clients and roles.

use std::time::Duration;

use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::hawk::{Signer, Target};
use taskcluster::testing::Deployment;
use taskcluster::{
    Auth, AuthEvents, Client, Credentials, Error, NamedCall, Queue, StatusCode, from_now_json,
};

use crate::assert_api_error;

const HOUR: Duration = Duration::from_secs(3600);

async fn deployment() -> (Deployment, Client) {
    let fake = Deployment::start().await.unwrap();
    fake.client("admin", "no-secret", ["*"]);
    let tc = fake.connect("admin").unwrap();
    (fake, tc)
}

fn call(tc: &Client, name: &str) -> NamedCall {
    tc.call(&Auth::REFERENCE, name).unwrap()
}

fn of_client(tc: &Client, name: &str, id: &str) -> NamedCall {
    call(tc, name).param("clientId", id)
}

fn of_role(tc: &Client, name: &str, id: &str) -> NamedCall {
    call(tc, name).param("roleId", id)
}

fn client(scopes: &[&str]) -> Value {
    json!({"description": "d", "expires": "2100-01-01T00:00:00.000Z", "scopes": scopes})
}

fn role(scopes: &[&str]) -> Value {
    json!({"description": "d", "scopes": scopes})
}

/// Connects as a client that an answer with its token is about.
fn connect(fake: &Deployment, answer: &Value) -> Client {
    let text = |name: &str| answer[name].as_str().unwrap();
    let credentials = Credentials::new(text("clientId"), text("accessToken"));
    fake.builder().unwrap().credentials(credentials).build().unwrap()
}

async fn scopes(tc: &Client) -> Result<Vec<String>, Error> {
    let answer = call(tc, "currentScopes").await?;
    let scopes = answer["scopes"].as_array().unwrap().iter();
    Ok(scopes.map(|scope| scope.as_str().unwrap().to_owned()).collect())
}

#[track_caller]
fn assert_unauthenticated(error: &Error, message: &str) {
    assert_api_error(error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", message);
}

#[tokio::test]
async fn a_client_lives_its_life() {
    let (fake, tc) = deployment().await;
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
    assert_eq!(scopes(&its).await.unwrap(), ["auth:current-scopes"]);

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
    assert_eq!(kinds, ["created", "updated", "updated", "updated", "updated", "deleted"]);
    assert_eq!(heard[0].routing_key, "_");
}

#[tokio::test]
async fn a_client_may_be_deleted_when_it_expires() {
    let (fake, tc) = deployment().await;
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
    let (fake, tc) = deployment().await;
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
    let (fake, tc) = deployment().await;
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
    for (name, added) in [("b:1", true), ("b", false)] {
        let client = of_client(&modest, "updateClient", "c").payload(client(&["a:1", "b:*", name]));
        let role = of_role(&modest, "updateRole", "r").payload(role(&["a:1", "b:*", name]));
        for outcome in [client.await, role.await] {
            assert_eq!(outcome.is_ok(), added, "{name}");
            if let Err(error) = outcome {
                assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", "\nb\n");
            }
        }
    }
}

#[tokio::test]
async fn roles_give_scopes_to_clients() {
    let (fake, tc) = deployment().await;
    let create = |id: &str, scopes: &[&str]| of_role(&tc, "createRole", id).payload(role(scopes));
    create("repo:*", &["queue:status:<..>", "assume:level:1", "auth:current-scopes"])
        .await
        .unwrap();
    let level = create("level:1", &["queue:create-task:low:*"]).await.unwrap();
    assert_eq!(level["expandedScopes"], json!(["assume:level:1", "queue:create-task:low:*"]));

    let ci = fake.connect_as("ci", ["assume:repo:gecko"]).unwrap();
    let expanded = [
        "assume:level:1",
        "assume:repo:gecko",
        "auth:current-scopes",
        "queue:create-task:low:*",
        "queue:status:gecko",
    ];
    assert_eq!(scopes(&ci).await.unwrap(), expanded);
    assert_eq!(of_client(&tc, "client", "ci").await.unwrap()["expandedScopes"], json!(expanded));
    let answer = call(&tc, "expandScopes").payload(json!({"scopes": ["assume:repo:gecko"]})).await;
    assert_eq!(answer.unwrap()["scopes"], json!(expanded));

    // What they allow is allowed: the call gets as far as to the task that is not there.
    let error = Queue::new(&ci).status("gecko").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    let error = Queue::new(&ci).status("servo").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));

    // Limits by roles: authorized scopes and temporary credentials.
    let limited = ci.with_authorized_scopes(["assume:level:1", "auth:current-scopes"]).unwrap();
    assert_eq!(
        scopes(&limited).await.unwrap(),
        ["assume:level:1", "auth:current-scopes", "queue:create-task:low:*"]
    );
    let issuer = fake.client("ci", "token", ["assume:repo:gecko"]);
    let temporary = issuer.temporary(HOUR).scopes(["assume:level:1", "auth:current-scopes"]);
    let temporary = ci.with_credentials(temporary.create().unwrap()).unwrap();
    assert_eq!(
        scopes(&temporary).await.unwrap(),
        ["assume:level:1", "auth:current-scopes", "queue:create-task:low:*"]
    );

    of_role(&tc, "deleteRole", "repo:*").await.unwrap();
    let error = scopes(&fake.connect("ci").unwrap()).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
}

#[tokio::test]
async fn a_role_lives_its_life() {
    let (fake, tc) = deployment().await;
    let mut messages = fake
        .listen(AuthEvents::role_created())
        .and_then(|all| all.bind(AuthEvents::role_updated()))
        .and_then(|all| all.bind(AuthEvents::role_deleted()))
        .unwrap();
    let create = |scopes: &[&str]| of_role(&tc, "createRole", "r").payload(role(scopes));
    create(&["a"]).await.unwrap();
    create(&["a"]).await.unwrap();
    let error = create(&["b"]).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "\"r\"");
    of_role(&tc, "updateRole", "r").payload(role(&["b"])).await.unwrap();
    assert_eq!(of_role(&tc, "role", "r").await.unwrap()["scopes"], json!(["b"]));
    for _ in 0..2 {
        of_role(&tc, "deleteRole", "r").await.unwrap();
    }
    let update = of_role(&tc, "updateRole", "r").payload(role(&["b"]));
    for call in [of_role(&tc, "role", "r"), update] {
        let error = call.await.unwrap_err();
        assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "\"r\"");
    }
    let kinds: Vec<_> = messages.take();
    let kinds: Vec<_> =
        kinds.iter().map(|message| message.exchange.rsplit_once('-').unwrap().1).collect();
    assert_eq!(kinds, ["created", "updated", "deleted"]);
}

#[tokio::test]
async fn a_role_that_makes_no_sense_is_refused() {
    let (_fake, tc) = deployment().await;
    let create = |id: &str, scopes: &[&str]| of_role(&tc, "createRole", id).payload(role(scopes));
    let error = create("a", &["b:<..>"]).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "does not end in `*`");
    create("a:*", &["assume:b:<..>x"]).await.unwrap();
    let error = create("b:*", &["assume:a:<..>"]).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "lead to itself");
    // It is not there, not even in part.
    assert_eq!(
        of_role(&tc, "role", "b:*").await.unwrap_err().status(),
        Some(StatusCode::NOT_FOUND)
    );
    create("b:*", &["c:<..>"]).await.unwrap();
}

#[test]
#[should_panic(expected = "would lead to itself")]
fn a_test_cannot_make_a_role_that_leads_to_itself() {
    Deployment::start_blocking().unwrap().role("a:*", ["assume:a:<..>x"]);
}

#[tokio::test]
async fn roles_are_listed() {
    let (fake, tc) = deployment().await;
    for id in ["a", "b"] {
        fake.role(id, ["x"]);
    }
    let ids: Vec<Value> = call(&tc, "listRoleIds")
        .query("limit", 1)
        .into_paged()
        .unwrap()
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(ids, ["a", "anonymous", "b"]);
    let roles: Vec<Value> = call(&tc, "listRoles2")
        .query("limit", 2)
        .into_paged()
        .unwrap()
        .items()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(roles[2]["expandedScopes"], json!(["assume:b", "x"]));
    let all = call(&tc, "listRoles").await.unwrap();
    assert_eq!(all, json!(roles));
}

#[tokio::test]
async fn everybody_has_the_role_anonymous() {
    let (fake, _) = deployment().await;
    fake.role("anonymous", ["auth:current-scopes"]);
    let anybody = fake.anonymous().unwrap();
    assert_eq!(scopes(&anybody).await.unwrap(), ["assume:anonymous", "auth:current-scopes"]);
    scopes(&fake.connect_as("nobody", Vec::<String>::new()).unwrap()).await.unwrap();
}

#[tokio::test]
async fn signatures_of_others_are_judged() {
    let (fake, tc) = deployment().await;
    fake.client("signer", "token", ["a:*", "b"]);
    let target = Target { method: "GET", resource: "/x?y=1", host: "example.com", port: 443 };
    let judge = async |token: &str, host: &str| {
        let signer = Signer::new(&Credentials::new("signer", token), None).unwrap();
        let header = signer.header(&target, None, chrono::Utc::now().timestamp(), "nonce");
        let payload = json!({"method": "get", "resource": "/x?y=1", "host": host, "port": 443, "authorization": header});
        call(&tc, "authenticateHawk").payload(payload).await.unwrap()
    };
    let good = judge("token", "example.com").await;
    assert_eq!((&good["status"], &good["scopes"]), (&json!("auth-success"), &json!(["a:*", "b"])));
    assert_eq!(good["clientId"], "signer");
    assert_eq!(judge("wrong", "example.com").await["status"], "auth-failed");
    assert_eq!(judge("token", "example.org").await["status"], "auth-failed");
    let unsigned = json!({"method": "get", "resource": "/", "host": "example.com", "port": 443});
    let unsigned = call(&tc, "authenticateHawk").payload(unsigned).await.unwrap();
    assert_eq!(unsigned["status"], "no-auth");
}
