//! Compressed answers, for clients that accept them.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, VARY};

use super::answer::Rendered;

/// The largest body that is not worth compressing, in bytes; that of real services.
const SMALL: usize = 1024;

/// Whether a request accepts gzip.
pub(super) fn accepts_gzip(request: &HeaderMap) -> bool {
    let accepted = request.get_all(ACCEPT_ENCODING);
    accepted.iter().filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(',')).any(
        |coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
            name.trim().eq_ignore_ascii_case("gzip") && !refused
        },
    )
}

/// Compresses a body, unless it is small or already encoded.
pub(super) fn compress(answer: &mut Rendered) {
    if answer.body.len() <= SMALL || answer.headers.contains_key(CONTENT_ENCODING) {
        return;
    }
    if let Ok(body) = gzip(&answer.body) {
        answer.body = body;
        answer.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        answer.headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

fn gzip(body: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    Ok(encoder.finish()?.into())
}
