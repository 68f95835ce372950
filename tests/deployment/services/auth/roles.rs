//! Roles give scopes to whoever assumes them.

use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::testing::Deployment;
use taskcluster::{AuthEvents, Queue, StatusCode, slugid};

use crate::deployment::services::auth::{call, of_client, of_role, role, scopes};
use crate::deployment::services::connected;
use crate::deployment::{HOUR, TASK_ID, with_anybodys};
use crate::support::assert_api_error;

#[tokio::test]
async fn roles_give_scopes_to_clients() {
    let (fake, tc) = connected().await;
    let create = |id: &str, scopes: &[&str]| of_role(&tc, "createRole", id).payload(role(scopes));
    create("repo:*", &["queue:status:<..>", "assume:level:1", "auth:current-scopes"])
        .await
        .unwrap();
    let level = create("level:1", &["queue:create-task:low:*"]).await.unwrap();
    assert_eq!(level["expandedScopes"], json!(["assume:level:1", "queue:create-task:low:*"]));

    let ci = fake.connect_as("ci", ["assume:repo:fN1SbArXTPSVFNUvaOlinQ"]).unwrap();
    let expanded = [
        "assume:level:1",
        "assume:repo:fN1SbArXTPSVFNUvaOlinQ",
        "auth:current-scopes",
        "queue:create-task:low:*",
        "queue:status:fN1SbArXTPSVFNUvaOlinQ",
    ];
    assert_eq!(scopes(&ci).await.unwrap(), with_anybodys(&expanded));
    assert_eq!(of_client(&tc, "client", "ci").await.unwrap()["expandedScopes"], json!(expanded));
    let answer = call(&tc, "expandScopes")
        .payload(json!({"scopes": ["assume:repo:fN1SbArXTPSVFNUvaOlinQ"]}))
        .await;
    assert_eq!(answer.unwrap()["scopes"], json!(expanded));

    // What they allow is allowed: the call gets as far as to the task that is not there.
    let error = Queue::new(&ci).status(TASK_ID).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    let error = Queue::new(&ci).status(slugid::nice()).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));

    // Limits by roles: authorized scopes and temporary credentials.
    let limited = ci.with_authorized_scopes(["assume:level:1", "auth:current-scopes"]).unwrap();
    assert_eq!(
        scopes(&limited).await.unwrap(),
        with_anybodys(&["assume:level:1", "auth:current-scopes", "queue:create-task:low:*"])
    );
    let issuer = fake.client("ci", "token", ["assume:repo:fN1SbArXTPSVFNUvaOlinQ"]);
    let temporary = issuer.temporary(HOUR).scopes(["assume:level:1", "auth:current-scopes"]);
    let temporary = ci.with_credentials(temporary.create().unwrap()).unwrap();
    assert_eq!(
        scopes(&temporary).await.unwrap(),
        with_anybodys(&["assume:level:1", "auth:current-scopes", "queue:create-task:low:*"])
    );

    of_role(&tc, "deleteRole", "repo:*").await.unwrap();
    let error = scopes(&fake.connect("ci").unwrap()).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
}

#[tokio::test]
async fn a_role_is_created_changed_and_deleted() {
    let (fake, tc) = connected().await;
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
    // Repeated calls are announced again.
    assert_eq!(kinds, ["created", "created", "updated", "deleted", "deleted"]);
}

#[tokio::test]
async fn a_role_that_makes_no_sense_is_refused() {
    let (_fake, tc) = connected().await;
    let create = |id: &str, scopes: &[&str]| of_role(&tc, "createRole", id).payload(role(scopes));
    for (id, scopes, message) in [
        ("c", ["x**"], "ends with `**`"),
        ("c:*", ["x:<..>:<..>"], "twice"),
        ("c:*", ["x:*<..>"], "a `*` before <..>"),
        ("c", ["assume:c"], "lead to itself"),
        ("c", ["*"], "lead to itself"),
        ("c:*", ["assume:c:x"], "lead to itself"),
    ] {
        let error = create(id, &scopes).await.unwrap_err();
        assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", message);
    }
    // Where no parameter is, this is a text as any other.
    let plain = create("a", &["b:<..>"]).await.unwrap();
    assert_eq!(plain["expandedScopes"], json!(["assume:a", "b:<..>"]));
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
    let (fake, tc) = connected().await;
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
    let (fake, _) = connected().await;
    fake.role("anonymous", ["auth:current-scopes"]);
    let anybody = fake.anonymous().unwrap();
    assert_eq!(scopes(&anybody).await.unwrap(), ["assume:anonymous", "auth:current-scopes"]);
    scopes(&fake.connect_as("nobody", Vec::<String>::new()).unwrap()).await.unwrap();
}
