//! How content is encoded on the wire, and what takes it back.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

#[cfg(feature = "brotli")]
use super::brotli;
#[cfg(feature = "zstd")]
use super::zstd;
use crate::error::{Error, Result};

/// The encodings that are asked for.
pub(crate) const ACCEPTED: &str = match (cfg!(feature = "brotli"), cfg!(feature = "zstd")) {
    (true, true) => "gzip, br, zstd, identity",
    (true, false) => "gzip, br, identity",
    (false, true) => "gzip, zstd, identity",
    (false, false) => "gzip, identity",
};

/// How many bytes of gzip are decoded at once; they may become a thousand times as many.
const PIECE: usize = 8 * 1024;

/// How the content is encoded on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    #[cfg(feature = "brotli")]
    Brotli,
    #[cfg(feature = "zstd")]
    Zstd,
}

impl Encoding {
    /// Reads the `Content-Encoding` of a response.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self> {
        let mut encoding = Self::Identity;
        for value in headers.get_all(CONTENT_ENCODING) {
            for name in value.to_str().unwrap_or("?").split(',').map(str::trim) {
                let next = Self::named(&name.to_ascii_lowercase())?;
                encoding = match (encoding, next) {
                    (Self::Identity, next) => next,
                    (_, Self::Identity) => continue,
                    _ => return Err(Error::artifact("the content is encoded more than once")),
                };
            }
        }
        Ok(encoding)
    }

    /// The encoding of this name, in lower case.
    pub(crate) fn named(name: &str) -> Result<Self> {
        match name {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            #[cfg(feature = "brotli")]
            "br" => Ok(Self::Brotli),
            #[cfg(feature = "zstd")]
            "zstd" => Ok(Self::Zstd),
            #[cfg(not(feature = "brotli"))]
            "br" => Err(Error::artifact(
                "the content is encoded with brotli; this crate decodes it with the feature `brotli`",
            )),
            #[cfg(not(feature = "zstd"))]
            "zstd" => Err(Error::artifact(
                "the content is encoded with zstd; this crate decodes it with the feature `zstd`",
            )),
            _ => Err(Error::artifact(
                "the content is encoded in a way that this crate cannot decode",
            )),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            #[cfg(feature = "brotli")]
            Self::Brotli => "br",
            #[cfg(feature = "zstd")]
            Self::Zstd => "zstd",
        }
    }
}

/// Takes encoded bytes as they come in, and writes what they mean.
pub(crate) enum Decoder<W: Write> {
    Identity(W),
    Gzip(Box<MultiGzDecoder<W>>),
    #[cfg(feature = "brotli")]
    Brotli(Box<brotli::Decoder<W>>),
    #[cfg(feature = "zstd")]
    Zstd(Box<zstd::Decoder<W>>),
}

impl<W: Write> Decoder<W> {
    pub(crate) fn new(encoding: Encoding, out: W) -> Self {
        match encoding {
            Encoding::Identity => Self::Identity(out),
            Encoding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(out))),
            #[cfg(feature = "brotli")]
            Encoding::Brotli => Self::Brotli(Box::new(brotli::Decoder::new(out))),
            #[cfg(feature = "zstd")]
            Encoding::Zstd => Self::Zstd(Box::new(zstd::Decoder::new(out))),
        }
    }

    /// Takes some of the bytes, and returns how many. What they become fits into memory.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Identity(out) => out.write_all(bytes).map(|()| bytes.len()),
            Self::Gzip(decoder) => {
                let piece = bytes.get(..PIECE).unwrap_or(bytes);
                decoder.write_all(piece).map(|()| piece.len())
            }
            #[cfg(feature = "brotli")]
            Self::Brotli(decoder) => decoder.push(bytes),
            #[cfg(feature = "zstd")]
            Self::Zstd(decoder) => decoder.push(bytes),
        }
    }

    /// Writes what is left, and makes sure that nothing is missing.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        match self {
            Self::Identity(_) => Ok(()),
            Self::Gzip(decoder) => decoder.try_finish(),
            #[cfg(feature = "brotli")]
            Self::Brotli(decoder) => decoder.end(),
            #[cfg(feature = "zstd")]
            Self::Zstd(decoder) => decoder.end(),
        }
    }

    pub(crate) fn out(&mut self) -> &mut W {
        match self {
            Self::Identity(out) => out,
            Self::Gzip(decoder) => decoder.get_mut(),
            #[cfg(feature = "brotli")]
            Self::Brotli(decoder) => decoder.out(),
            #[cfg(feature = "zstd")]
            Self::Zstd(decoder) => decoder.out(),
        }
    }

    /// What it wrote to, after its [end](Self::end).
    pub(crate) fn into_out(self) -> io::Result<W> {
        match self {
            Self::Identity(out) => Ok(out),
            Self::Gzip(decoder) => decoder.finish(),
            #[cfg(feature = "brotli")]
            Self::Brotli(decoder) => Ok(decoder.into_out()),
            #[cfg(feature = "zstd")]
            Self::Zstd(decoder) => Ok(decoder.into_out()),
        }
    }
}
