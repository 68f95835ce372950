//! Digests of content, and the check against those that the service knows.

use sha2::{Digest as _, Sha256, Sha512};

use crate::error::{Error, Result};

/// The digests of content, in lower-case hexadecimal.
///
/// ```
/// # fn f(file: taskcluster::artifacts::DownloadedFile) {
/// println!("{}  {}", file.hashes.sha256, file.path.display());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hashes {
    /// The SHA-256 digest.
    pub sha256: String,
    /// The SHA-512 digest. A download computes it only if the service knows it too.
    pub sha512: Option<String>,
}

/// The digests that content must have, as far as the service knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) sha256: Option<String>,
    pub(crate) sha512: Option<String>,
}

impl Expected {
    pub(crate) fn is_empty(&self) -> bool {
        self.sha256.is_none() && self.sha512.is_none()
    }

    /// Compares content's digests with all that are known.
    pub(crate) fn verify(&self, found: &Hashes) -> Result<()> {
        let wrong = |known: &Option<String>, found: Option<&String>| {
            known.as_ref().is_some_and(|known| Some(known) != found)
        };
        let algorithm = if wrong(&self.sha256, Some(&found.sha256)) {
            "sha256"
        } else if wrong(&self.sha512, found.sha512.as_ref()) {
            "sha512"
        } else {
            return Ok(());
        };
        Err(Error::artifact(format!("the {algorithm} of the content is not the expected one")))
    }
}

/// Digests in the making.
#[derive(Clone)]
pub(crate) struct Hasher {
    sha256: Sha256,
    sha512: Option<Sha512>,
}

impl Hasher {
    pub(crate) fn new(with_sha512: bool) -> Self {
        Self { sha256: Sha256::new(), sha512: with_sha512.then(Sha512::new) }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(sha512) = &mut self.sha512 {
            sha512.update(bytes);
        }
    }

    pub(crate) fn finish(self) -> Hashes {
        Hashes {
            sha256: hex(&self.sha256.finalize()),
            sha512: self.sha512.map(|sha512| hex(&sha512.finalize())),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}
