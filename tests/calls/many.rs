//! Many calls at once: how many are in flight, in what order the results are, and what an error does.

use std::cell::Cell;
use std::future::{Future, IntoFuture as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::json;
use taskcluster::testing::{Deployment, Fault};
use taskcluster::{Error, ErrorKind, Queue, Secrets, SendAll as _, StatusCode, secrets::Secret};

/// A deployment with this many secrets, each with its number as its value.
async fn numbered(count: usize) -> (Deployment, Secrets) {
    let fake = Deployment::start().await.unwrap();
    let secrets = Secrets::new(&fake.connect_as("tester", ["secrets:*"]).unwrap());
    let expires = taskcluster::from_now("1 hour").unwrap();
    let create = (0..count).map(|n| secrets.set(n, &Secret::new(json!({"n": n}), expires)));
    create.send_all(8).await.unwrap();
    fake.clear_calls();
    (fake, secrets)
}

fn number(secret: &Secret) -> usize {
    secret.secret.decode::<serde_json::Value>().unwrap()["n"].as_u64().unwrap() as usize
}

/// How many futures are under way, and how many were at most.
#[derive(Clone, Default)]
struct Gauge(Arc<[AtomicUsize; 3]>);

/// One future under way, however it ends.
struct Underway(Gauge);

impl Gauge {
    fn enter(&self) -> Underway {
        self.0[2].fetch_add(1, Ordering::SeqCst);
        self.0[1].fetch_max(self.0[0].fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Underway(self.clone())
    }

    fn now(&self) -> usize {
        self.0[0].load(Ordering::SeqCst)
    }

    fn most(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }

    fn ever(&self) -> usize {
        self.0[2].load(Ordering::SeqCst)
    }

    async fn watch<F: Future>(&self, future: F) -> F::Output {
        let _underway = self.enter();
        future.await
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.0[0].fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn as_many_as_allowed_are_in_flight_and_the_results_are_in_order() {
    let (fake, secrets) = numbered(40).await;
    // The first answer is the last to come.
    let slow = Fault::Delay(Duration::from_millis(300));
    fake.on(Secrets::REFERENCE.endpoint("get")).times(1).fault(slow);
    for (at_once, most) in [(7, 7), (1, 1), (0, 1), (1000, 40)] {
        let gauge = Gauge::default();
        let calls = (0..40).map(|n| gauge.watch(secrets.get(n).send()));
        let answers = calls.send_all(at_once).await.unwrap();
        assert!(answers.iter().map(number).eq(0..40), "{at_once}");
        assert_eq!((gauge.most(), gauge.now()), (most, 0), "{at_once}");
    }
    assert_eq!(fake.calls().len(), 4 * 40);
}

#[tokio::test]
async fn no_more_calls_reach_the_service_than_are_allowed() {
    let (fake, secrets) = numbered(20).await;
    fake.on(Secrets::REFERENCE.endpoint("get")).fault(Fault::Stall(0));
    let taken = Cell::new(0);
    let calls = (0..20).map(|n| {
        taken.set(taken.get() + 1);
        secrets.get(n)
    });
    let mut sending = calls.send_all(3);
    assert_eq!(taken.get(), 0, "nothing is taken before it is awaited");
    // None is answered, so the first three are all.
    tokio::select! {
        _ = &mut sending => panic!("no call is answered"),
        calls = fake.wait_for_calls("secrets.get", 3) => calls.unwrap(),
    };
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut sending).await.is_err());
    assert_eq!((fake.calls().len(), taken.get()), (3, 3));
}

#[tokio::test]
async fn the_first_error_ends_the_others() {
    let (fake, secrets) = numbered(20).await;
    // All calls hang but one that is not even sent: secrets have names.
    fake.on(Secrets::REFERENCE.endpoint("get")).fault(Fault::Stall(0));
    let gauge = Gauge::default();
    let names = ["0", "1", "2", "3", ""].into_iter().chain(["5"; 15]);
    let calls = names.map(|name| gauge.watch(secrets.get(name).send()));
    let error = calls.send_all(5).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!((gauge.ever(), gauge.now()), (5, 0), "the others are cancelled, the rest not begun");
}

#[tokio::test]
async fn all_results_in_order_or_as_they_come() {
    let (fake, secrets) = numbered(6).await;
    let names = ["0", "unknown", "2", "nothing", "4"];
    let results = names.map(|name| secrets.get(name)).send_all(2).results().await;
    let shown = |result: &Result<Secret, Error>| match result {
        Ok(secret) => Ok(number(secret)),
        Err(error) => Err(error.status().unwrap().as_u16()),
    };
    let shown: Vec<_> = results.iter().map(shown).collect();
    assert_eq!(shown, [Ok(0), Err(404), Ok(2), Err(404), Ok(4)]);

    // One of the first two calls hangs; the others come in their order, each with its place.
    fake.on(Secrets::REFERENCE.endpoint("get")).times(1).fault(Fault::Stall(0));
    let mut results = (0..4).map(|n| secrets.get(n)).send_all(2).as_completed();
    let mut places = Vec::new();
    for _ in 1..4 {
        let (place, secret) = results.next().await.unwrap();
        assert_eq!(number(&secret.unwrap()), place);
        places.push(place);
    }
    assert!(places == [0, 2, 3] || places == [1, 2, 3], "{places:?}");
}

#[test]
fn programs_without_a_runtime_can_do_it_too() {
    let fake = Deployment::start_blocking().unwrap();
    let queue = Queue::new(&fake.anonymous().unwrap());
    let pongs = [queue.ping(), queue.ping(), queue.ping()].send_all_blocking(2).unwrap();
    assert!(pongs.iter().all(|pong| pong["alive"] == true));
    assert_eq!(fake.calls().len(), 3);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let error = runtime.block_on(async { [queue.ping()].send_all_blocking(2) }).unwrap_err();
    assert_eq!(error.kind(), taskcluster::ErrorKind::Blocking);
    assert_eq!(fake.calls().len(), 3, "nothing was sent");
}

#[tokio::test]
async fn a_call_is_a_future_for_whoever_asks_for_one() {
    let (fake, secrets) = numbered(8).await;
    let spawned = tokio::spawn(secrets.get(0).send());
    let typed = tokio::spawn(secrets.get(1).send_as::<Secret>());
    let raw = tokio::spawn(secrets.get(2).send_raw());
    let (joined, third) = tokio::try_join!(secrets.get(3), secrets.list()).unwrap();
    let fourth = tokio::select! { answer = secrets.get(4) => answer.unwrap() };
    let patient = tokio::time::timeout(Duration::from_secs(20), secrets.get(5).into_future());
    assert_eq!(number(&spawned.await.unwrap().unwrap()), 0);
    assert_eq!(number(&typed.await.unwrap().unwrap()), 1);
    assert_eq!(raw.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!((number(&joined), third.secrets.len(), number(&fourth)), (3, 8, 4));
    assert_eq!(number(&patient.await.unwrap().unwrap()), 5);
    let all = futures::future::join_all((0..8).map(|n| secrets.get(n).send())).await;
    assert!(all.into_iter().map(|secret| number(&secret.unwrap())).eq(0..8));
    assert_eq!(fake.calls().len(), 7 + 8);
}

#[tokio::test]
async fn a_clone_of_a_call_can_be_sent_as_well() {
    let fake = Deployment::start().await.unwrap();
    let secrets = Secrets::new(&fake.connect_as("tester", ["secrets:*"]).unwrap());
    let expires = taskcluster::from_now("1 hour").unwrap();
    let call = secrets.set("x", &Secret::new(json!({"n": 1}), expires));
    call.clone().await.unwrap();
    call.await.unwrap();
    let calls = fake.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].payload, calls[1].payload);
}
