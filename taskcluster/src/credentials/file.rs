//! Credentials in a file that other programs rewrite.

use std::error::Error as StdError;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tokio::time::sleep;
use tracing::warn;

use super::Credentials;
use super::provider::{CredentialsFuture, CredentialsProvider};
use crate::client::retry::Retry;
use crate::error::{Error, Result};

/// The maximum size of credentials in JSON, in bytes. A certificate with a thousand scopes has about 50 KB.
pub(super) const MAX_SIZE: usize = 256 * 1024;

/// Credentials in a file that another program rewrites, such as a mounted secret.
///
/// The file contains JSON as for [`Credentials::from_json`]. It is read for every attempt, so a change is seen at once. If it
/// cannot be read, or is not complete yet, the last credentials that were read are used until they expire. If there are none,
/// reading is tried again a few times in about a second.
///
/// ```
/// use taskcluster::{Client, CredentialsFile};
///
/// let client = Client::builder("https://tc.example.com")
///     .credentials_provider(CredentialsFile::new("/run/secrets/taskcluster.json"))
///     .build()?;
/// # Ok::<(), taskcluster::Error>(())
/// ```
///
/// The file may have 256 KiB. It should be on a local disk, because calls wait while it is read.
pub struct CredentialsFile {
    path: PathBuf,
    last: Mutex<Option<Credentials>>,
}

impl CredentialsFile {
    /// Reads credentials from this file, when they are needed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), last: Mutex::default() }
    }

    /// Returns the file's credentials, or the last ones if they are still good.
    fn now_or_last(&self) -> Result<Credentials> {
        let read = read(&self.path).and_then(|text| {
            let credentials = Credentials::from_json(&text);
            credentials.map_err(|error| wrong(&self.path, error))
        });
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(credentials) => Ok(last.insert(credentials).clone()),
            Err(error) => match last.as_ref().filter(|last| is_active(last)) {
                Some(last) => {
                    warn!("{error}; the last credentials are used");
                    Ok(last.clone())
                }
                None => Err(error),
            },
        }
    }
}

fn is_active(credentials: &Credentials) -> bool {
    credentials.information().is_ok_and(|information| information.is_active())
}

/// Reads a text file of limited size.
pub(super) fn read(path: &Path) -> Result<String> {
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    read_all(file).map_err(|error| unreadable(path, error))
}

/// Reads the rest of a text file, if its size is within the limit.
pub(super) fn read_all(file: File) -> io::Result<String> {
    let mut text = String::new();
    file.take(MAX_SIZE as u64 + 1).read_to_string(&mut text)?;
    if text.len() > MAX_SIZE {
        return Err(io::Error::other(format!("it is larger than {MAX_SIZE} bytes")));
    }
    Ok(text)
}

/// The error of a file that cannot be read.
pub(super) fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::file(format!("cannot read credentials from {}", path.display())).because(error)
}

/// The error of a file that contains something else.
pub(super) fn wrong(path: &Path, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::config(format!("{} does not contain credentials", path.display())).because(error)
}

impl CredentialsProvider for CredentialsFile {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async {
            for delay in Retry::default().max_retries(3).delays() {
                if let Ok(credentials) = self.now_or_last() {
                    return Ok(credentials);
                }
                sleep(delay).await;
            }
            Ok(self.now_or_last()?)
        })
    }
}

/// Shows the path.
impl fmt::Debug for CredentialsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsFile").field("path", &self.path).finish_non_exhaustive()
    }
}
