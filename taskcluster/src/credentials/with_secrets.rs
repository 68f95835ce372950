//! Credentials in a program's own files, by serde.

use serde_core::de::{Deserialize, Deserializer, Error as _};
use serde_core::ser::{Serialize, Serializer};
use serde_json::Value;

use super::Credentials;

/// Credentials that serde reads and writes, secrets included, in the form of [`Credentials::from_json`].
///
/// [`Credentials`] themselves have no serde impls, so that a secret is never written by accident. Use this type where you mean
/// to: in the configuration of your program, for example. `Debug` shows no secrets.
///
/// ```
/// use taskcluster::{Credentials, CredentialsWithSecrets};
///
/// let read: CredentialsWithSecrets = serde_json::from_str(r#"{"clientId": "a", "accessToken": "b"}"#)?;
/// assert_eq!(read.0, Credentials::new("a", "b"));
/// assert_eq!(serde_json::to_string(&read)?, r#"{"accessToken":"b","clientId":"a"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsWithSecrets(pub Credentials);

impl Serialize for CredentialsWithSecrets {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.to_json().serialize(to)
    }
}

impl<'de> Deserialize<'de> for CredentialsWithSecrets {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        Credentials::from_value(&value).map(Self).map_err(|error| D::Error::custom(error.message()))
    }
}
