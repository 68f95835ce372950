//! The embedded deployment and a real broker; without one these tests do nothing but say so, as those of `pulse`.

use chrono::TimeDelta;
use futures::TryStreamExt as _;
use taskcluster::dates::to_json;
use taskcluster::pulse::{Listener, PulseCredentials};
use taskcluster::testing::Deployment;
use taskcluster::{ErrorKind, Queue, QueueEvents, json, slugid};
use tokio::time::timeout;

use crate::deployment::{HOUR, task_of, with};
use crate::support::broker::{Broker, HANGING};

/// What `tester` listens with and `service` publishes with.
fn broker() -> Option<(PulseCredentials, PulseCredentials)> {
    let Broker { tester, service } = crate::support::broker::broker()?;
    Some([tester, service].map(|url| PulseCredentials::from_url(&url).unwrap()).into())
}

#[tokio::test]
async fn what_happens_is_heard_at_a_broker() {
    let Some((tester, service)) = broker() else { return };
    let fake = Deployment::start().await.unwrap();
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    fake.publish_to(service).await.unwrap();
    let (id, now) = (slugid::nice(), fake.now());
    let mut messages = Listener::connect(tester)
        .bind_any(QueueEvents::task_pending().task_group_id(&id))
        .bind_any(QueueEvents::task_exception().route_binding(&format!("route-of.{id}")))
        .listen()
        .await
        .unwrap();
    let create = tc.call(&Queue::REFERENCE, "createTask").unwrap().param("taskId", &id);
    let task = json!({
        "deadline": to_json(now + TimeDelta::hours(1)),
        "routes": [format!("route-of.{id}")], "tags": {"kind": "test"},
    });
    create.payload(with(task_of(now), task)).await.unwrap();
    fake.advance(HOUR);

    for reason in [None, Some("deadline-exceeded")] {
        let message = timeout(HANGING, messages.try_next()).await.unwrap().unwrap().unwrap();
        let payload = message.payload.as_ref().unwrap();
        assert_eq!(payload["status"]["taskId"], id);
        assert_eq!(payload["task"]["tags"], json!({"kind": "test"}));
        assert_eq!(payload["status"]["runs"][0]["reasonResolved"].as_str(), reason);
        assert_eq!(message.routes().collect::<Vec<_>>(), [format!("route-of.{id}")]);
        message.ack().await.unwrap();
    }
}

#[test]
fn a_broker_that_refuses_is_told() {
    let Some((tester, _)) = broker() else { return };
    let fake = Deployment::start_blocking().unwrap();
    // It may listen, but not declare the services' exchanges.
    let error = fake.publish_to_blocking(tester).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.message().contains("exchange/taskcluster-auth/"), "{error}");
}
