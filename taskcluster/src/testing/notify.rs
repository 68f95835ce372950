//! The notify service: notifications that go nowhere but into the record, and the addresses that want none.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::answer::{Refusal, Reply, text};
use super::messages::Message;
use super::paging::page;
use super::recorded::RecordedCall;
use super::state::State;
use crate::NotifyEvents;
use crate::testing::Deployment;

/// What was sent, and to whom nothing is to be sent.
#[derive(Default)]
pub(super) struct Notifications {
    sent: Mutex<Vec<Notification>>,
    /// By kind and address.
    denied: Mutex<BTreeSet<(String, String)>>,
}

/// A notification that a real deployment would have sent; see [`Deployment::notifications`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Notification {
    /// `email`, `pulse`, `matrix-room` or `slack-channel`, as in the list of denied addresses.
    pub kind: &'static str,
    /// The mail address, routing key, room or channel.
    pub address: String,
    /// The whole request.
    pub request: Value,
}

impl Notifications {
    fn sent(&self) -> MutexGuard<'_, Vec<Notification>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn denied(&self) -> MutexGuard<'_, BTreeSet<(String, String)>> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deployment {
    /// The notifications that were sent so far, without those to denied addresses.
    ///
    /// ```
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{Notify, json};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// let tc = fake.connect_as("bot", ["notify:email:*"])?;
    /// tc.call(&Notify::REFERENCE, "email")?
    ///     .payload(json!({"address": "a@example.com", "subject": "Done", "content": "All is well."}))
    ///     .send_blocking()?;
    /// assert_eq!(fake.notifications()[0].request["subject"], "Done");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    #[must_use]
    pub fn notifications(&self) -> Vec<Notification> {
        self.state().notifications.sent().clone()
    }
}

/// Answers what is built in; `None` for other endpoints.
pub(super) fn answer(state: &State, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
    Some(match call.endpoint.name {
        "email" => send(state, call, "email", "address"),
        "pulse" => send(state, call, "pulse", "routingKey"),
        "matrix" => send(state, call, "matrix-room", "roomId"),
        "slack" => send(state, call, "slack-channel", "channelId"),
        "addDenylistAddress" => deny(state, call, true),
        "deleteDenylistAddress" => deny(state, call, false),
        "listDenylist" => {
            let denied = state.notifications.denied();
            let items = denied.iter().map(|(kind, address)| {
                let item = json!({"notificationType": kind, "notificationAddress": address});
                (format!("{kind} {address}"), item)
            });
            page(&state.token_key, call, "addresses", items).map(Reply::from)
        }
        _ => return None,
    })
}

fn send(
    state: &State,
    call: &RecordedCall,
    kind: &'static str,
    address: &str,
) -> Result<Reply, Refusal> {
    let (request, address) = (call.payload().clone(), text(call.payload(), address)?);
    if state.notifications.denied().contains(&(kind.to_owned(), address.clone())) {
        return Err(Refusal::denylisted(format!("{address} is on the denylist")));
    }
    if kind == "pulse" {
        let exchange = NotifyEvents::notify().exchange();
        let payload = json!({"version": 1, "message": request["message"]});
        state.publish(Message::new(exchange, &[("topic", &address)], &[], payload));
    }
    state.notifications.sent().push(Notification { kind, address, request });
    Ok(Reply::new(StatusCode::OK))
}

fn deny(state: &State, call: &RecordedCall, denied: bool) -> Result<Reply, Refusal> {
    let payload = call.payload();
    let entry = (text(payload, "notificationType")?, text(payload, "notificationAddress")?);
    let mut all = state.notifications.denied();
    if denied {
        all.insert(entry);
    } else {
        all.remove(&entry);
    }
    Ok(Reply::new(StatusCode::OK))
}
