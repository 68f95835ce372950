//! An unfinished file, and a second one that says what it is a part of.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use super::encoding::Encoding;
use super::file::{check_name, failed, move_to};
use super::hashes::Expected;
use super::raw::Head;
use super::source::StorageType;
use crate::error::{Error, Result};
use crate::slugid;

/// The encoded bytes of content, which grow until they are whole.
///
/// It is never emptied, but removed and created again: whoever else has it open keeps what they have.
pub(crate) struct Part {
    path: PathBuf,
    about: PathBuf,
    destination: PathBuf,
    /// What it is a part of.
    source: String,
    /// Whether it stays if it is not finished.
    stays: bool,
}

impl Part {
    pub(crate) fn new(destination: &Path, source: String, stays: bool) -> Result<Self> {
        let mut name = OsString::from(check_name(destination)?);
        if !stays {
            name = OsString::from(".");
            name.push(slugid::v4());
        }
        name.push(".part");
        let path = destination.with_file_name(&name);
        name.push(".json");
        let about = destination.with_file_name(name);
        Ok(Self { path, about, destination: destination.to_owned(), source, stays })
    }

    pub(crate) fn destination(&self) -> &Path {
        &self.destination
    }

    /// What is there of an earlier attempt: the content, and how much of it.
    pub(crate) fn known(&self) -> Option<(Head, u64)> {
        let about: Value = serde_json::from_slice(&fs::read(&self.about).ok()?).ok()?;
        if about["source"] != self.source.as_str() {
            return None;
        }
        let text = |name: &str| about[name].as_str().map(str::to_owned);
        let total = about["total"].as_u64()?;
        let head = Head {
            content_type: text("contentType"),
            encoding: Encoding::named(about["encoding"].as_str()?).ok()?,
            storage: StorageType::of(about["storage"].as_str()),
            expected: Expected { sha256: text("sha256"), sha512: text("sha512") },
            total: Some(total),
            etag: text("etag").and_then(|etag| HeaderValue::try_from(etag).ok()),
        };
        // A link could lead to a file of somebody else.
        let metadata = fs::symlink_metadata(&self.path).ok().filter(fs::Metadata::is_file)?;
        let length = metadata.len();
        // The last byte is fetched again: with it, the server says that the content is still the same.
        let there =
            about["complete"].as_u64().unwrap_or(length).min(length).min(total.saturating_sub(1));
        let fits = head.can_be_continued() && length <= total && there > 0;
        fits.then_some((head, there))
    }

    /// Begins with the first byte.
    pub(crate) fn create(&self, head: &Head) -> Result<File> {
        self.forget();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&self.path)
            .map_err(|error| failed("create", &self.path, error))?;
        self.describe(head, None)?;
        Ok(file)
    }

    /// Opens what is there already.
    pub(crate) fn open(&self) -> Result<File> {
        let opened = OpenOptions::new().read(true).write(true).open(&self.path);
        opened.map_err(|error| self.failed("open", error))
    }

    /// Opens it once more, to write from this byte on: whoever else fills it with the same content does no harm.
    pub(crate) fn open_at(&self, start: u64) -> Result<File> {
        let mut file = self.open()?;
        file.seek(SeekFrom::Start(start)).map_err(|error| self.failed("write", error))?;
        Ok(file)
    }

    /// Notes what it is a part of, and how much of it is complete if there are holes.
    pub(crate) fn describe(&self, head: &Head, complete: Option<u64>) -> Result<()> {
        let about = json!({
            "source": self.source,
            "contentType": head.content_type,
            "encoding": head.encoding.name(),
            "storage": head.storage.name(),
            "sha256": head.expected.sha256,
            "sha512": head.expected.sha512,
            "total": head.total,
            "etag": head.etag.as_ref().and_then(|etag| etag.to_str().ok()),
            "complete": complete,
        });
        fs::write(&self.about, about.to_string())
            .map_err(|error| failed("write", &self.about, error))
    }

    /// Gives the file, which has this length and was written by this handle, the name of its destination.
    pub(crate) fn persist(&self, file: File, length: u64, overwrite: bool) -> Result<()> {
        let metadata = file.metadata().map_err(|error| self.failed("read", error))?;
        let there = fs::symlink_metadata(&self.path).map_err(|error| self.failed("read", error))?;
        if !is_same(&metadata, &there) || metadata.len() != length {
            return Err(self.changed());
        }
        // Closed first: some systems do not rename an open file.
        drop(file);
        move_to(&self.path, &self.destination, overwrite)?;
        self.forget();
        Ok(())
    }

    pub(crate) fn forget(&self) {
        // What is not there need not be removed; what cannot be is found to be of no use by the next attempt.
        let _ = fs::remove_file(&self.about);
        let _ = fs::remove_file(&self.path);
    }

    pub(crate) fn failed(&self, what: &str, error: io::Error) -> Error {
        failed(what, &self.path, error)
    }

    pub(crate) fn changed(&self) -> Error {
        Error::file(format!("another program changed {}", self.path.display()))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.stays {
            self.forget();
        }
    }
}

/// Whether a path still leads to a file that is open.
#[cfg(unix)]
fn is_same(open: &fs::Metadata, there: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    (open.dev(), open.ino()) == (there.dev(), there.ino())
}

/// Other systems do not say which file it is.
#[cfg(not(unix))]
fn is_same(open: &fs::Metadata, there: &fs::Metadata) -> bool {
    open.len() == there.len()
}
