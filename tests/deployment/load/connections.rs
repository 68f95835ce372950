use futures::{StreamExt as _, stream};
use taskcluster::testing::Deployment;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{address, assert_flat, assert_sound, resident};
use crate::support::process;

const CONNECTIONS: usize = 10_000;

/// How many connections are made at the same time.
const AT_ONCE: usize = 200;

/// The file descriptors that a process needs beside its connections.
const OTHERS: usize = 300;

#[test]
fn ten_thousand_are_answered_and_forgotten() {
    // In a process of its own, since it needs most of the file descriptors that a process may have.
    print!("{}", process::run(concat!(module_path!(), "::ten_thousand"), &[]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above"]
async fn ten_thousand() {
    let fake = Deployment::start().await.unwrap();
    let tc = fake.connect_as("tester", ["*"]).unwrap();
    // Both ends of a connection are in this process.
    let most = (descriptors().unwrap_or(1024).saturating_sub(OTHERS) / 2).min(CONNECTIONS);
    if most < CONNECTIONS {
        println!(
            "This process may have {most} connections at once: {CONNECTIONS} come in batches."
        );
    }
    let mut rounds = Vec::new();
    // What the first round leaves behind, the others use again.
    for connections in [CONNECTIONS, 1000, 1000, 1000, 1000, 1000] {
        let mut left = connections;
        while left > 0 {
            let batch = most.min(left);
            let open: Vec<_> = stream::iter(0..batch)
                .map(|_| connect(&fake))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            // All are open now, and each is answered once more.
            let done = stream::iter(open).map(ask).buffer_unordered(AT_ONCE).count().await;
            assert_eq!(done, batch);
            left -= batch;
        }
        assert_eq!(fake.calls().len(), 2 * connections);
        assert_sound(&fake, &tc).await;
        fake.clear_calls();
        rounds.push(resident());
    }
    assert_flat(&rounds);
}

/// How many file descriptors this process may have.
fn descriptors() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

async fn connect(fake: &Deployment) -> TcpStream {
    let stream = TcpStream::connect(address(fake)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    ask(stream).await
}

/// Asks for the ping of the queue, and reads the answer to its end.
async fn ask(mut stream: TcpStream) -> TcpStream {
    let request = b"GET /api/queue/v1/ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the connection was closed");
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", answer.escape_ascii());
    stream
}
