//! Verifying: what a Taskcluster deployment does with a request's signature.
//!
//! This parses the header or bewit and computes the correct signature again. It shares only one thing with the signer: the
//! code that writes the signed text, which the tests check against values of the reference implementation.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::mac::{Purpose, Target, Terms, payload_hash, write_signed_text};
use crate::key::Key;

/// How far a request's time may differ from the server's, in seconds: 15 minutes, as in Taskcluster.
pub const MAX_SKEW: i64 = 15 * 60;

/// A parsed `Authorization: Hawk …` header.
///
/// `Debug` hides the MAC, and `ext`, which contains the certificate of temporary credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// The client id.
    pub id: &'a str,
    /// The client's time, in seconds since 1970.
    pub time: i64,
    /// The client's nonce.
    pub nonce: &'a str,
    /// The hash of the body, if the client sent one.
    pub hash: Option<&'a str>,
    /// Taskcluster's `ext`, if there is one.
    pub ext: Option<&'a str>,
    mac: &'a str,
}

/// Why a signature was rejected. The texts are those of real servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The header or bewit cannot be parsed.
    Malformed(&'static str),
    /// The MAC does not match the request and the key.
    BadMac,
    /// The time differs by more than [`MAX_SKEW`].
    StaleTimestamp,
    /// The body is not the one that was signed.
    BadPayloadHash,
    /// The bewit has expired.
    AccessExpired,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed(why) => why,
            Self::BadMac => "Bad mac",
            Self::StaleTimestamp => "Stale timestamp",
            Self::BadPayloadHash => "Bad payload hash",
            Self::AccessExpired => "Access expired",
        })
    }
}

impl std::error::Error for Refusal {}

impl<'a> Header<'a> {
    /// Parses the value of an `Authorization` header.
    ///
    /// # Errors
    ///
    /// [`Refusal::Malformed`] if it is not a complete Hawk header.
    pub fn parse(value: &'a str) -> Result<Self, Refusal> {
        let bad = Refusal::Malformed("Bad header format");
        let mut rest = match value.split_once(' ') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("hawk") => rest.trim_start(),
            _ => return Err(Refusal::Malformed("Incorrect scheme")),
        };
        let (mut id, mut time, mut nonce, mut hash, mut ext, mut mac) = Default::default();
        while !rest.is_empty() {
            let (name, after) = rest.split_once("=\"").ok_or(bad)?;
            let (value, after) = after.split_once('"').ok_or(bad)?;
            let slot: &mut Option<&str> = match name.trim() {
                "id" => &mut id,
                "ts" => &mut time,
                "nonce" => &mut nonce,
                "hash" => &mut hash,
                "ext" => &mut ext,
                "mac" => &mut mac,
                _ => return Err(Refusal::Malformed("Unknown attribute")),
            };
            if slot.replace(value).is_some() {
                return Err(Refusal::Malformed("Duplicate attribute"));
            }
            rest = after.trim_start().trim_start_matches(',').trim_start();
        }
        let missing = Refusal::Malformed("Missing attributes");
        Ok(Self {
            id: id.ok_or(missing)?,
            time: time.and_then(|time| time.parse().ok()).ok_or(missing)?,
            nonce: nonce.ok_or(missing)?,
            hash,
            ext,
            mac: mac.ok_or(missing)?,
        })
    }

    /// Verifies the MAC, then the time. `now` is the server's time in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`Refusal::BadMac`] or [`Refusal::StaleTimestamp`].
    pub fn verify(&self, target: &Target<'_>, access_token: &str, now: i64) -> Result<(), Refusal> {
        let terms = Terms {
            time: self.time,
            nonce: self.nonce,
            hash: self.hash.unwrap_or_default(),
            ext: self.ext.unwrap_or_default(),
        };
        verify_mac(Purpose::Header, target, &terms, access_token, self.mac)?;
        if now.abs_diff(self.time) > MAX_SKEW.unsigned_abs() {
            Err(Refusal::StaleTimestamp)
        } else {
            Ok(())
        }
    }

    /// Verifies that the body is the one that was signed. If the header has no hash, any body is accepted.
    ///
    /// # Errors
    ///
    /// [`Refusal::BadPayloadHash`] if it is not.
    pub fn verify_payload(&self, content_type: &str, body: &[u8]) -> Result<(), Refusal> {
        match self.hash {
            Some(hash) if !same(hash, &payload_hash(content_type, body)) => {
                Err(Refusal::BadPayloadHash)
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("id", &self.id)
            .field("time", &self.time)
            .field("nonce", &self.nonce)
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

/// A parsed bewit.
///
/// `Debug` hides the MAC, and `ext`, which contains the certificate of temporary credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Bewit {
    /// The client id.
    pub id: String,
    /// When it expires, in seconds since 1970.
    pub expires: i64,
    /// Taskcluster's `ext`; empty if there is none.
    pub ext: String,
    mac: String,
}

impl Bewit {
    /// Parses the value of a `bewit` query option.
    ///
    /// # Errors
    ///
    /// [`Refusal::Malformed`] if it is not a bewit.
    pub fn parse(value: &str) -> Result<Self, Refusal> {
        let bad = Refusal::Malformed("Invalid bewit encoding");
        let bytes = URL_SAFE_NO_PAD.decode(value.trim_end_matches('=')).map_err(|_| bad)?;
        let text = String::from_utf8(bytes).map_err(|_| bad)?;
        let bad = Refusal::Malformed("Invalid bewit structure");
        let mut parts = text.split('\\').map(str::to_owned);
        let mut next = || parts.next().ok_or(bad);
        let (id, expires, mac, ext) = (next()?, next()?, next()?, next()?);
        if parts.next().is_some() || id.is_empty() || mac.is_empty() {
            return Err(bad);
        }
        Ok(Self { id, expires: expires.parse().map_err(|_| bad)?, ext, mac })
    }

    /// Verifies the expiry and the MAC. The target's resource must not contain the bewit; see [`without_bewit`].
    ///
    /// # Errors
    ///
    /// [`Refusal::AccessExpired`] or [`Refusal::BadMac`].
    pub fn verify(&self, target: &Target<'_>, access_token: &str, now: i64) -> Result<(), Refusal> {
        if self.expires <= now {
            return Err(Refusal::AccessExpired);
        }
        let terms = Terms { time: self.expires, nonce: "", hash: "", ext: &self.ext };
        let target = Target { method: "GET", ..*target };
        verify_mac(Purpose::Bewit, &target, &terms, access_token, &self.mac)
    }
}

impl fmt::Debug for Bewit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bewit")
            .field("id", &self.id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

fn verify_mac(
    purpose: Purpose,
    target: &Target<'_>,
    terms: &Terms<'_>,
    access_token: &str,
    mac: &str,
) -> Result<(), Refusal> {
    let mut text = String::new();
    write_signed_text(&mut text, purpose, target, terms);
    match STANDARD.decode(mac) {
        Ok(mac) if Key::new(access_token).verify(text.as_bytes(), &mac) => Ok(()),
        _ => Err(Refusal::BadMac),
    }
}

/// Compares in constant time. The lengths are not secret.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// Splits a resource into the part that was signed and the bewit, if there is one.
#[must_use]
pub fn without_bewit(resource: &str) -> (Cow<'_, str>, Option<&str>) {
    let Some((path, query)) = resource.split_once('?') else { return (resource.into(), None) };
    let Some(bewit) = query.split('&').find_map(|option| option.strip_prefix("bewit=")) else {
        return (resource.into(), None);
    };
    let rest: Vec<_> = query.split('&').filter(|option| !option.starts_with("bewit=")).collect();
    let signed =
        if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) };
    (signed.into(), Some(bewit))
}
