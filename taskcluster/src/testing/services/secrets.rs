//! The secrets service: stores JSON objects by name until they expire.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::testing::http::answer::{Refusal, Reply, date, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::{Context, Service};

/// All secrets by name.
#[derive(Default)]
pub(crate) struct Secrets(Mutex<BTreeMap<String, Secret>>);

struct Secret {
    secret: Value,
    expires: DateTime<Utc>,
}

impl Secrets {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Secrets {
    fn answer(&self, context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
        let answer = match call.endpoint.name {
            "get" => get(self, context, call),
            "set" => set(self, call),
            "remove" => remove(self, call),
            "list" => list(self, context, call),
            _ => return None,
        };
        Some(answer.map(Reply::from))
    }
}

fn get(secrets: &Secrets, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let name = call.arg("name");
    let secrets = secrets.lock();
    match secrets.get(name).filter(|secret| secret.expires > context.now()) {
        None => Err(Refusal::not_found(format!("secret {name:?} does not exist or has expired"))),
        Some(Secret { secret, expires }) => {
            Ok(json!({"secret": secret, "expires": timestamp(*expires)}))
        }
    }
}

fn set(secrets: &Secrets, call: &RecordedCall) -> Result<Value, Refusal> {
    let payload = call.payload();
    let expires = date(payload, "expires")?;
    let secret = match &payload["secret"] {
        Value::Object(secret) => Value::Object(secret.clone()),
        _ => return Err(Refusal::input("`secret` is not an object")),
    };
    let mut secrets = secrets.lock();
    secrets.insert(call.arg("name").to_owned(), Secret { secret, expires });
    Ok(json!({}))
}

fn remove(secrets: &Secrets, call: &RecordedCall) -> Result<Value, Refusal> {
    secrets.lock().remove(call.arg("name"));
    Ok(json!({}))
}

fn list(secrets: &Secrets, context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let secrets = secrets.lock();
    let there = secrets.iter().filter(|(_, secret)| secret.expires > context.now());
    let names = there.map(|(name, _)| (name.clone(), json!(name)));
    page(&context.token_key, call, "secrets", names)
}
