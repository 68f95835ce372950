//! An access token as an HMAC-SHA256 key, which signs requests and issues temporary credentials.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// The state of HMAC-SHA256 after its key. That is half the work of a short MAC, done once per access token.
#[derive(Clone)]
pub(crate) struct Key(Hmac<Sha256>);

impl Key {
    pub(crate) fn new(access_token: &str) -> Self {
        // RFC 2104: a short key is padded with zeros, a long one is hashed first.
        let key = access_token.as_bytes();
        let mut block = [0; 64];
        match block.get_mut(..key.len()) {
            Some(start) => start.copy_from_slice(key),
            None => block[..32].copy_from_slice(&Sha256::digest(key)),
        }
        Self(Hmac::new(&block.into()))
    }

    pub(crate) fn mac(&self, message: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(message).finalize().into_bytes().into()
    }

    /// Compares in constant time.
    #[cfg(feature = "testing")]
    pub(crate) fn verify(&self, message: &[u8], mac: &[u8]) -> bool {
        self.0.clone().chain_update(message).verify_slice(mac).is_ok()
    }
}
