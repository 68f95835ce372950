//! An unfinished file that is filled, and what its bytes mean, in one pass.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::sync::Arc;

use super::content::Content;
use super::download::Take;
use super::encoding::Encoding;
use super::file::TemporaryFile;
use super::hashes::Hashes;
use super::part::Part;
use super::raw::Head;
use crate::error::{Error, ErrorKind, Result};

/// How many bytes are read at once.
const BUFFER: usize = 64 * 1024;

/// The encoded bytes in a file that may stay, and the content that they decode to.
pub(crate) struct Filling {
    part: Arc<Part>,
    file: File,
    content: Content<Decoded>,
    /// The encoded length, if it was announced.
    total: Option<u64>,
    /// How many of the encoded bytes are decoded and hashed.
    position: u64,
}

impl Filling {
    /// Begins with the first byte.
    pub(crate) fn begin(part: &Arc<Part>, head: &Head, limit: u64) -> Result<Self> {
        let file = part.create(head)?;
        Self::new(part, file, head, limit)
    }

    /// Goes on behind so many bytes of an earlier attempt.
    pub(crate) fn resume(part: &Arc<Part>, head: &Head, limit: u64, there: u64) -> Result<Self> {
        let mut filling = Self::new(part, part.open()?, head, limit)?;
        filling.catch_up(there)?;
        Ok(filling)
    }

    fn new(part: &Arc<Part>, file: File, head: &Head, limit: u64) -> Result<Self> {
        let out = match head.encoding {
            Encoding::Identity => Decoded::IsThePart,
            _ => Decoded::File(TemporaryFile::create(part.destination())?),
        };
        let content = Content::new(head.encoding, head.expected.clone(), limit, out);
        Ok(Self { part: part.clone(), file, content, total: head.total, position: 0 })
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Decodes and hashes what others have written, up to this byte.
    pub(crate) fn catch_up(&mut self, until: u64) -> Result<()> {
        let mut buffer = vec![0; BUFFER];
        while self.position < until {
            let left = usize::try_from(until - self.position).unwrap_or(BUFFER).min(BUFFER);
            match self.file.read(&mut buffer[..left]) {
                Ok(0) => return Err(self.part.changed()),
                Ok(read) => self.decode(&buffer[..read])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.part.failed("read", error)),
            }
        }
        Ok(())
    }

    /// Verifies the content and gives it its name.
    pub(crate) fn finish(self, overwrite: bool) -> Result<(u64, Hashes)> {
        let Self { part, file, content, total, position } = self;
        if total.is_some_and(|total| total != position) {
            return Err(Error::artifact("the content is not whole"));
        }
        let finished = content.finish();
        let (out, size, hashes) = finished.inspect_err(|error| forget_if_wrong(&part, error))?;
        match out {
            Decoded::IsThePart => part.persist(file, position, overwrite)?,
            Decoded::File(out) => {
                out.persist(overwrite)?;
                part.forget();
            }
        }
        Ok((size, hashes))
    }

    fn decode(&mut self, bytes: &[u8]) -> Result<()> {
        let decoded = self.content.push(bytes);
        decoded.inspect_err(|error| forget_if_wrong(&self.part, error))?;
        self.position += bytes.len() as u64;
        Ok(())
    }
}

impl Take for Filling {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| self.part.failed("write", error))?;
        self.decode(bytes)
    }
}

/// Content that is wrong is not continued. A full disk leaves it as it is.
fn forget_if_wrong(part: &Part, error: &Error) {
    if error.kind() == ErrorKind::Artifact {
        part.forget();
    }
}

/// Where the content goes.
enum Decoded {
    /// It is not encoded: the part becomes the file.
    IsThePart,
    File(TemporaryFile),
}

impl Write for Decoded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::IsThePart => Ok(bytes.len()),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
