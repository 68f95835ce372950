//! How tasks end that nobody completes: they are tried again, cancelled, or too late.

use serde_json::{Value, json};
use taskcluster::testing::Messages;
use taskcluster::{Queue, StatusCode};

use crate::deployment::services::connected;
use crate::deployment::services::queue::{
    MINUTE, call, claim_one, complete, create, except, heard, listen, names, run, state, status,
    task, worker,
};
use crate::deployment::{HOUR, TASK_ID, deployment, task_definition, with};
use crate::support::{assert_api_error, typed};

#[tokio::test]
async fn a_claim_runs_out_and_the_task_is_tried_again_until_no_retry_is_left() {
    let (fake, tc) = connected().await;
    let task = with(task(&fake), json!({"retries": 1}));
    let id = create(&tc, &task).await;
    let mut messages = listen(&fake);
    let claim = claim_one(&tc).await;
    fake.advance(20 * MINUTE);
    let error = run(&worker(&fake, &claim), "reclaimTask", &claim).0.await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "exception, not running");
    let status = status(&tc, &id).await;
    assert_eq!((&status["state"], &status["retriesLeft"]), (&json!("pending"), &json!(0)));
    let (first, second) = (&status["runs"][0], &status["runs"][1]);
    assert_eq!(
        (&first["state"], &first["reasonResolved"]),
        (&json!("exception"), &json!("claim-expired"))
    );
    // Everything happens at its time, not when somebody looks.
    assert_eq!(first["resolved"], claim["takenUntil"]);
    assert_eq!(
        (&second["reasonCreated"], &second["scheduled"]),
        (&json!("retry"), &claim["takenUntil"])
    );
    assert_eq!(names(&mut messages), ["task-running", "task-exception", "task-pending"]);

    claim_one(&tc).await;
    fake.advance(20 * MINUTE);
    assert_eq!(state(&tc, &id).await, "exception");
    assert_eq!(names(&mut messages), ["task-running", "task-exception", "task-group-resolved"]);

    // The credentials of a claim end, too.
    fake.advance(HOUR);
    let error = run(&worker(&fake, &claim), "reclaimTask", &claim).0.await.unwrap_err();
    assert_api_error(&error, StatusCode::UNAUTHORIZED, "AuthenticationFailed", "expired");
}

#[tokio::test]
async fn an_exception_is_tried_again_where_its_reason_allows() {
    let (fake, tc) = connected().await;
    for (reason, again) in [
        ("worker-shutdown", Some("retry")),
        ("intermittent-task", Some("task-retry")),
        ("malformed-payload", None),
        ("resource-unavailable", None),
        ("internal-error", None),
    ] {
        let id = create(&tc, &task(&fake)).await;
        let claim = claim_one(&tc).await;
        let status = except(&tc, &claim, reason).await;
        assert_eq!(status["runs"][0]["reasonResolved"], reason);
        match again {
            Some(created) => {
                assert_eq!(status["runs"][1]["reasonCreated"], created);
                assert_eq!(
                    (&status["state"], &status["retriesLeft"]),
                    (&json!("pending"), &json!(4))
                );
                complete(&tc, &claim_one(&tc).await).await;
                assert_eq!(state(&tc, &id).await, "completed");
            }
            None => assert_eq!(
                (&status["state"], &status["retriesLeft"]),
                (&json!("exception"), &json!(5))
            ),
        }
    }
}

#[tokio::test]
async fn an_exception_with_a_retry_is_announced_though_the_task_goes_on() {
    let (fake, tc) = connected().await;
    create(&tc, &with(task(&fake), json!({"retries": 1}))).await;
    let mut messages = listen(&fake);
    let told = |messages: &mut Messages| {
        let messages = messages.take().into_iter().filter(|m| !m.exchange.ends_with("running"));
        messages
            .map(|message| {
                let name = message.exchange.rsplit_once('/').unwrap().1.to_owned();
                let run = message.routing_key.split('.').nth(2).unwrap().to_owned();
                (name, run, message.payload["status"]["state"].as_str().unwrap_or("-").to_owned())
            })
            .collect::<Vec<_>>()
    };
    let each = |name: &str, run: &str, state: &str| (name.into(), run.into(), state.into());

    except(&tc, &claim_one(&tc).await, "worker-shutdown").await;
    assert_eq!(
        told(&mut messages),
        [each("task-exception", "0", "pending"), each("task-pending", "1", "pending")]
    );
    // No retry is left.
    except(&tc, &claim_one(&tc).await, "worker-shutdown").await;
    assert_eq!(told(&mut messages)[0], each("task-exception", "1", "exception"));
}

#[tokio::test]
async fn a_deadline_ends_what_is_not_done() {
    let (fake, tc) = connected().await;
    let mut messages = listen(&fake);
    let running = create(&tc, &task(&fake)).await;
    let claim = claim_one(&tc).await;
    let pending = create(&tc, &task(&fake)).await;
    let waiting = create(&tc, &with(task(&fake), json!({"dependencies": [pending]}))).await;
    names(&mut messages);
    let its = worker(&fake, &claim);
    fake.advance(HOUR);
    // Expired, tried again, and left alone until the end.
    assert_eq!(state(&tc, &running).await, "pending");
    fake.advance(HOUR);
    for id in [&running, &pending, &waiting] {
        let status = status(&tc, id).await;
        assert_eq!(status["state"], "exception");
        let last = status["runs"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&last["reasonResolved"], &last["resolved"]),
            (&json!("deadline-exceeded"), &status["deadline"])
        );
        for name in ["scheduleTask", "rerunTask", "cancelTask"] {
            let error = call(&tc, name).param("taskId", id).await.unwrap_err();
            assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "deadline");
        }
    }
    let ended = heard(&mut messages).into_iter().filter(|(name, payload)| {
        name == "task-exception" && payload["status"]["state"] == "exception"
    });
    assert_eq!(ended.count(), 3);
    let error = run(&its, "reportCompleted", &claim).0.await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));

    fake.advance(366 * 24 * HOUR);
    let error = call(&tc, "status").param("taskId", &pending).await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", &pending);
}

#[tokio::test]
async fn a_task_can_be_cancelled() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    queue.create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    let cancelled: Value = queue.cancel_task(TASK_ID).send_as().await.unwrap();
    assert_eq!(cancelled["status"]["state"], "exception");
    let run = &cancelled["status"]["runs"][0];
    assert_eq!((&run["state"], &run["reasonResolved"]), (&json!("exception"), &json!("canceled")));
    let again: Value = queue.cancel_task(TASK_ID).send_as().await.unwrap();
    assert_eq!(again, cancelled);

    let waiting = taskcluster::slugid::nice();
    let mut task = task_definition();
    task["dependencies"] = json!([TASK_ID]);
    let created: Value = queue.create_task(&waiting, &typed(&task)).send_as().await.unwrap();
    assert_eq!(
        (&created["status"]["state"], &created["status"]["runs"]),
        (&json!("unscheduled"), &json!([]))
    );
    let cancelled: Value = queue.cancel_task(&waiting).send_as().await.unwrap();
    assert_eq!(cancelled["status"]["runs"][0]["reasonResolved"], "canceled");
}
