//! From the bytes on the wire to the content: decoded, counted, hashed and written, in one pass.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use super::hashes::{Expected, Hasher, Hashes};
use crate::error::{Error, Result};

/// How the content is encoded on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// Reads the `Content-Encoding` of a response.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self> {
        let mut encoding = Self::Identity;
        for value in headers.get_all(CONTENT_ENCODING) {
            for name in value.to_str().unwrap_or("?").split(',').map(str::trim) {
                encoding = match name.to_ascii_lowercase().as_str() {
                    "" | "identity" => continue,
                    "gzip" | "x-gzip" if encoding == Self::Identity => Self::Gzip,
                    _ => {
                        return Err(Error::artifact(
                            "the content is encoded in a way that this crate cannot decode",
                        ));
                    }
                };
            }
        }
        Ok(encoding)
    }
}

/// Takes the bytes of the wire and writes the content.
pub(crate) struct Content<W: Write> {
    decoder: Decoder<Sink<W>>,
    expected: Expected,
}

enum Decoder<S: Write> {
    Identity(S),
    Gzip(Box<MultiGzDecoder<S>>),
}

impl<W: Write> Content<W> {
    /// Begins content of at most `limit` bytes.
    pub(crate) fn new(encoding: Encoding, expected: Expected, limit: u64, out: W) -> Self {
        let hasher = Hasher::new(expected.sha512.is_some());
        let sink = Sink { out, hasher, size: 0, limit, problem: None };
        let decoder = match encoding {
            Encoding::Identity => Decoder::Identity(sink),
            Encoding::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(sink))),
        };
        Self { decoder, expected }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match &mut self.decoder {
            Decoder::Identity(sink) => sink.write_all(bytes),
            Decoder::Gzip(decoder) => decoder.write_all(bytes),
        };
        written.map_err(|error| self.explain(error))
    }

    /// Makes sure that the content is whole and what it should be.
    pub(crate) fn finish(mut self) -> Result<(W, u64, Hashes)> {
        let finished = match &mut self.decoder {
            Decoder::Identity(_) => Ok(()),
            Decoder::Gzip(decoder) => decoder.try_finish(),
        };
        finished.map_err(|error| self.explain(error))?;
        let Sink { out, hasher, size, .. } = match self.decoder {
            Decoder::Identity(sink) => sink,
            Decoder::Gzip(decoder) => decoder.finish().map_err(damaged)?,
        };
        let hashes = hasher.finish();
        self.expected.verify(&hashes)?;
        Ok((out, size, hashes))
    }

    /// Where the content goes.
    pub(crate) fn out(&mut self) -> &mut W {
        &mut self.sink().out
    }

    fn sink(&mut self) -> &mut Sink<W> {
        match &mut self.decoder {
            Decoder::Identity(sink) => sink,
            Decoder::Gzip(decoder) => decoder.get_mut(),
        }
    }

    fn explain(&mut self, error: io::Error) -> Error {
        self.sink().problem.take().unwrap_or_else(|| damaged(error))
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
