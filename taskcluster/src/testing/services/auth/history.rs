//! Who changed what.

use serde_json::{Value, json};

use crate::testing::http::answer::{Refusal, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::Context;
use crate::testing::services::context::audit::Change;

/// Answers calls about histories. Returns `None` for other endpoints.
pub(super) fn answer(context: &Context, call: &RecordedCall) -> Option<Result<Value, Refusal>> {
    match call.endpoint.name {
        "getEntityHistory" => Some(of_entity(context, call)),
        "listAuditHistory" => {
            let client = call.arg("clientId");
            Some(history(context, call, |change| change.client_id == client))
        }
        _ => None,
    }
}

fn of_entity(context: &Context, call: &RecordedCall) -> Result<Value, Refusal> {
    let (kind, id) = (call.arg("entityType"), call.arg("entityId"));
    history(context, call, |change| change.entity_type == kind && change.entity_id == id)
}

fn history(
    context: &Context,
    call: &RecordedCall,
    holds: impl Fn(&Change) -> bool,
) -> Result<Value, Refusal> {
    let changes = context.audit.all(holds);
    let items = changes.into_iter().enumerate().map(|(place, change)| {
        let Change { client_id, action, entity_type, entity_id, created } = change;
        let item = json!({
            "clientId": client_id, "actionType": action, "created": timestamp(created),
            "entityType": entity_type, "entityId": entity_id,
        });
        (format!("{place:020}"), item)
    });
    page(&context.token_key, call, "auditHistory", items)
}
