use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::json;
use taskcluster::dates::to_json;
use taskcluster::testing::Deployment;
use taskcluster::{Client, Queue, Secrets, slugid};

use super::{assert_flat, resident};
use crate::deployment::{task_of, with};
use crate::support::{process, typed};

const DEPLOYMENTS: usize = 50;

/// How often they are started and dropped.
const ROUNDS: usize = 4;

#[test]
fn fifty_in_one_process_do_not_know_each_other_and_leave_nothing_behind() {
    // In a process of its own, since it is about the memory and the threads of a process.
    print!("{}", process::run(concat!(module_path!(), "::fifty"), &[]));
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn fifty() {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        round().await;
        rounds.push(resident());
    }
    assert_flat(&rounds);
}

async fn round() {
    let mut all = Vec::new();
    for _ in 0..DEPLOYMENTS {
        let fake = Deployment::start().await.unwrap();
        let tc = fake.connect_as("tester", ["*"]).unwrap();
        all.push((fake, tc));
    }
    let id = slugid::nice();
    join_all(all.iter().enumerate().map(|(i, (fake, tc))| write(fake, tc, &id, i))).await;
    join_all(all.iter().enumerate().map(|(i, (_, tc))| read(tc, &id, i))).await;
    for (fake, _) in &all {
        assert_eq!(fake.calls().len(), 5);
    }
}

/// Stores something in each under the same name.
async fn write(fake: &Deployment, tc: &Client, id: &str, i: usize) {
    let expires = to_json(fake.now() + TimeDelta::hours(1));
    let secret = json!({"secret": {"number": i}, "expires": expires});
    Secrets::new(tc).set("x", &typed(secret)).await.unwrap();
    let task = with(task_of(fake.now()), json!({"payload": {"number": i}}));
    let create = tc.call(&Queue::REFERENCE, "createTask").unwrap().param("taskId", id);
    create.payload(task).await.unwrap();
}

async fn read(tc: &Client, id: &str, i: usize) {
    let secret: serde_json::Value = Secrets::new(tc).get("x").send_as().await.unwrap();
    assert_eq!(secret["secret"]["number"], i);
    let task: serde_json::Value = Queue::new(tc).task(id).send_as().await.unwrap();
    assert_eq!(task["payload"]["number"], i);
    Queue::new(tc).status(id).await.unwrap();
}
