//! Zstandard, block by block: the library decodes, and is given each block when the whole of it is there.

use std::io::{self, Write};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// How much memory a frame may need, in bytes: 8 MiB, as RFC 9659 says of this encoding.
const MAX_WINDOW: u64 = 8 * 1024 * 1024;

/// The longest header of a frame, in bytes.
const LONGEST_HEADER: usize = 18;

/// The header of a frame that is to be skipped, in bytes.
const SKIPPED_HEADER: usize = 8;

/// How many bytes are added at once to something that is not whole yet.
const MORE: usize = 16 * 1024;

/// Decodes one frame after the other.
pub(crate) struct Decoder<W> {
    frame: FrameDecoder,
    next: Next,
    /// Bytes of something that is not whole yet.
    pending: Vec<u8>,
    out: W,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Next {
    /// The first frame.
    Begin,
    /// Another frame, or the end.
    Frame,
    /// So many bytes that mean nothing.
    Skipped(usize),
    Block {
        has_checksum: bool,
    },
}

impl Next {
    fn skipped(bytes: usize) -> Self {
        if bytes == 0 { Self::Frame } else { Self::Skipped(bytes) }
    }
}

impl<W: Write> Decoder<W> {
    pub(crate) fn new(out: W) -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(MAX_WINDOW);
        Self { frame, next: Next::Begin, pending: Vec::new(), out }
    }

    /// Decodes what comes next, and returns how many bytes that took.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.is_empty()
            && let Some(taken) = self.step(bytes)?
        {
            return Ok(taken);
        }
        let before = self.pending.len();
        let more = bytes.len().min(MORE);
        let mut pending = std::mem::take(&mut self.pending);
        pending.extend_from_slice(bytes.get(..more).unwrap_or_default());
        match self.step(&pending)? {
            Some(taken) => Ok(taken.saturating_sub(before)),
            None => {
                self.pending = pending;
                Ok(more)
            }
        }
    }

    pub(crate) fn end(&mut self) -> io::Result<()> {
        match self.next {
            Next::Frame if self.pending.is_empty() => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    pub(crate) fn out(&mut self) -> &mut W {
        &mut self.out
    }

    pub(crate) fn into_out(self) -> W {
        self.out
    }

    /// Decodes what comes next and returns how many bytes that took; `None` if some are missing.
    fn step(&mut self, input: &[u8]) -> io::Result<Option<usize>> {
        match self.next {
            Next::Begin | Next::Frame => self.begin(input),
            Next::Skipped(left) => {
                let taken = left.min(input.len());
                self.next = Next::skipped(left - taken);
                Ok(Some(taken))
            }
            Next::Block { has_checksum } => self.block(input, has_checksum),
        }
    }

    fn begin(&mut self, input: &[u8]) -> io::Result<Option<usize>> {
        let mut rest = input;
        let taken = match self.frame.reset(&mut rest) {
            Ok(()) => {
                // A flag of the byte after the magic number.
                let has_checksum = input.get(4).is_some_and(|flags| flags & 4 != 0);
                self.next = Next::Block { has_checksum };
                input.len() - rest.len()
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                self.next = Next::skipped(usize::try_from(length).map_err(io::Error::other)?);
                SKIPPED_HEADER
            }
            Err(_) if input.len() < LONGEST_HEADER => return Ok(None),
            Err(error) => return Err(io::Error::other(error)),
        };
        Ok(Some(taken))
    }

    fn block(&mut self, input: &[u8], has_checksum: bool) -> io::Result<Option<usize>> {
        let Some(&[a, b, c]) = input.first_chunk() else { return Ok(None) };
        // Whether it is the last one, of which kind, and how long.
        let header = u32::from_le_bytes([a, b, c, 0]);
        let is_last = header & 1 == 1;
        // Of the second kind is one byte that is repeated.
        let length = if header >> 1 & 3 == 1 { 1 } else { header >> 3 };
        let checksum = if is_last && has_checksum { 4 } else { 0 };
        let Some(block) = input.get(..3 + length as usize + checksum) else { return Ok(None) };
        let strategy = BlockDecodingStrategy::UptoBlocks(1);
        self.frame.decode_blocks(block, strategy).map_err(io::Error::other)?;
        self.frame.collect_to_writer(&mut self.out)?;
        if is_last {
            let stated = self.frame.get_checksum_from_data();
            if stated.is_some() && stated != self.frame.get_calculated_checksum() {
                return Err(io::Error::other("the checksum is wrong"));
            }
            self.next = Next::Frame;
        }
        Ok(Some(block.len()))
    }
}
