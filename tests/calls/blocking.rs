//! Programs without an asynchronous runtime, and the refusal to block those with one.

use taskcluster::testing::Deployment;
use taskcluster::{Auth, ErrorKind, Queue};

#[test]
fn a_plain_program_calls_and_lists() {
    let deployment = Deployment::start_blocking().unwrap();
    for i in 0..7 {
        deployment.client(format!("client-{i}"), "no-secret", ["*"]);
    }
    let auth = Auth::new(&deployment.connect("client-0").unwrap());
    assert_eq!(auth.ping().send_blocking().unwrap()["alive"], true);
    let clients: Result<Vec<_>, _> = auth.list_clients().limit(3).items_blocking().collect();
    let names: Vec<_> = clients.unwrap().iter().map(|c| c.client_id.clone()).collect();
    assert_eq!(names, (0..7).map(|i| format!("client-{i}")).collect::<Vec<_>>());
    assert_eq!(auth.list_clients().limit(3).pages_blocking().count(), 3);
    let named = deployment.connect("client-1").unwrap().call(&Auth::REFERENCE, "ping").unwrap();
    assert_eq!(named.send_blocking().unwrap()["alive"], true);
}

#[test]
fn threads_share_a_client() {
    let deployment = Deployment::start_blocking().unwrap();
    deployment.client("tester", "no-secret", ["*"]);
    let auth = Auth::new(&deployment.connect("tester").unwrap());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    auth.current_scopes().send_blocking().unwrap();
                }
            });
        }
    });
    assert_eq!(deployment.calls().len(), 40);
}

#[tokio::test]
async fn blocking_in_an_async_program_is_an_error_and_sends_nothing() {
    let deployment = Deployment::start().await.unwrap();
    let client = deployment.anonymous().unwrap();
    let error = Queue::new(&client).ping().send_blocking().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocking);
    let mut items = Auth::new(&client).list_clients().items_blocking();
    assert_eq!(items.next().unwrap().unwrap_err().kind(), ErrorKind::Blocking);
    assert!(items.next().is_none());
    assert!(deployment.calls().is_empty());
}
