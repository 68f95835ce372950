//! Programs that listen to Pulse, with the embedded deployment in place of a broker.

use futures::{FutureExt as _, TryStreamExt as _};
use taskcluster::pulse::{Listener, Message, Messages, PulseCredentials};
use taskcluster::queue_events::TaskPendingMessage;
use taskcluster::testing::Deployment;
use taskcluster::{Client, Queue, QueueEvents, Result, slugid};
use tokio::time::timeout;

use crate::deployment::{HOUR, task_of, with};
use crate::support::broker::HANGING;

/// A program: listens to the tasks of a group.
async fn listen(listener: Listener, group: &str) -> Result<Messages> {
    listener
        .bind_any(QueueEvents::task_pending().task_group_id(group))
        .bind_any(QueueEvents::task_exception().task_group_id(group))
        .prefetch(1)
        .listen()
        .await
}

/// The rest of the program: tells what becomes of this many tasks, until all have ended.
async fn follow(mut messages: Messages, mut tasks: usize) -> Result<Vec<String>> {
    let mut told = Vec::new();
    while tasks > 0
        && let Some(message) = messages.try_next().await?
    {
        // The types of all these messages have this in common.
        let status = message.decode::<TaskPendingMessage>()?.status;
        tasks -= usize::from(message.exchange.ends_with("/task-exception"));
        told.push(format!("{} {}", status.task_id, status.state));
        assert!(message.ack().await?);
    }
    messages.close().await?;
    Ok(told)
}

async fn create(fake: &Deployment, tc: &Client, id: &str, group: &str) {
    let task = with(task_of(fake.now()), taskcluster::json!({"taskGroupId": group}));
    let create = tc.call(&Queue::REFERENCE, "createTask").unwrap();
    create.param("taskId", id).payload(task).await.unwrap();
}

/// Runs the program with either kind of listener.
async fn runs_unchanged(fake: &Deployment, listener: Listener) {
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    let (group, ids) = (slugid::nice(), [slugid::nice(), slugid::nice()]);
    let messages = listen(listener, &group).await.unwrap();
    for id in &ids {
        create(fake, &tc, id, &group).await;
    }
    fake.advance(25 * HOUR);
    let mut told = timeout(HANGING, follow(messages, 2)).await.unwrap().unwrap();
    // Several tasks end at once, in any order.
    let expected = |state| ids.iter().map(move |id| format!("{id} {state}"));
    told[2..].sort_by_key(|line| ids.iter().position(|id| line.starts_with(id)));
    assert_eq!(told, expected("pending").chain(expected("exception")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_program_runs_unchanged_without_a_broker() {
    let fake = Deployment::start().await.unwrap();
    runs_unchanged(&fake, fake.listener()).await;
}

#[tokio::test]
async fn the_same_program_runs_with_a_broker() {
    let Some(broker) = crate::support::broker::broker() else { return };
    let fake = Deployment::start().await.unwrap();
    let service = PulseCredentials::from_url(&broker.service).unwrap();
    fake.publish_to(service).await.unwrap();
    runs_unchanged(&fake, Listener::connect(broker.credentials())).await;
}

/// A deployment with a listener to a group, in which these tasks have been created.
async fn with_tasks(ids: &[&str], prefetch: u16) -> (Deployment, Messages<TaskPendingMessage>) {
    let fake = Deployment::start().await.unwrap();
    let messages = pending(&fake).prefetch(prefetch).listen().await.unwrap();
    publish(&fake, ids).await;
    (fake, messages)
}

fn pending(fake: &Deployment) -> Listener<TaskPendingMessage> {
    fake.listener().bind(QueueEvents::task_pending()).queue("mine")
}

async fn publish(fake: &Deployment, ids: &[&str]) {
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    for id in ids {
        create(fake, &tc, id, id).await;
    }
}

async fn next(messages: &mut Messages<TaskPendingMessage>) -> Message<TaskPendingMessage> {
    timeout(HANGING, messages.try_next()).await.expect("no message").unwrap().expect("the end")
}

fn id(message: &Message<TaskPendingMessage>) -> &str {
    &message.payload.as_ref().unwrap().status.task_id
}

const A: &str = "aaaaaaaaQaCaaaaaaaaaaA";
const B: &str = "bbbbbbbbQbCbbbbbbbbbbA";

#[tokio::test]
async fn unsettled_messages_are_redelivered_in_their_old_place() {
    let (_fake, mut messages) = with_tasks(&[A, B], 32).await;
    let first = next(&mut messages).await;
    assert_eq!((id(&first), first.redelivered), (A, false));
    assert!(first.retry().await.unwrap());
    let first = next(&mut messages).await;
    assert_eq!((id(&first), first.redelivered), (A, true));
    drop(first);
    let first = next(&mut messages).await;
    assert_eq!((id(&first), first.redelivered), (A, true));
    assert!(first.reject().await.unwrap());
    let second = next(&mut messages).await;
    assert_eq!((id(&second), second.redelivered), (B, false));
    assert!(second.ack().await.unwrap());
    assert!(messages.try_next().now_or_never().is_none());
}

#[tokio::test]
async fn no_more_messages_come_than_may_be_unsettled() {
    let (_fake, mut messages) = with_tasks(&[A, B], 1).await;
    let first = next(&mut messages).await;
    assert!(messages.try_next().now_or_never().is_none());
    first.ack().await.unwrap();
    assert_eq!(id(&next(&mut messages).await), B);
}

#[tokio::test]
async fn a_named_queue_keeps_its_messages() {
    let (fake, mut messages) = with_tasks(&[A], 0).await;
    let unsettled = next(&mut messages).await;
    drop(messages);
    publish(&fake, &[B]).await;
    // What is held back stays so, though its listener is gone.
    let mut others = pending(&fake).listen().await.unwrap();
    let second = next(&mut others).await;
    assert_eq!(id(&second), B);
    assert!(others.try_next().now_or_never().is_none());
    drop(unsettled);
    assert_eq!(id(&next(&mut others).await), A);
}

#[tokio::test]
async fn a_listener_can_be_stopped() {
    let (_fake, mut messages) = with_tasks(&[A, B], 0).await;
    let unsettled = next(&mut messages).await;
    let stop = messages.stop_handle();
    stop.stop();
    assert!(messages.try_next().await.unwrap().is_none());
    let close = tokio::spawn(messages.close());
    tokio::task::yield_now().await;
    assert!(!close.is_finished(), "a message is unsettled");
    unsettled.ack().await.unwrap();
    timeout(HANGING, close).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_listener_ends_with_its_deployment() {
    let fake = Deployment::start().await.unwrap();
    let mut messages = pending(&fake).listen().await.unwrap();
    let listener = pending(&fake);
    drop(fake);
    let error = timeout(HANGING, messages.try_next()).await.unwrap().unwrap_err();
    assert_eq!(error.message(), "the embedded deployment has been dropped");
    assert!(messages.try_next().await.unwrap().is_none());
    let error = listener.listen().await.unwrap_err();
    assert_eq!(error.message(), "the embedded deployment has been dropped");
}
