//! A complete response, and decoding it.

use bytes::Bytes;
use reqwest::{StatusCode, Url};
use serde_core::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::client::service::Service;
use crate::error::{Error, Result, describe, without_mark, without_values};
use crate::model::{Missing, Reading, Strictness};
use crate::reference::Endpoint;

/// A complete response, with the context for errors about it.
pub(crate) struct Answer {
    pub(super) service: Service,
    pub(super) endpoint: &'static Endpoint,
    /// The URL for errors.
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) attempts: u32,
    pub(super) body: Bytes,
}

impl Answer {
    /// Returns the JSON of the response. If the reference promises none, the call has succeeded whatever the body is, and one
    /// that is not JSON counts as `null`.
    pub(crate) fn json(&self) -> Result<&str> {
        // Checking UTF-8 once is cheaper than string by string while decoding.
        let text = std::str::from_utf8(without_mark(&self.body));
        let Some(schema) = self.endpoint.output else {
            return Ok(text.ok().filter(|text| is_json(text)).unwrap_or("null"));
        };
        if self.status == StatusCode::NO_CONTENT {
            return Err(self.error(Error::answer(format!(
                "the service sent no content, but {} must answer with {schema}",
                self.endpoint.name
            ))));
        }
        text.map_err(|error| self.error(Error::answer("the response is not UTF-8").because(error)))
    }

    /// How to read the type that the reference promises.
    pub(crate) fn strictness(&self) -> Strictness {
        match self.service.client().settings().strict_answers {
            true => Strictness::Answer,
            false => Strictness::Corrected,
        }
    }

    /// Warns about missing properties.
    pub(crate) fn warn(&self, missing: &[Missing]) {
        if !missing.is_empty() {
            let source = format!("{}.{}", self.service.reference().service, self.endpoint.name);
            self.service.client().corrections().warn(&source, missing);
        }
    }

    /// Explains why the content cannot be decoded: it is not JSON, or JSON of the wrong shape. `place` is the part of the response.
    pub(crate) fn undecodable(&self, error: serde_json::Error, place: &str) -> Error {
        self.error(match error.classify() {
            category if category == Category::Data || is_out_of_range(&error) => {
                Error::answer(format!(
                    "the response does not have the expected shape: {place}{}",
                    without_values(&error)
                ))
            }
            _ if self.status.is_redirection() => {
                Error::answer("the service sent a redirect; use `send_raw` to get it")
                    .because(error)
            }
            _ => Error::answer(format!("the service sent {}", describe(&self.body))).because(error),
        })
    }

    /// Adds this response to an error about its content.
    pub(crate) fn error(&self, error: Error) -> Error {
        error.with_answer(self.status, &self.body).with_call(
            &self.endpoint.method,
            &self.url,
            self.attempts,
        )
    }
}

/// Whether the error is a number that no `f64` can hold, which is valid JSON. `serde_json` reports it as a syntax error.
fn is_out_of_range(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("number out of range")
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Decodes a response.
pub(crate) fn decode<T: DeserializeOwned>(answer: &Answer, strictness: Strictness) -> Result<T> {
    decode_by(answer, strictness, serde_json::from_str)
}

/// Decodes a response by this function.
pub(super) fn decode_by<'a, T>(
    answer: &'a Answer,
    strictness: Strictness,
    read: impl FnOnce(&'a str) -> serde_json::Result<T>,
) -> Result<T> {
    let json = answer.json()?;
    let reading = Reading::begin(strictness);
    let value = read(json);
    answer.warn(&reading.end());
    value.map_err(|error| {
        let place = element_of(json, &error).map(|index| format!("[{index}]: "));
        answer.undecodable(error, &place.unwrap_or_default())
    })
}

/// Returns the list element that an error is about, which `Vec` does not report.
fn element_of(json: &str, error: &serde_json::Error) -> Option<usize> {
    let list: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let lines = json.split_inclusive('\n').take(error.line().checked_sub(1)?);
    let place = lines.map(str::len).sum::<usize>() + error.column();
    let end =
        |item: &RawValue| item.get().as_bytes().as_ptr_range().end.addr() - json.as_ptr().addr();
    list.into_iter().position(|item| place <= end(item))
}
