//! Where uploaded content comes from: something that can be opened again for another attempt.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::file::{TemporaryFile, failed};
use super::hashes::{Hasher, Hashes};
use crate::error::{Error, Result};
use crate::slugid;

/// How many bytes are read at once.
const PIECE: usize = 64 * 1024;

/// Opens content.
type Open = Arc<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync>;

/// Content to upload.
#[derive(Clone)]
pub(crate) enum Input {
    Bytes(Bytes),
    File(PathBuf),
    Opened { length: u64, open: Open },
}

impl Input {
    /// What a function opens, and how long it is.
    pub(crate) fn opened<R: Read + Send + 'static>(
        length: u64,
        open: impl Fn() -> io::Result<R> + Send + Sync + 'static,
    ) -> Self {
        let open: Open = Arc::new(move || Ok(Box::new(open()?) as Box<dyn Read + Send>));
        Self::Opened { length, open }
    }

    pub(crate) fn length(&self) -> Result<u64> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::File(path) => {
                let metadata = path.metadata().map_err(|error| failed("read", path, error))?;
                match metadata.is_file() {
                    true => Ok(metadata.len()),
                    false => Err(Error::file(format!("{} is not a file", path.display()))),
                }
            }
            Self::Opened { length, .. } => Ok(*length),
        }
    }

    fn open(&self) -> Result<Box<dyn Read + Send>> {
        match self {
            Self::Bytes(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            Self::File(path) => match File::open(path) {
                Ok(file) => Ok(Box::new(file)),
                Err(error) => Err(failed("open", path, error)),
            },
            Self::Opened { open, .. } => open().map_err(unreadable),
        }
    }

    /// Reads everything, hashes it and hands it over piece by piece, until `give` refuses one. The last piece is only handed over
    /// when the content is known to end with it: nothing of another length ever looks whole. What is read is added to `moved`.
    pub(crate) fn read(
        &self,
        length: u64,
        moved: &AtomicU64,
        mut give: impl FnMut(Bytes) -> Result<()>,
    ) -> Result<Hashes> {
        let mut reader = self.open()?;
        let mut hasher = Hasher::new(true);
        let mut left = length;
        let mut last = None;
        loop {
            let mut piece = vec![0; PIECE];
            let read = match reader.read(&mut piece) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.unreadable(error)),
            };
            if read == 0 {
                break;
            }
            moved.fetch_add(read as u64, Ordering::Relaxed);
            left = left.checked_sub(read as u64).ok_or_else(|| self.wrong_length(length))?;
            piece.truncate(read);
            hasher.update(&piece);
            match left {
                0 => last = Some(piece.into()),
                _ => give(piece.into())?,
            }
        }
        if left > 0 {
            return Err(self.wrong_length(length));
        }
        last.map_or(Ok(()), give)?;
        Ok(hasher.finish())
    }

    /// Compresses the content to a temporary file, since storage has to know the length beforehand.
    pub(crate) fn compress(&self, moved: &AtomicU64) -> Result<Compressed> {
        let file = std::env::temp_dir().join(format!("taskcluster-{}", slugid::v4()));
        let mut encoder =
            GzEncoder::new(TemporaryFile::create_private(&file)?, Compression::default());
        let cannot = |error| failed("write", &file, error);
        self.read(self.length()?, moved, |piece| encoder.write_all(&piece).map_err(cannot))?;
        encoder.finish().map_err(cannot)?.persist(false)?;
        Ok(Compressed(file))
    }

    fn unreadable(&self, error: io::Error) -> Error {
        match self {
            Self::File(path) => failed("read", path, error),
            _ => unreadable(error),
        }
    }

    fn wrong_length(&self, length: u64) -> Error {
        let what = match self {
            Self::File(path) => path.display().to_string(),
            _ => "the content to upload".to_owned(),
        };
        Error::file(format!("{what} does not have the {length} bytes that it should have"))
    }
}

/// Shows the path of a file, and no content.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::File(path) => path.fmt(f),
            Self::Opened { length, .. } => write!(f, "a reader of {length} bytes"),
        }
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::file("the content to upload cannot be read").because(error)
}

/// A compressed copy, which is removed in the end.
pub(crate) struct Compressed(PathBuf);

impl Compressed {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Compressed {
    fn drop(&mut self) {
        // It is a temporary file in a folder of such files.
        let _ = std::fs::remove_file(&self.0);
    }
}
