//! Files that nobody else may read.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a file for this user alone, from the moment that it exists. On Windows, its folder decides who may read it.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
