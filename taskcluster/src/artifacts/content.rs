//! From the bytes on the wire to the content: decoded, counted, hashed and written, in one pass.

use std::io::{self, Write};

use super::encoding::{Decoder, Encoding};
use super::hashes::{Expected, Hasher, Hashes};
use crate::error::{Error, Result};

/// Takes the bytes of the wire and writes the content.
pub(crate) struct Content<W: Write> {
    decoder: Decoder<Sink<W>>,
    expected: Expected,
}

impl<W: Write> Content<W> {
    /// Begins content of at most `limit` bytes.
    pub(crate) fn new(encoding: Encoding, expected: Expected, limit: u64, out: W) -> Self {
        let hasher = Hasher::new(expected.sha512.is_some());
        let sink = Sink { out, hasher, size: 0, limit, problem: None };
        let decoder = Decoder::new(encoding, sink);
        Self { decoder, expected }
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let taken = self.push_some(bytes)?;
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Takes some of the bytes, and returns how many. What they become fits into memory.
    pub(crate) fn push_some(&mut self, bytes: &[u8]) -> Result<usize> {
        let pushed = self.decoder.push(bytes);
        pushed.map_err(|error| self.explain(error))
    }

    /// Makes sure that the content is whole and what it should be.
    pub(crate) fn finish(mut self) -> Result<(W, u64, Hashes)> {
        let ended = self.decoder.end();
        ended.map_err(|error| self.explain(error))?;
        let Sink { out, hasher, size, .. } = self.decoder.into_out().map_err(damaged)?;
        let hashes = hasher.finish();
        self.expected.verify(&hashes)?;
        Ok((out, size, hashes))
    }

    /// Where the content goes.
    pub(crate) fn out(&mut self) -> &mut W {
        &mut self.decoder.out().out
    }

    fn explain(&mut self, error: io::Error) -> Error {
        self.decoder.out().problem.take().unwrap_or_else(|| damaged(error))
    }
}

fn damaged(error: io::Error) -> Error {
    Error::artifact("the compressed content is damaged or not complete").because(error)
}

/// What the decoder writes to.
struct Sink<W> {
    out: W,
    hasher: Hasher,
    size: u64,
    limit: u64,
    /// Why writing failed, which a decoder does not pass on whole.
    problem: Option<Error>,
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let size = self.size + bytes.len() as u64;
        let problem = if size > self.limit {
            Error::artifact(format!("the content is larger than {} bytes", self.limit))
        } else if let Err(error) = self.out.write_all(bytes) {
            Error::file("cannot write the content").because(error)
        } else {
            self.hasher.update(bytes);
            self.size = size;
            return Ok(bytes.len());
        };
        self.problem.get_or_insert(problem);
        Err(io::Error::other("the content cannot be taken"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
