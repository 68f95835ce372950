//! Hearing of changes from Pulse.

use futures_util::TryStreamExt as _;
use serde_json::Value;
use tracing::warn;

use super::known::Target;
use super::states::Heard;
use crate::error::Result;
use crate::pulse::{Listener, Message};
use crate::services::QueueEvents;
use crate::services::queue::TaskStatus;

/// Binds a listener to all that tasks go through, those with this id or of this group.
macro_rules! bind {
    ($listener:ident, $which:ident, $id:ident) => {
        $listener
            .bind_any(QueueEvents::task_defined().$which(&$id))
            .bind_any(QueueEvents::task_pending().$which(&$id))
            .bind_any(QueueEvents::task_running().$which(&$id))
            .bind_any(QueueEvents::task_completed().$which(&$id))
            .bind_any(QueueEvents::task_failed().$which(&$id))
            .bind_any(QueueEvents::task_exception().$which(&$id))
    };
}

/// Listens to what the tasks go through from now on.
pub(super) async fn hear(listener: Listener, target: Target) -> Result<Heard> {
    let listener = match target {
        Target::Task(id) => bind!(listener, task_id, id),
        Target::Group(id) => bind!(listener, task_group_id, id),
    };
    let messages = listener.listen().await?;
    Ok(Box::pin(messages.try_filter_map(|message| async move {
        let status = status(&message);
        message.ack().await?;
        Ok(status)
    })))
}

fn status(message: &Message<Value>) -> Option<TaskStatus> {
    let payload = message.payload.as_ref().ok()?;
    match serde_json::from_value(payload["status"].clone()) {
        Ok(status) => Some(status),
        Err(_) => {
            warn!(exchange = %message.exchange, "a message does not have the status of its task");
            None
        }
    }
}
