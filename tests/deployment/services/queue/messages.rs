//! What the queue publishes.

use serde_json::json;
use taskcluster::testing::Deployment;
use taskcluster::{QueueEvents, slugid};

use crate::deployment::services::connected;
use crate::deployment::services::queue::{
    call, claim_one, complete, create, listen, run, task, with_artifacts,
};
use crate::deployment::with;

#[tokio::test]
async fn messages_carry_routes_and_routing_keys() {
    let (fake, tc) = connected().await;
    let mut by_route = fake
        .listen(QueueEvents::task_completed().route_binding("index.a.#"))
        .and_then(|messages| messages.bind(QueueEvents::task_completed()))
        .unwrap();
    let mut others = fake.listen(QueueEvents::task_completed().task_group_id("other")).unwrap();
    let fields =
        json!({"routes": ["index.a.b", "notify.x"], "tags": {"kind": "test"}, "schedulerId": "s"});
    let id = create(&tc, &with(task(&fake), fields)).await;
    complete(&tc, &claim_one(&tc).await).await;

    let message = by_route.next().await.unwrap();
    let key = QueueEvents::task_completed().parse(&message.routing_key).unwrap();
    assert_eq!(
        (key.task_id.as_str(), key.run_id.as_str(), key.worker_id.as_str()),
        (&*id, "0", "w")
    );
    assert_eq!(message.routing_key, format!("primary.{id}.0.g.w.prov.work.s.{id}._"));
    assert_eq!(message.routes().collect::<Vec<_>>(), ["index.a.b", "notify.x"]);
    assert_eq!(message.payload["task"], json!({"tags": {"kind": "test"}}));
    assert_eq!(message.payload["status"]["state"], "completed");
    assert_eq!(message.payload["version"], 1);
    // Once, though it came by two bindings.
    assert_eq!(by_route.try_next(), None);
    assert_eq!(others.try_next(), None);
}

#[tokio::test]
async fn a_task_that_is_created_again_is_announced_again() {
    let (fake, tc) = connected().await;
    let (id, task) = (slugid::nice(), task(&fake));
    let mut messages = listen(&fake);
    let create = || call(&tc, "createTask").param("taskId", &id).payload(&task);
    let first = create().await.unwrap();
    let announced = messages.take();
    assert_eq!(create().await.unwrap(), first);
    assert_eq!(messages.take(), announced);
    assert_eq!(announced[0].payload["status"]["state"], "unscheduled");
    // Once it runs, only its definition is new.
    claim_one(&tc).await;
    let _ = messages.take();
    create().await.unwrap();
    assert_eq!(messages.take(), announced[..1]);
}

#[tokio::test]
async fn the_queue_publishes_to_all_its_exchanges() {
    let (fake, tc) = connected().await;
    let mut messages = listen(&fake);
    let (claim, _) = with_artifacts(&fake, &tc).await;
    let (report, group) = run(&tc, "reportFailed", &claim);
    report.await.unwrap();
    call(&tc, "sealTaskGroup").param("taskGroupId", group).await.unwrap();
    let change = call(&tc, "changeTaskGroupPriority").param("taskGroupId", group);
    change.payload(json!({"newPriority": "low"})).await.unwrap();
    let id = create(&tc, &task(&fake)).await;
    let change = call(&tc, "changeTaskPriority").param("taskId", &id);
    change.payload(json!({"newPriority": "high"})).await.unwrap();
    complete(&tc, &claim_one(&tc).await).await;
    let id = create(&tc, &task(&fake)).await;
    call(&tc, "cancelTask").param("taskId", &id).await.unwrap();

    let heard = messages.take();
    for exchange in QueueEvents::REFERENCE.exchanges {
        let of_exchange: Vec<_> =
            heard.iter().filter(|message| message.exchange == exchange.exchange).collect();
        assert!(!of_exchange.is_empty(), "nothing of {}", exchange.name);
        // The key has all the parts that the reference requires.
        for message in of_exchange {
            let words: Vec<_> = message.routing_key.split('.').collect();
            assert_eq!(words.len(), exchange.routing_key.len(), "{message:?}");
            for (part, word) in exchange.routing_key.iter().zip(words) {
                assert!(!part.required || word != "_", "{}: {message:?}", part.name);
            }
        }
    }
}

#[test]
fn a_blocking_program_hears_messages() {
    let fake = Deployment::start_blocking().unwrap();
    fake.client("tester", "no-secret", ["*"]);
    let tc = fake.connect("tester").unwrap();
    let mut messages = fake.listen(QueueEvents::task_pending()).unwrap();
    let create = call(&tc, "createTask").param("taskId", slugid::nice()).payload(task(&fake));
    create.send_blocking().unwrap();
    assert_eq!(messages.next_blocking().unwrap().payload["runId"], 0);
    drop(fake);
    assert!(messages.next_blocking().unwrap_err().message().contains("dropped"));
}
