//! The log of a task: kept here while the task runs, uploaded at its end.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;

use crate::artifacts::{Upload, UploadBuilder};
use crate::error::{Error, Result};
use crate::{private_file, slugid};

/// How much is kept in memory before it goes to a file.
const IN_MEMORY: usize = 64 * 1024;

/// The log of one task.
#[derive(Clone)]
pub(super) struct Log {
    state: Arc<Mutex<State>>,
    limit: u64,
}

#[derive(Default)]
struct State {
    /// What is not in the file yet.
    memory: Vec<u8>,
    file: Option<Spool>,
    /// How many bytes there are in all.
    length: u64,
    is_cut: bool,
    is_closed: bool,
}

impl Log {
    /// Creates an empty log that takes so many bytes.
    pub(super) fn new(limit: u64) -> Self {
        Self { state: Arc::default(), limit }
    }

    /// Adds text. What exceeds the limit is left out, and the end of the log says so.
    pub(super) async fn write(&self, text: &[u8]) -> Result<()> {
        let mut state = self.state.clone().lock_owned().await;
        if state.is_closed {
            return Err(Error::input("the log of this task is closed: the task has ended"));
        }
        let room = usize::try_from(self.limit - state.length).unwrap_or(usize::MAX);
        let kept = &text[..text.len().min(room)];
        state.is_cut |= kept.len() < text.len();
        state.length += kept.len() as u64;
        state.memory.extend_from_slice(kept);
        match state.memory.len() {
            0..IN_MEMORY => Ok(()),
            _ => spill(state).await,
        }
    }

    /// Closes the log and returns its upload, or `None` if nothing was logged.
    pub(super) async fn close(&self, upload: UploadBuilder) -> Result<Option<Upload>> {
        let mut state = self.state.clone().lock_owned().await;
        if state.length == 0 || state.is_closed {
            state.is_closed = true;
            return Ok(None);
        }
        if state.is_cut {
            let end =
                format!("\n[the log is cut off here: it is limited to {} bytes]\n", self.limit);
            state.memory.extend_from_slice(end.as_bytes());
        }
        state.is_closed = true;
        let Some(path) = state.file.as_ref().map(|file| file.path.clone()) else {
            return Ok(Some(upload.bytes(std::mem::take(&mut state.memory))));
        };
        spill(state).await?;
        Ok(Some(upload.file(path)))
    }
}

/// Moves what is in memory to the file. It is complete even if nobody waits for it.
async fn spill(mut state: OwnedMutexGuard<State>) -> Result<()> {
    let written = spawn_blocking(move || {
        let file = match state.file.take() {
            Some(file) => file,
            None => Spool::create()?,
        };
        let text = std::mem::take(&mut state.memory);
        let written = (&file.file).write_all(&text);
        state.file = Some(file);
        written
    });
    let written = written.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    written.map_err(|error| Error::file("the log of the task cannot be written").because(error))
}

/// A temporary file, which is removed in the end.
struct Spool {
    file: File,
    path: PathBuf,
}

impl Spool {
    /// Creates one that only this user can read.
    fn create() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("taskcluster-{}.log", slugid::v4()));
        let file = private_file::create(&path)?;
        Ok(Self { file, path })
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // It is in the folder of temporary files.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_long_log_is_in_a_file_of_its_own_that_goes_with_it() {
        let log = Log::new(1_000_000);
        log.write(&[b'x'; IN_MEMORY - 1]).await.unwrap();
        assert!(log.state.lock().await.file.is_none());
        log.write(b"y").await.unwrap();
        let path = log.state.lock().await.file.as_ref().unwrap().path.clone();
        let metadata = path.metadata().unwrap();
        assert_eq!(metadata.len(), IN_MEMORY as u64);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777, 0o600);
        let clone = log.clone();
        drop(log);
        assert!(path.exists());
        drop(clone);
        assert!(!path.exists());
    }
}
