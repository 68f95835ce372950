//! Reading the body of a response, never more of it than allowed.

use bytes::{Bytes, BytesMut};
use reqwest::Response;

use crate::error::{Error, Result};

/// How much of a body to read, in bytes.
#[derive(Clone, Copy)]
pub(super) enum Extent {
    /// All of it, after decompression. A larger one is an error.
    Whole(usize),
    /// About as much as this.
    Start(usize),
}

pub(super) async fn read(response: &mut Response, extent: Extent) -> Result<Bytes> {
    let limit = match extent {
        // A body that is announced as too large is not read at all.
        Extent::Whole(most) if response.content_length().is_some_and(|n| n > most as u64) => {
            return Err(too_large(most));
        }
        Extent::Whole(most) => most.saturating_add(1),
        Extent::Start(limit) => limit,
    };
    let mut body = Chunks::None;
    while body.len() < limit
        && let Some(chunk) = response.chunk().await.map_err(Error::transport)?
    {
        body.push(chunk);
    }
    match extent {
        Extent::Whole(most) if body.len() > most => Err(too_large(most)),
        _ => Ok(body.joined()),
    }
}

fn too_large(most: usize) -> Error {
    Error::answer(format!(
        "the response is larger than {most} bytes; raise `ClientBuilder::max_body`, or read it with `send_raw`"
    ))
}

/// A body so far. One that arrives as one chunk is not copied.
enum Chunks {
    None,
    One(Bytes),
    More(BytesMut),
}

impl Chunks {
    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(chunk) => chunk.len(),
            Self::More(chunks) => chunks.len(),
        }
    }

    fn push(&mut self, chunk: Bytes) {
        *self = match std::mem::replace(self, Self::None) {
            Self::None => Self::One(chunk),
            Self::One(first) => {
                let mut chunks = BytesMut::from(first);
                chunks.extend_from_slice(&chunk);
                Self::More(chunks)
            }
            Self::More(mut chunks) => {
                chunks.extend_from_slice(&chunk);
                Self::More(chunks)
            }
        }
    }

    fn joined(self) -> Bytes {
        match self {
            Self::None => Bytes::new(),
            Self::One(chunk) => chunk,
            Self::More(chunks) => chunks.freeze(),
        }
    }
}
