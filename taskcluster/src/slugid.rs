//! Slug ids: version 4 UUIDs as 22 characters of URL-safe base64. They identify tasks and task groups.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Result};
use crate::random;

/// Generates a random slug id that does not start with `-`, so that no command line mistakes it for an option.
///
/// ```
/// let task_id = taskcluster::slugid::nice();
/// assert_eq!(task_id.len(), 22);
/// assert!(!task_id.starts_with('-'));
/// ```
#[must_use]
pub fn nice() -> String {
    let mut uuid = uuid();
    uuid[0] &= 0x7f;
    encode(uuid)
}

/// Generates a random slug id, which may start with `-`.
#[must_use]
pub fn v4() -> String {
    encode(uuid())
}

/// Generates a random UUID of version 4.
pub(crate) fn uuid() -> [u8; 16] {
    let mut uuid = random::bytes();
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    uuid
}

/// Whether a text is a slug id: 22 characters of a version 4 UUID.
///
/// ```
/// assert!(taskcluster::slugid::is_valid("fN1SbArXTPSVFNUvaOlinQ"));
/// assert!(!taskcluster::slugid::is_valid("public/log"));
/// ```
#[must_use]
pub fn is_valid(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    // The version, the variant, and the bits that are left over.
    bytes.len() == 22
        && bytes.iter().all(is_base64)
        && matches!(bytes[8], b'Q'..=b'T')
        && b"CGKOSWaeimquy26-".contains(&bytes[10])
        && b"AQgw".contains(&bytes[21])
}

/// A map from names to slug ids: it returns the same id for the same name.
///
/// ```
/// use taskcluster::slugid::StableSlugids;
///
/// let mut ids = StableSlugids::new();
/// let build = ids.get("build");
/// assert_eq!(ids.get("build"), build);
/// assert_ne!(ids.get("test"), build);
/// ```
#[derive(Clone, Debug, Default)]
pub struct StableSlugids(HashMap<String, String>);

impl StableSlugids {
    /// Creates an empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the id of a name, generating it on first use.
    pub fn get(&mut self, name: impl Into<String>) -> String {
        self.0.entry(name.into()).or_insert_with(nice).clone()
    }
}

/// Encodes the 16 bytes of a UUID as a slug id. Of the crate `uuid`'s type, `into_bytes` returns them.
#[must_use]
pub fn encode(uuid: [u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(uuid)
}

/// Decodes a slug id to the 16 bytes of its UUID. The crate `uuid`'s `Uuid::from_bytes` takes them.
///
/// ```
/// use taskcluster::slugid;
///
/// let uuid = slugid::decode("gE8_yN_LSwaJ-6761eGHVA")?;
/// assert_eq!(u128::from_be_bytes(uuid), 0x804f3fc8_dfcb_4b06_89fb_aefad5e18754);
/// assert_eq!(slugid::encode(uuid), "gE8_yN_LSwaJ-6761eGHVA");
/// # Ok::<(), taskcluster::Error>(())
/// ```
///
/// # Errors
///
/// Returns an error if the text is not 22 characters of URL-safe base64.
pub fn decode(slug: &str) -> Result<[u8; 16]> {
    let bytes = URL_SAFE_NO_PAD.decode(slug).ok();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        Error::input(format!(
            "{slug:?} is not a slug id: expected 22 characters of URL-safe base64"
        ))
    })
}
