//! The secrets service: names with a JSON object each, until they expire.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::answer::{Refusal, Reply, date, timestamp};
use super::paging::page;
use super::recorded::RecordedCall;
use super::state::State;

/// All secrets by name.
#[derive(Default)]
pub(super) struct Secrets(Mutex<BTreeMap<String, Secret>>);

struct Secret {
    secret: Value,
    expires: DateTime<Utc>,
}

/// Answers what is built in; `None` for other endpoints.
pub(super) fn answer(state: &State, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
    let answer = match call.endpoint.name {
        "get" => get(state, call),
        "set" => set(state, call),
        "remove" => remove(state, call),
        "list" => list(state, call),
        _ => return None,
    };
    Some(answer.map(Reply::from))
}

fn get(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let name = call.arg("name");
    let secrets = state.secrets.0.lock().unwrap_or_else(PoisonError::into_inner);
    match secrets.get(name) {
        None => Err(Refusal::not_found(format!("there is no secret {name:?}"))),
        Some(Secret { expires, .. }) if *expires < state.now() => {
            Err(Refusal::expired(format!("the secret {name:?} has expired")))
        }
        Some(Secret { secret, expires }) => {
            Ok(json!({"secret": secret, "expires": timestamp(*expires)}))
        }
    }
}

fn set(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let payload = call.payload.as_ref().unwrap_or(&Value::Null);
    let expires = date(payload, "expires")?;
    let secret = match &payload["secret"] {
        Value::Object(secret) => Value::Object(secret.clone()),
        _ => return Err(Refusal::input("`secret` is not an object")),
    };
    let mut secrets = state.secrets.0.lock().unwrap_or_else(PoisonError::into_inner);
    secrets.insert(call.arg("name").to_owned(), Secret { secret, expires });
    Ok(json!({}))
}

fn remove(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    state.secrets.0.lock().unwrap_or_else(PoisonError::into_inner).remove(call.arg("name"));
    Ok(json!({}))
}

fn list(state: &State, call: &RecordedCall) -> Result<Value, Refusal> {
    let secrets = state.secrets.0.lock().unwrap_or_else(PoisonError::into_inner);
    let names = secrets.keys().map(|name| (name.clone(), json!(name)));
    page(&state.token_key, call, "secrets", names)
}
