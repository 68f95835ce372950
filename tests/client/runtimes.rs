//! One client in several runtimes, and on both sides of a `fork`.

use futures::FutureExt as _;
use taskcluster::testing::Deployment;
use taskcluster::{Client, ErrorKind, Queue, Retry, http_client_builder};
use tokio::runtime::{Builder, Runtime};

/// A runtime that stands still except within `block_on`.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// What waits for a connection that nobody drives ends with an error, since there is no second attempt.
fn once(deployment: &Deployment) -> taskcluster::ClientBuilder {
    deployment.builder().unwrap().retry(Retry::never())
}

#[test]
fn no_call_waits_for_a_runtime_that_stands_still() {
    let deployment = Deployment::start_blocking().unwrap();
    let client = once(&deployment).build().unwrap();
    let (queue, derived) = (Queue::new(&client), Queue::new(&client.without_credentials()));
    let (first, second) = (runtime(), runtime());
    for _ in 0..3 {
        first.block_on(queue.ping().send()).unwrap();
        second.block_on(queue.ping().send()).unwrap();
        queue.ping().send_blocking().unwrap();
        second.block_on(derived.ping().send()).unwrap();
    }
    drop(first);
    runtime().block_on(queue.ping().send()).unwrap();
}

#[test]
fn runtimes_share_a_given_http_client_one_after_the_other_only() {
    let deployment = Deployment::start_blocking().unwrap();
    let http = http_client_builder().unwrap().no_proxy().build().unwrap();
    let queue = Queue::new(&once(&deployment).http_client(http).build().unwrap());
    let (first, second) = (runtime(), runtime());
    first.block_on(queue.ping().send()).unwrap();
    for error in [
        second.block_on(queue.ping().send()).unwrap_err(),
        queue.ping().send_blocking().unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Config, 1), "{error}");
        assert!(error.message().contains("in use by another runtime"), "{error}");
    }
    first.block_on(queue.ping().send()).unwrap();
    drop(first);
    second.block_on(queue.ping().send()).unwrap();
    assert_eq!(deployment.calls().len(), 3);
}

#[test]
fn settings_apply_in_every_runtime_and_add_up() {
    let deployment = Deployment::start_blocking().unwrap();
    let settings = once(&deployment)
        .configure_http(|http| http.user_agent("my-bot/7"))
        .configure_http(|http| http.referer(false));
    let queue = Queue::new(&settings.build().unwrap());
    runtime().block_on(queue.ping().send()).unwrap();
    queue.ping().send_blocking().unwrap();
    let agents: Vec<_> =
        deployment.calls().iter().map(|call| call.headers["user-agent"].clone()).collect();
    assert_eq!(agents, ["my-bot/7", "my-bot/7"]);

    let wrong = once(&deployment).configure_http(|http| http.user_agent("my\nbot")).build();
    let error = Queue::new(&wrong.unwrap()).ping().send_blocking().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("cannot set up the HTTP client"), "{error}");
}

#[test]
fn a_call_outside_a_runtime_is_an_error() {
    let client = Client::builder("http://127.0.0.1:9").build().unwrap();
    let error = Queue::new(&client).ping().send().now_or_never().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("outside a tokio runtime"), "{error}");
}

#[cfg(unix)]
mod forks {
    use std::collections::HashSet;
    use std::process::exit;
    use std::thread;

    use fork::Fork;
    use taskcluster::Auth;
    use taskcluster::testing::Signature;

    use super::*;
    use crate::support::broker::HANGING;
    use crate::support::process;

    #[test]
    fn the_child_of_a_fork_calls_too() {
        process::run(concat!(module_path!(), "::calls_before_and_after"), &[]);
    }

    #[test]
    #[ignore = "run by the test above, in a process that may fork"]
    fn calls_before_and_after() {
        let deployment = Deployment::start_blocking().unwrap();
        let client = deployment.connect_as("tester", ["*"]).unwrap();
        let auth = Auth::new(&client);
        auth.current_scopes().send_blocking().unwrap();
        match fork::fork().unwrap() {
            Fork::Child => {
                thread::spawn(|| {
                    thread::sleep(HANGING);
                    exit(2);
                });
                let blocking = auth.current_scopes().send_blocking();
                let asynchronous = runtime().block_on(auth.current_scopes().send());
                if let Some(error) = blocking.and(asynchronous).err() {
                    eprintln!("in the child: {error}");
                    exit(1);
                }
                exit(0);
            }
            Fork::Parent(child) => {
                assert_eq!(fork::waitpid(child).unwrap(), 0);
                auth.current_scopes().send_blocking().unwrap();
            }
        }
        let calls = deployment.calls();
        assert_eq!(calls.len(), 4);
        // A service may refuse a nonce that it has seen.
        let nonces: HashSet<_> = calls
            .iter()
            .map(|call| match &call.signature {
                Some(Signature::Header { nonce, .. }) => nonce,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(nonces.len(), 4, "{nonces:?}");
    }
}
