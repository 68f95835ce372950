//! Credentials in the responses of services.

use super::Credentials;
use crate::model::{Record, View, to_json};

/// Takes the credentials out of a record with the properties `clientId` and `accessToken`, and perhaps `certificate`, as text
/// or as an object.
///
/// This is what [`From`] does for such types: a claim's credentials, those of an artifact, a client with its access token.
#[must_use]
pub fn credentials(record: &dyn Record) -> Credentials {
    let view = |key: &str| {
        let fields = record.shape().fields;
        fields.iter().position(|field| field.key == key).map(|index| record.view_of(index))
    };
    let text = |key: &str| match view(key) {
        Some(View::Text(text)) => text,
        _ => "",
    };
    let certificate = match view("certificate") {
        Some(View::Text(text)) => text.to_owned(),
        Some(View::Nothing) | None => String::new(),
        Some(other) => as_text(other),
    };
    Credentials::new(text("clientId"), text("accessToken")).with_certificate(certificate)
}

/// The text of a certificate that is an object, or JSON of any form.
fn as_text(view: View<'_>) -> String {
    let json = to_json(&view).unwrap_or_default();
    match serde_json::from_slice(&json) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Null) => String::new(),
        _ => String::from_utf8(json).unwrap_or_default(),
    }
}
