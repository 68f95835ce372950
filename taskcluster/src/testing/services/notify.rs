//! The notify service: records notifications instead of sending them, and keeps the denylist.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use crate::NotifyEvents;
use crate::testing::http::answer::{Refusal, Reply, text};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::message::Message;
use crate::testing::services::context::{Context, Service};

/// How many notifications are remembered, to recognize repeated ones.
const REMEMBERED: usize = 1000;

/// Recorded notifications, and denied addresses.
#[derive(Default)]
pub(crate) struct Notify {
    sent: Mutex<Vec<Notification>>,
    /// By kind and address.
    denied: Mutex<BTreeSet<(String, String)>>,
}

/// A notification that a real deployment would have sent.
///
/// Returned by [`Deployment::notifications`](crate::testing::Deployment::notifications).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Notification {
    /// The kind: `email`, `pulse`, `matrix-room` or `slack-channel`, as in the list of denied addresses; of 2017 also
    /// `irc-channel` and `irc-user`.
    pub kind: &'static str,
    /// The email address, routing key, room, channel or user.
    pub address: String,
    /// The whole request.
    pub request: Value,
}

impl Notify {
    pub(crate) fn notifications(&self) -> Vec<Notification> {
        self.sent().clone()
    }

    fn sent(&self) -> MutexGuard<'_, Vec<Notification>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn denied(&self) -> MutexGuard<'_, BTreeSet<(String, String)>> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Notify {
    fn answer(&self, context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
        Some(match call.endpoint.name {
            "email" => send(self, context, call, "email", "address"),
            "pulse" => send(self, context, call, "pulse", "routingKey"),
            "matrix" => send(self, context, call, "matrix-room", "roomId"),
            "slack" => send(self, context, call, "slack-channel", "channelId"),
            // Of 2017.
            "irc" if call.payload()["channel"].is_string() => {
                send(self, context, call, "irc-channel", "channel")
            }
            "irc" => send(self, context, call, "irc-user", "user"),
            "addDenylistAddress" => deny(self, call, true),
            "deleteDenylistAddress" => deny(self, call, false),
            "listDenylist" => {
                let denied = self.denied();
                let items = denied.iter().map(|(kind, address)| {
                    let item = json!({"notificationType": kind, "notificationAddress": address});
                    (format!("{kind} {address}"), item)
                });
                page(&context.token_key, call, "addresses", items).map(Reply::from)
            }
            _ => return None,
        })
    }
}

fn send(
    notify: &Notify,
    context: &Context,
    call: &RecordedCall,
    kind: &'static str,
    address: &str,
) -> Result<Reply, Refusal> {
    let (request, address) = (call.payload().clone(), text(call.payload(), address)?);
    if notify.denied().contains(&(kind.to_owned(), address.clone())) {
        return Err(Refusal::denylisted(format!("{address} is on the denylist")));
    }
    let mut sent = notify.sent();
    let repeats =
        |sent: &Notification| sent.kind == kind && content(&sent.request) == content(&request);
    if sent.iter().rev().take(REMEMBERED).any(repeats) {
        return Ok(Reply::new(StatusCode::NO_CONTENT));
    }
    if kind == "pulse" {
        let exchange = NotifyEvents::notify().exchange();
        let payload = json!({"version": 1, "message": request["message"]});
        let routes = [address.clone()];
        context.publish(&Message::new(exchange, &[("topic", &address)], &routes, payload));
    }
    sent.push(Notification { kind, address, request });
    Ok(ok())
}

/// The part of a request that identifies a notification: everything except its appearance.
fn content(request: &Value) -> Value {
    let mut content = request.clone();
    if let Some(properties) = content.as_object_mut() {
        properties.remove("template");
    }
    content
}

/// The answer to a notification, which is text, not JSON as in other services.
fn ok() -> Reply {
    Reply::new(StatusCode::OK).body(HeaderValue::from_static("text/plain; charset=utf-8"), "OK")
}

fn deny(notify: &Notify, call: &RecordedCall, denied: bool) -> Result<Reply, Refusal> {
    let payload = call.payload();
    let entry = (text(payload, "notificationType")?, text(payload, "notificationAddress")?);
    let mut all = notify.denied();
    if denied {
        all.insert(entry);
    } else {
        all.remove(&entry);
    }
    Ok(ok())
}
