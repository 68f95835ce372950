//! Much at once, and things that are no calls: nothing panics, answers stay right, and memory goes back.

mod clock;
mod connections;
mod deployments;
mod garbage;

use std::io;

use taskcluster::testing::Deployment;
use taskcluster::{Auth, Client, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How much more memory a process may have after the last round than after the second one, in bytes.
const GROWTH: usize = 8 << 20;

/// The address of a deployment.
fn address(fake: &Deployment) -> &str {
    fake.root_url().strip_prefix("http://").unwrap()
}

/// Sends bytes on a connection of their own, and nothing more if these are all, and returns what comes until the connection
/// ends.
async fn exchange(fake: &Deployment, bytes: &[u8], are_all: bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(address(fake)).await.unwrap();
    let mut answer = Vec::new();
    // The deployment may have had enough before everything is sent, and may reset the connection.
    if stream.write_all(bytes).await.is_ok() && are_all {
        let _ = stream.shutdown().await;
    }
    let _: io::Result<usize> = stream.read_to_end(&mut answer).await;
    answer
}

/// Asserts that a caller is answered as if nothing had been.
async fn assert_sound(fake: &Deployment, tc: &Client) {
    let auth = Auth::new(tc);
    assert_eq!(auth.current_scopes().await.unwrap().scopes, ["*"]);
    let error = auth.client("nobody").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND), "{error}");
    assert!(fake.calls().len() >= 2);
}

/// The memory and the threads of this process, where the system tells.
fn resident() -> Option<(usize, usize)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<usize>().ok()
    };
    Some((number("VmRSS:")? * 1024, number("Threads:")?))
}

/// Asserts that memory and threads after the last round are about those after the second one; in the first one, things are
/// set up that stay.
fn assert_flat(rounds: &[Option<(usize, usize)>]) {
    let known: Vec<_> = rounds.iter().flatten().collect();
    println!(
        "memory in KiB and threads: {:?}",
        known.iter().map(|(memory, threads)| (memory / 1024, threads)).collect::<Vec<_>>()
    );
    if let [_, second, .., last] = known.as_slice() {
        assert!(last.0 < second.0 + GROWTH, "{known:?}");
        assert!(last.1 <= second.1, "{known:?}");
    }
}
