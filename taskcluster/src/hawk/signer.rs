//! Signing.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::value::RawValue;

use super::mac::{Purpose, Target, Terms, write_signed_text};
use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::key::Key;

/// Credentials prepared for signing: the key's hash state, `ext` and the constant part of the header are computed once.
#[derive(Clone)]
pub struct Signer {
    key: Key,
    client_id: String,
    /// Base64 of `{"certificate": …, "authorizedScopes": […]}`; empty if there is neither.
    ext: String,
    /// `Hawk id="…", ts="`
    header_start: String,
}

impl Signer {
    /// Creates a signer from credentials and, optionally, the authorized scopes that limit its requests.
    ///
    /// ```
    /// use taskcluster::{Credentials, hawk::{Signer, Target}};
    ///
    /// let signer = Signer::new(&Credentials::new("tester", "no-secret"), None)?;
    /// let (resource, host) = ("/api/auth/v1/ping", "tc.example.com");
    /// let target = Target { method: "GET", resource, host, port: 443 };
    /// let header = signer.header(&target, None, 1_500_000_000, "abcdef");
    /// assert!(header.ends_with(r#"mac="ex/tYCfizJbWcoCePSgasjsQhiMMoLETMI9zYVe2CB4=""#));
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the client id is empty or contains characters that are not allowed in a header, or if the
    /// certificate is not JSON.
    pub fn new(credentials: &Credentials, authorized_scopes: Option<&[String]>) -> Result<Self> {
        let client_id = credentials.client_id();
        let unfit = |c: char| matches!(c, '"' | '\\') || !matches!(c, ' '..='~');
        if client_id.is_empty() || client_id.contains(unfit) {
            return Err(Error::config(format!(
                "invalid client id {client_id:?}: it must be non-empty printable ASCII without quotes or backslashes"
            )));
        }
        Ok(Self {
            key: Key::new(credentials.access_token()),
            ext: ext(credentials.certificate_json(), authorized_scopes)?,
            header_start: format!("Hawk id=\"{client_id}\", ts=\""),
            client_id: client_id.to_owned(),
        })
    }

    /// Returns the value of the `Authorization` header of a request.
    ///
    /// For a request with a body, `hash` is its [`payload_hash`](super::payload_hash). `time` is in seconds since 1970.
    /// Every request needs a new nonce.
    #[must_use]
    pub fn header(
        &self,
        target: &Target<'_>,
        hash: Option<&str>,
        time: i64,
        nonce: &str,
    ) -> String {
        let ext = self.ext.as_str();
        let terms = Terms { time, nonce, hash: hash.unwrap_or_default(), ext };
        let length =
            target.resource.len() + target.host.len() + self.header_start.len() + ext.len();
        // One buffer holds first the signed text, then the header.
        let mut text = String::with_capacity(length + 192);
        write_signed_text(&mut text, Purpose::Header, target, &terms);
        let mac = self.key.mac(text.as_bytes());

        text.clear();
        text.push_str(&self.header_start);
        text.push_str(itoa::Buffer::new().format(time));
        text.push_str("\", nonce=\"");
        text.push_str(nonce);
        if let Some(hash) = hash {
            text.push_str("\", hash=\"");
            text.push_str(hash);
        }
        if !ext.is_empty() {
            text.push_str("\", ext=\"");
            text.push_str(ext);
        }
        text.push_str("\", mac=\"");
        STANDARD.encode_string(mac, &mut text);
        text.push('"');
        text
    }

    /// Returns a bewit: a query value that lets anyone `GET` the resource until `expires`, in seconds since 1970.
    ///
    /// The target's resource must not contain the bewit.
    #[must_use]
    pub fn bewit(&self, target: &Target<'_>, expires: i64) -> String {
        let terms = Terms { time: expires, nonce: "", hash: "", ext: &self.ext };
        let length =
            target.resource.len() + target.host.len() + self.client_id.len() + self.ext.len();
        // One buffer holds first the signed text, then what the bewit encodes.
        let mut text = String::with_capacity(length + 96);
        write_signed_text(&mut text, Purpose::Bewit, &Target { method: "GET", ..*target }, &terms);
        let mac = self.key.mac(text.as_bytes());

        text.clear();
        text.push_str(&self.client_id);
        text.push('\\');
        text.push_str(itoa::Buffer::new().format(expires));
        text.push('\\');
        STANDARD.encode_string(mac, &mut text);
        text.push('\\');
        text.push_str(&self.ext);
        URL_SAFE_NO_PAD.encode(&text)
    }
}

/// Shows the client id, never the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// The `ext` attribute. The signer is free to choose the order of its members, since the text itself is signed.
fn ext(certificate: Option<&str>, authorized_scopes: Option<&[String]>) -> Result<String> {
    let mut members = Vec::with_capacity(2);
    if let Some(certificate) = certificate {
        // Checked here, so that a broken certificate fails before it reaches the server.
        let _: &RawValue = serde_json::from_str(certificate)
            .map_err(|error| Error::config("the certificate is not JSON").because(error))?;
        members.push(format!("\"certificate\":{certificate}"));
    }
    if let Some(scopes) = authorized_scopes {
        let scopes = serde_json::to_string(scopes).map_err(|error| {
            Error::config("the authorized scopes cannot be serialized").because(error)
        })?;
        members.push(format!("\"authorizedScopes\":{scopes}"));
    }
    Ok(if members.is_empty() {
        String::new()
    } else {
        STANDARD.encode(format!("{{{}}}", members.join(",")))
    })
}

/// Eight characters that do not repeat within the server's time window.
///
/// A nonce must be unique, not secret, so a generator in user space, seeded by the operating system, is enough. A `fork`
/// copies the generator, and the process ids tell the copies apart.
pub(crate) fn nonce() -> [u8; 8] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let random = fastrand::u64(..) ^ u64::from(std::process::id());
    std::array::from_fn(|i| ALPHABET[(random >> (6 * i)) as usize & 63])
}
