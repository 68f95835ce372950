//! What a MAC covers: the parts of a request, and the text that they form.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The parts of a request that its MAC covers.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The HTTP method in upper case. A bewit is always for `GET`.
    pub method: &'a str,
    /// Path and query, exactly as in the request line.
    pub resource: &'a str,
    /// The host as in the `Host` header, without the port. An IPv6 address keeps its brackets.
    pub host: &'a str,
    /// The port; if the URL has none, the scheme's default.
    pub port: u16,
}

/// What a MAC is for. It is part of the signed text, so that one kind cannot be used as the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Header,
    Bewit,
}

/// Everything that a MAC covers besides the target.
pub(super) struct Terms<'a> {
    /// Seconds since 1970: the time of the request, or the expiry of a bewit.
    pub(super) time: i64,
    pub(super) nonce: &'a str,
    pub(super) hash: &'a str,
    pub(super) ext: &'a str,
}

/// Writes the text that a MAC covers, the "normalized request string" of the specification.
pub(super) fn write_signed_text(
    out: &mut String,
    purpose: Purpose,
    target: &Target<'_>,
    terms: &Terms<'_>,
) {
    out.push_str(match purpose {
        Purpose::Header => "hawk.1.header\n",
        Purpose::Bewit => "hawk.1.bewit\n",
    });
    out.push_str(itoa::Buffer::new().format(terms.time));
    for line in ["", terms.nonce, target.method, target.resource] {
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(&in_lower_case(target.host));
    out.push('\n');
    out.push_str(itoa::Buffer::new().format(target.port));
    out.push('\n');
    out.push_str(terms.hash);
    out.push('\n');
    if terms.ext.contains(['\\', '\n']) {
        out.push_str(&terms.ext.replace('\\', "\\\\").replace('\n', "\\n"));
    } else {
        out.push_str(terms.ext);
    }
    out.push('\n');
}

/// Copies only a text that has upper case.
fn in_lower_case(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => text.to_ascii_lowercase().into(),
        false => text.into(),
    }
}

/// Hashes a payload for the header and the MAC. The hash covers the content type, without parameters, and the body.
///
/// ```
/// let hash = taskcluster::hawk::payload_hash("application/json", br#"{"scopes":["a"]}"#);
/// assert_eq!(hash, "NyP45IjpGNvUeOzSPr4OaSXefN1SWM0ScWDt45HxuJM=");
/// ```
#[must_use]
pub fn payload_hash(content_type: &str, body: &[u8]) -> String {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let mut hash = Sha256::new_with_prefix(b"hawk.1.payload\n");
    hash.update(in_lower_case(essence).as_bytes());
    hash.update(b"\n");
    hash.update(body);
    hash.update(b"\n");
    STANDARD.encode(hash.finalize())
}
