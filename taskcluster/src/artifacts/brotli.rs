//! Brotli, as its bytes come in.

use std::io::{self, Write};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

/// How many bytes are decoded at once.
const PIECE: usize = 64 * 1024;

/// Decodes one stream.
pub(crate) struct Decoder<W> {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    piece: Vec<u8>,
    is_over: bool,
    out: W,
}

impl<W: Write> Decoder<W> {
    pub(crate) fn new(out: W) -> Self {
        let state = BrotliState::new_strict(
            StandardAlloc::default(),
            StandardAlloc::default(),
            StandardAlloc::default(),
        );
        Self { state, piece: vec![0; PIECE], is_over: false, out }
    }

    /// Decodes one piece, and returns how many bytes that took.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_over {
            return Err(io::Error::other("bytes follow the end"));
        }
        self.decode(bytes).map(|(taken, _)| taken)
    }

    pub(crate) fn end(&mut self) -> io::Result<()> {
        while !self.is_over {
            if !self.decode(&[])?.1 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    pub(crate) fn out(&mut self) -> &mut W {
        &mut self.out
    }

    pub(crate) fn into_out(self) -> W {
        self.out
    }

    /// Returns how many bytes it took, and whether it goes on without more.
    fn decode(&mut self, bytes: &[u8]) -> io::Result<(usize, bool)> {
        let (mut taken, mut made, mut total) = (0, 0, 0);
        let result = BrotliDecompressStream(
            &mut bytes.len(),
            &mut taken,
            bytes,
            &mut self.piece.len(),
            &mut made,
            &mut self.piece,
            &mut total,
            &mut self.state,
        );
        self.out.write_all(self.piece.get(..made).unwrap_or_default())?;
        match result {
            BrotliResult::ResultSuccess => self.is_over = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultFailure => return Err(io::Error::other("no brotli")),
        }
        Ok((taken, !matches!(result, BrotliResult::NeedsMoreInput)))
    }
}
