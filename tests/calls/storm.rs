//! Many calls through everything that can go wrong: each gets its own answer or an error, and nothing is left behind.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use taskcluster::{Client, Credentials, Queue, Result, Retry};

use crate::support::hostile::{self, FAULTS, Outcome, SLOW, task_id};
use crate::support::process;

const CALLS: usize = 20_000;

/// How many calls are in flight.
const AT_ONCE: usize = 100;

/// How much the memory of the second half of the calls may exceed that of the first, in bytes. With 1 KB of leak a call it
/// would be 10 MB.
const GROWTH: usize = 6 << 20;

async fn hostile_queue() -> Queue {
    let retry = Retry::default().first_delay(Duration::from_millis(1)).max_retries(8);
    let client = Client::builder(hostile::start().await)
        .credentials(Credentials::new("tester", "no-secret"))
        .max_body(1 << 20)
        .timeout(Duration::from_secs(2))
        .retry(retry.max_delay(Duration::from_millis(50)))
        .build()
        .unwrap();
    Queue::new(&client)
}

/// What is wrong with the result of a call.
fn wrong(fault: usize, number: usize, result: &Result<Value>) -> Option<String> {
    let fault = &FAULTS[fault];
    let right = match (result, fault.outcome) {
        (Ok(value), Outcome::Own) => value["number"] == number,
        (Err(error), Outcome::Error(kind)) => error.kind() == kind,
        _ => false,
    };
    (!right).then(|| format!("{number}, {}: {result:?}", fault.name))
}

#[test]
fn in_a_storm_each_call_gets_its_own_answer_or_an_error_and_memory_stays_flat() {
    // In a process of its own, since it is about the memory of a process.
    print!("{}", process::run(concat!(module_path!(), "::storm"), &[]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above"]
async fn storm() {
    let queue = hostile_queue().await;
    let (mut memory, mut done) = (Vec::new(), 0);
    let mut results = stream::iter(1..=CALLS)
        .map(|number| {
            let fault = match number % 100 {
                0 => FAULTS.len() - 1 - number / 100 % SLOW,
                _ => number % (FAULTS.len() - SLOW),
            };
            let call = queue.status(task_id(fault, number));
            tokio::spawn(async move { (fault, number, call.send_as().await) })
        })
        .buffer_unordered(AT_ONCE);
    let mut faults = Vec::new();
    while let Some(result) = results.next().await {
        let (fault, number, result) = result.unwrap();
        faults.extend(wrong(fault, number, &result));
        done += 1;
        if done % (CALLS / 10) == 0 {
            memory.extend(resident());
        }
    }
    println!(
        "{done} calls, {} wrong; memory in KiB: {:?}",
        faults.len(),
        memory.iter().map(|bytes| bytes / 1024).collect::<Vec<_>>()
    );
    assert!(
        faults.is_empty(),
        "{} wrong results: {:#?}",
        faults.len(),
        &faults[..faults.len().min(10)]
    );
    // At rest, that is: calls in flight come and go.
    let (first, second) = memory.split_at(memory.len() / 2);
    if let (Some(first), Some(second)) = (first.iter().min(), second.iter().min()) {
        assert!(*second < first + GROWTH, "{memory:?}");
    }
}

/// The memory of this process, where the system tells.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[tokio::test]
async fn a_call_can_be_dropped_at_any_moment() {
    let queue = hostile_queue().await;
    let mut number = 0;
    for (fault, name) in FAULTS[..FAULTS.len() - SLOW].iter().map(|fault| fault.name).enumerate() {
        for polls in 0.. {
            number += 3;
            let call = queue.status(task_id(fault, number));
            let sent = polled(call.send_as::<Value>(), polls).await;
            if let Some(result) = &sent {
                assert_eq!(wrong(fault, number, result), None);
            }
            let call = queue.status(task_id(fault, number + 1));
            let raw = polled(call.send_raw(), polls).await;
            let call = queue.list_artifacts(task_id(fault, number + 2), 0);
            let listed = polled(call.items_as::<usize>().try_next(), polls).await;
            if let Some(Ok(item)) = &listed {
                assert_eq!(*item, Some(number + 2), "{name}");
            }
            // The next call does not notice.
            number += 3;
            let next = queue.status(task_id(0, number)).send_as().await;
            assert_eq!(wrong(0, number, &next), None, "after {polls} polls of {name}");
            if sent.is_some() && raw.is_some() && listed.is_some() {
                assert!(polls > 1, "a call waits at least once");
                break;
            }
        }
    }
}

/// The future's output if it needs no more than so many polls; otherwise it is dropped.
async fn polled<F: Future>(future: F, mut polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| {
        let Some(left) = polls.checked_sub(1) else { return Poll::Ready(None) };
        polls = left;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
