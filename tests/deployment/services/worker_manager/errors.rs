use serde_json::{Value, json};
use taskcluster::{Notify, StatusCode, WorkerManagerEvents};

use super::{POOL, call, create_pool, of_pool, pool};
use crate::deployment::services::{all, connected};
use crate::deployment::{HOUR, with};
use crate::support::assert_api_error;

fn error(title: &str, extra: Value) -> Value {
    json!({
        "workerGroup": "here", "workerId": "w", "kind": "boot", "title": title,
        "description": "It does not boot.", "extra": extra,
    })
}

#[tokio::test]
async fn errors_are_announced_listed_counted_and_mailed() {
    let (fake, tc) = connected().await;
    let definition = with(pool("static", json!({})), json!({"emailOnError": true}));
    create_pool(&tc, definition).await;
    let mut messages =
        fake.listen(WorkerManagerEvents::worker_pool_error().worker_id("w")).unwrap();
    let report =
        |title: &str, extra| of_pool(&tc, "reportWorkerError").payload(error(title, extra));
    let reported = report("No disk", json!({"code": "ENOSPC"})).await.unwrap();
    assert_eq!(
        reported["extra"],
        json!({"code": "ENOSPC", "workerGroup": "here", "workerId": "w"})
    );
    let message = messages.next().await.unwrap();
    assert_eq!(message.payload["errorId"], reported["errorId"]);
    assert_eq!(message.routing_key, "primary.static.prov.linux.here.w._._");
    // Another one of the same content needs no second mail.
    report("No disk", json!({"code": "ENOSPC"})).await.unwrap();
    fake.advance(HOUR * 25);
    report("No network", json!({})).await.unwrap();
    let mails = fake.notifications();
    assert_eq!((mails.len(), mails[0].address.as_str()), (2, "o@example.com"));
    assert!(mails[0].request["subject"].as_str().unwrap().ends_with("No disk"));

    let listed = all(of_pool(&tc, "listWorkerPoolErrors")).await;
    let titles: Vec<_> = listed.iter().map(|error| error["title"].clone()).collect();
    assert_eq!(titles, ["No network", "No disk", "No disk"]);
    let id = reported["errorId"].as_str().unwrap();
    let one = all(of_pool(&tc, "listWorkerPoolErrors").query("errorId", id)).await;
    assert_eq!(one, [reported]);

    let stats = call(&tc, "workerPoolErrorStats").query("workerPoolId", POOL).await.unwrap();
    let totals = &stats["totals"];
    assert_eq!(totals["total"], 3);
    assert_eq!(totals["title"], json!({"No disk": 2, "No network": 1}));
    assert_eq!(totals["code"], json!({"ENOSPC": 2, "other": 1}));
    assert_eq!(totals["workerPool"], json!({POOL: 3}));
    assert_eq!(totals["launchConfig"], json!({"unknown": 3}));
    let sum = |counts: &Value| {
        let counts = counts.as_object().unwrap();
        (counts.len(), counts.values().map(|count| count.as_u64().unwrap()).sum::<u64>())
    };
    assert_eq!((sum(&totals["daily"]), sum(&totals["hourly"])), ((7, 3), (24, 1)));
    let everywhere = call(&tc, "workerPoolErrorStats").await.unwrap();
    assert_eq!(
        (&everywhere["workerPoolId"], &everywhere["totals"]["total"]),
        (&json!(""), &json!(3))
    );
    // They are kept for a week.
    fake.advance(HOUR * 24 * 7);
    assert!(all(of_pool(&tc, "listWorkerPoolErrors")).await.is_empty());
}

#[tokio::test]
async fn an_error_whose_mail_is_refused_is_lost() {
    let (_fake, tc) = connected().await;
    let definition = with(pool("static", json!({})), json!({"emailOnError": true}));
    create_pool(&tc, definition).await;
    let deny = tc.call(&Notify::REFERENCE, "addDenylistAddress").unwrap();
    let address = json!({"notificationType": "email", "notificationAddress": "o@example.com"});
    deny.payload(address).await.unwrap();
    of_pool(&tc, "reportWorkerError").payload(error("t", json!({}))).await.unwrap();
    assert!(all(of_pool(&tc, "listWorkerPoolErrors")).await.is_empty());
}

#[tokio::test]
async fn workers_report_their_own_errors_and_statistics_need_a_scope() {
    let (fake, tc) = connected().await;
    let error_of = |scopes: &[&str], name: &str| {
        let tc = fake.connect_as("limited", scopes.to_vec()).unwrap();
        let call = call(&tc, name);
        if name == "reportWorkerError" {
            return call.param("workerPoolId", POOL).payload(error("t", json!({})));
        }
        call
    };
    create_pool(&tc, pool("static", json!({}))).await;
    let own = ["assume:worker-pool:prov/linux", "assume:worker-id:here/w"];
    error_of(&own, "reportWorkerError").await.unwrap();
    let refused = error_of(&own[..1], "reportWorkerError").await.unwrap_err();
    assert_api_error(&refused, StatusCode::FORBIDDEN, "InsufficientScopes", own[1]);
    let of_pool = ["worker-manager:list-worker-pool-errors:prov/linux"];
    let refused = error_of(&of_pool, "workerPoolErrorStats").await.unwrap_err();
    let all = "worker-manager:list-worker-pool-errors:*";
    assert_api_error(&refused, StatusCode::FORBIDDEN, "InsufficientScopes", all);
    error_of(&[all], "workerPoolErrorStats").await.unwrap();
    let missing = tc
        .call(&taskcluster::WorkerManager::REFERENCE, "reportWorkerError")
        .unwrap()
        .param("workerPoolId", "prov/else")
        .payload(error("t", json!({})));
    assert_eq!(missing.await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
}
