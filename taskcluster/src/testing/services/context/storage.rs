//! Storage for the object service and artifacts: content at URLs of the deployment's own server.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};

use crate::testing::http::answer::{Refusal, Reply};
use crate::testing::http::request::Incoming;

/// The prefix of the paths of content.
const PREFIX: &str = "/storage/";

/// Content by unguessable keys.
#[derive(Default)]
pub(crate) struct Storage(Mutex<BTreeMap<String, Stored>>);

#[derive(Clone)]
struct Stored {
    content_type: String,
    /// `None` until it is uploaded.
    content: Option<Bytes>,
}

impl Storage {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves a key for an upload of this content type.
    pub(crate) fn expect(&self, key: &str, content_type: &str) {
        self.lock()
            .entry(key.to_owned())
            .or_insert_with(|| Stored { content_type: content_type.to_owned(), content: None });
    }

    pub(crate) fn put(&self, key: &str, content_type: &str, content: Bytes) {
        let stored = Stored { content_type: content_type.to_owned(), content: Some(content) };
        self.lock().insert(key.to_owned(), stored);
    }

    pub(crate) fn content(&self, key: &str) -> Option<Bytes> {
        self.lock().get(key)?.content.clone()
    }

    /// Returns the path of this content.
    pub(crate) fn path(key: &str) -> String {
        format!("{PREFIX}{key}")
    }

    /// Answers requests for content. Returns `None` for any other request.
    pub(crate) fn answer(&self, request: &Incoming) -> Option<Reply> {
        let key = request.resource.strip_prefix(PREFIX)?;
        Some(self.answer_for(request, key).unwrap_or_else(Reply::from))
    }

    fn answer_for(&self, request: &Incoming, key: &str) -> Result<Reply, Refusal> {
        let none = || Refusal::not_found(format!("no content is stored at {}", request.resource));
        let mut all = self.lock();
        let stored = all.get_mut(key).ok_or_else(none)?;
        match request.method {
            Method::PUT => {
                let given = request.content_type();
                if given != stored.content_type {
                    return Err(Refusal::input(format!(
                        "the upload must be of content type {:?}, not {given:?}",
                        stored.content_type
                    )));
                }
                stored.content = Some(request.body.clone());
                Ok(Reply::new(StatusCode::OK))
            }
            Method::GET => {
                let content = stored.content.clone().ok_or_else(none)?;
                let content_type = HeaderValue::try_from(&stored.content_type)
                    .map_err(|_| Refusal::input("the content type cannot be sent in a header"))?;
                Ok(Reply::new(StatusCode::OK).body(content_type, content))
            }
            _ => Err(Refusal::input("stored content supports GET and PUT only")),
        }
    }
}
