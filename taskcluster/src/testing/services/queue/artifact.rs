//! Artifacts of tasks.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::slugid;
use crate::testing::http::answer::{Refusal, date, text, timestamp};

#[derive(Clone, PartialEq)]
pub(super) struct Artifact {
    pub(super) content_type: String,
    pub(super) content_length: Option<u64>,
    pub(super) expires: DateTime<Utc>,
    pub(super) kind: Kind,
}

#[derive(Clone, PartialEq)]
pub(super) enum Kind {
    /// Content at a URL of this deployment, by its key.
    S3(String),
    /// An object of the object service, present once the upload is finished.
    Object {
        upload_id: String,
        finished: bool,
    },
    Reference(String),
    /// Another artifact of the same run.
    Link(String),
    Error {
        reason: String,
        message: String,
    },
}

impl Artifact {
    pub(super) fn new(payload: &Value) -> Result<Self, Refusal> {
        let text = |name| text(payload, name);
        let (mut content_type, mut content_length) = (text("contentType"), None);
        if payload["contentType"].is_null() {
            content_type = Ok("application/binary".to_owned());
        }
        let kind = match payload["storageType"].as_str() {
            Some("s3") => {
                content_length = payload["contentLength"].as_u64();
                Kind::S3(slugid::nice())
            }
            Some("object") => {
                content_length = payload["contentLength"].as_u64();
                Kind::Object { upload_id: slugid::nice(), finished: false }
            }
            Some("reference") => Kind::Reference(text("url")?),
            Some("link") => Kind::Link(text("artifact")?),
            Some("error") => Kind::Error { reason: text("reason")?, message: text("message")? },
            _ => {
                return Err(Refusal::input(
                    "`storageType` is not one of s3, object, reference, link, error",
                ));
            }
        };
        let expires = date(payload, "expires")?;
        Ok(Self { content_type: content_type?, content_length, expires, kind })
    }

    pub(super) fn storage_type(&self) -> &'static str {
        match &self.kind {
            Kind::S3(_) => "s3",
            Kind::Object { .. } => "object",
            Kind::Reference(_) => "reference",
            Kind::Link(_) => "link",
            Kind::Error { .. } => "error",
        }
    }

    /// Whether another request for the same name may take this artifact's place: what people see of it stays, and it does
    /// not expire earlier.
    pub(super) fn may_become(&self, other: &Self) -> bool {
        let same_kind = match (&self.kind, &other.kind) {
            // Generated values, and the URL of a reference, may differ.
            (Kind::S3(_), Kind::S3(_))
            | (Kind::Object { .. }, Kind::Object { .. })
            | (Kind::Reference(_), Kind::Reference(_) | Kind::Link(_)) => true,
            (one, other) => one == other,
        };
        let same_type =
            self.content_type == other.content_type || matches!(other.kind, Kind::Link(_));
        same_kind && same_type && self.expires <= other.expires
    }

    pub(super) fn is_there(&self, now: DateTime<Utc>) -> bool {
        self.expires > now && !matches!(self.kind, Kind::Object { finished: false, .. })
    }

    pub(super) fn about(&self, name: &str) -> Value {
        let mut about = json!({
            "name": name, "storageType": self.storage_type(), "contentType": self.content_type,
            "expires": timestamp(self.expires),
        });
        if let Some(length) = self.content_length {
            about["contentLength"] = json!(length);
        }
        about
    }
}
