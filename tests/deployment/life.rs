//! The deployment itself: when it begins and ends, and who can use it.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use taskcluster::testing::{Deployment, Fault};
use taskcluster::{Auth, Queue, Retry, Secrets, StatusCode};

use crate::deployment::{deployment, secret};
use crate::support::typed;

#[tokio::test]
async fn two_deployments_know_nothing_of_each_other() {
    let (one, two) = (deployment().await, deployment().await);
    assert_ne!(one.root_url(), two.root_url());
    let (first, second) = (
        Secrets::new(&one.connect("tester").unwrap()),
        Secrets::new(&two.connect("tester").unwrap()),
    );
    first.set("x", &typed(secret())).await.unwrap();
    assert_eq!(second.get("x").await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
    first.get("x").await.unwrap();
    assert_eq!((one.calls().len(), two.calls().len()), (2, 1));
}

#[tokio::test]
async fn a_deployment_is_gone_with_its_last_handle() {
    let fake = deployment().await;
    let address = fake.root_url().strip_prefix("http://").unwrap().to_owned();
    let tc = fake.connect("tester").unwrap();
    let clone = fake.clone();
    drop(fake);
    Auth::new(&tc).current_scopes().await.unwrap();
    drop(clone);
    assert!(TcpStream::connect(&address).is_err());
    // Nobody holds the port any more.
    std::net::TcpListener::bind(&address).unwrap();
    let error = Auth::new(&tc).ping().await.unwrap_err();
    assert!(error.is_transport(), "{error}");
}

#[tokio::test]
async fn a_deployment_ends_in_the_middle_of_a_call() {
    let fake = deployment().await;
    fake.on(Auth::REFERENCE.endpoint("ping")).fault(Fault::Delay(Duration::from_secs(86_400)));
    let tc = fake.builder().unwrap().retry(Retry::never()).build().unwrap();
    let call = tokio::spawn(async move { Auth::new(&tc).ping().await });
    assert_eq!(fake.wait_for_calls("auth.ping", 1).await.unwrap()[0].status, None);
    drop(fake);
    let error = call.await.unwrap().unwrap_err();
    assert!(error.is_transport() && !error.is_timeout(), "{error}");
}

#[test]
fn a_blocking_program_can_use_it() {
    let fake = Deployment::start_blocking().unwrap();
    fake.client("tester", "no-secret", ["*"]);
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    for name in ["a", "b", "c"] {
        secrets.set(name, &typed(secret())).send_blocking().unwrap();
    }
    let names: Vec<Value> =
        secrets.list().limit(1).items_as_blocking().collect::<Result<_, _>>().unwrap();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn many_threads_can_use_it() {
    let fake = Deployment::start_blocking().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let queue = Queue::new(&fake.anonymous().unwrap());
                runtime.block_on(async {
                    for _ in 0..10 {
                        queue.ping().await.unwrap();
                    }
                });
            });
        }
    });
    assert_eq!(fake.calls().len(), 80);
}
