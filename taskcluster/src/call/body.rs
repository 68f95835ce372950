//! Reading the body of a response, never more of it than allowed.

use bytes::{Bytes, BytesMut};
use reqwest::Response;

use crate::error::{Error, Result};

/// Reads a whole body. One that is larger than `limit` bytes, after decompression, is an error.
pub(super) async fn read_whole(response: &mut Response, limit: usize) -> Result<Bytes> {
    let announced = response.content_length().unwrap_or_default();
    // What announces too much is not read at all.
    if usize::try_from(announced).is_ok_and(|announced| announced <= limit) {
        let body = read_start(response, limit.saturating_add(1)).await?;
        if body.len() <= limit {
            return Ok(body);
        }
    }
    Err(Error::answer(format!(
        "the response is larger than {limit} bytes; raise `ClientBuilder::max_body`, or read it by `send_raw`"
    )))
}

/// Reads a body up to about `limit` bytes. A body that arrives as one chunk is not copied.
pub(super) async fn read_start(response: &mut Response, limit: usize) -> Result<Bytes> {
    let Some(first) = chunk(response).await? else { return Ok(Bytes::new()) };
    if first.len() >= limit {
        return Ok(first);
    }
    let Some(second) = chunk(response).await? else { return Ok(first) };
    let mut body = BytesMut::from(first);
    body.extend_from_slice(&second);
    while body.len() < limit
        && let Some(chunk) = chunk(response).await?
    {
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

async fn chunk(response: &mut Response) -> Result<Option<Bytes>> {
    response.chunk().await.map_err(Error::transport)
}
