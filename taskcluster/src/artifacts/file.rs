//! Files that appear whole or not at all.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::{private_file, slugid};

/// A file under a temporary name beside its destination. Dropping it removes it.
pub(crate) struct TemporaryFile {
    file: Option<File>,
    path: PathBuf,
    destination: PathBuf,
}

impl TemporaryFile {
    /// Creates one with the permissions that the umask gives.
    pub(crate) fn create(destination: &Path) -> Result<Self> {
        Self::create_by(destination, |path| File::create_new(path))
    }

    /// Creates one that nobody else may read, for folders that others use too.
    pub(crate) fn create_private(destination: &Path) -> Result<Self> {
        Self::create_by(destination, private_file::create)
    }

    fn create_by(
        destination: &Path,
        create: impl FnOnce(&Path) -> io::Result<File>,
    ) -> Result<Self> {
        check_name(destination)?;
        // The destination's name may be as long as a name can be.
        let path = destination.with_file_name(format!(".taskcluster-{}", slugid::v4()));
        let file =
            create(&path).map_err(|error| failed("create a file beside", destination, error))?;
        Ok(Self { file: Some(file), path, destination: destination.to_owned() })
    }

    /// Gives the file its name. Without `overwrite`, a file of that name stays and is an error.
    pub(crate) fn persist(mut self, overwrite: bool) -> Result<()> {
        // Closed first: some systems do not rename an open file.
        drop(self.file.take());
        move_to(&self.path, &self.destination, overwrite)
    }
}

impl Write for TemporaryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        file.write(bytes).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", self.destination.display()))
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        drop(self.file.take());
        // After a rename it is not there any more.
        let _ = fs::remove_file(&self.path);
    }
}

/// The name of a file at this path.
pub(crate) fn check_name(path: &Path) -> Result<&OsStr> {
    path.file_name()
        .ok_or_else(|| Error::file(format!("{} is not the path of a file", path.display())))
}

/// Moves a finished file to its destination.
pub(crate) fn move_to(from: &Path, to: &Path, overwrite: bool) -> Result<()> {
    if overwrite {
        return fs::rename(from, to).map_err(|error| failed("rename a file to", to, error));
    }
    // A link is refused if the name is taken, even by somebody who was faster.
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from).map_err(|error| failed("remove", from, error)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(to)),
        // This file system has no links.
        Err(_) => {
            check_free(to)?;
            fs::rename(from, to).map_err(|error| failed("rename a file to", to, error))
        }
    }
}

/// Refuses, before anything is fetched, what a file cannot be moved to: a name that is taken, unless it may be replaced; and
/// folders and devices in any case.
pub(crate) fn check_destination(path: &Path, overwrite: bool) -> Result<()> {
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() && !metadata.is_symlink() => {
            Err(Error::file(format!("{} is there, and is not a file", path.display())))
        }
        Ok(_) if !overwrite => Err(exists(path)),
        _ => Ok(()),
    }
}

/// Refuses a name that is taken.
fn check_free(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Ok(_) => Err(exists(path)),
        Err(_) => Ok(()),
    }
}

fn exists(path: &Path) -> Error {
    let error = io::Error::from(io::ErrorKind::AlreadyExists);
    Error::file(format!("{} already exists", path.display())).because(error)
}

/// An error about a file, with its path.
pub(crate) fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    Error::file(format!("cannot {what} {}", path.display())).because(error)
}
