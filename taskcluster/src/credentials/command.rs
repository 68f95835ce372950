//! Credentials that a command prints.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::AsyncReadExt as _;
use tokio::process::Command as AsyncCommand;

use super::Credentials;
use super::file::MAX_SIZE;
use super::refreshing::RefreshingCredentials;
use crate::error::{Error, Result};

impl RefreshingCredentials {
    /// Runs a command to get credentials (feature `command`). It prints them to its standard output, as JSON for
    /// [`Credentials::from_json`] of at most 256 KiB, and exits with status 0.
    ///
    /// Its standard input is empty, and what it writes to standard error is dropped: it may contain secrets. It is killed if it
    /// takes longer than [`timeout`](Self::timeout). The errors of calls tell its exit status, and nothing that it printed.
    ///
    /// ```
    /// use std::process::Command;
    /// use taskcluster::{Client, RefreshingCredentials};
    ///
    /// let mut command = Command::new("vault");
    /// command.args(["kv", "get", "-format=json", "-field=data", "secret/taskcluster"]);
    /// let client = Client::builder("https://tc.example.com")
    ///     .credentials_provider(RefreshingCredentials::from_command(command))
    ///     .build()?;
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    #[must_use]
    pub fn from_command(command: Command) -> Self {
        let mut command = AsyncCommand::from(command);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let command = Arc::new(Mutex::new(command));
        Self::new(move || run(command.clone()))
    }
}

async fn run(command: Arc<Mutex<AsyncCommand>>) -> Result<Credentials> {
    let started = command.lock().unwrap_or_else(PoisonError::into_inner).spawn();
    let failed = |what: &str| Error::config(format!("the command for credentials {what}"));
    let mut child = started.map_err(|error| failed("cannot be run").because(error))?;
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let mut limited = stdout.take(MAX_SIZE as u64 + 1);
        let read = limited.read_to_end(&mut output).await;
        read.map_err(|error| failed("cannot be read from").because(error))?;
    }
    if output.len() > MAX_SIZE {
        return Err(failed(&format!("printed more than {MAX_SIZE} bytes")));
    }
    let status = child.wait().await.map_err(|error| failed("was lost").because(error))?;
    if !status.success() {
        return Err(failed(&format!("failed: {status}")));
    }
    // Neither this error nor that of the JSON quotes the output.
    let output = str::from_utf8(&output).map_err(|_| failed("did not print text"))?;
    Credentials::from_json(output)
}
