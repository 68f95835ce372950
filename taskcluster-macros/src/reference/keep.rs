//! Keeps the entries that the user lists.

use std::collections::HashSet;

use crate::input::invocation::Item;
use crate::input::problems::{ProblemsAt, did_you_mean};
use crate::reference::model::Reference;

/// Drops what the item's list does not name, if it has one, and reports names that the reference does not have.
pub(crate) fn only(reference: &mut Reference, item: &Item, problems: &mut ProblemsAt<'_>) {
    let Some(keep) = &item.keep else { return };
    let (kind, known): (_, Vec<&str>) = if reference.of_exchanges {
        (
            "exchange",
            reference.exchanges.iter().map(|exchange| exchange.name.rust.as_str()).collect(),
        )
    } else {
        (
            "endpoint",
            reference.endpoints.iter().map(|endpoint| endpoint.name.rust.as_str()).collect(),
        )
    };
    let mut kept = HashSet::new();
    for ident in keep {
        let name = ident.to_string();
        if !known.contains(&name.as_str()) {
            // Entries that were left out have been reported, and so has a reference without any.
            if !known.is_empty() && !reference.left_out.contains(&name) {
                let hint = did_you_mean(&name, known.iter().copied());
                let path = item.path.value();
                problems.report_at(ident.span(), format!("no {kind} `{name}` in `{path}`{hint}"));
            }
        } else if !kept.insert(name) {
            problems.report_at(ident.span(), format!("{kind} `{ident}` is listed twice"));
        }
    }
    reference.endpoints.retain(|endpoint| kept.contains(&endpoint.name.rust));
    reference.exchanges.retain(|exchange| kept.contains(&exchange.name.rust));
}
