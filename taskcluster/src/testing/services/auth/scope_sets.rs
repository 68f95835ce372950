//! Sets of scopes.

use crate::scopes::covers;
use crate::testing::http::answer::strings;
use crate::testing::http::call::RecordedCall;

/// Sorts scopes and removes duplicates, as the service does.
pub(super) fn set_of(mut scopes: Vec<String>) -> Vec<String> {
    scopes.sort();
    scopes.dedup();
    scopes
}

/// Returns the scopes of a payload that the present scopes do not cover.
pub(super) fn added(present: &[String], call: &RecordedCall) -> Vec<String> {
    let wanted = strings(call.payload(), "scopes").unwrap_or_default();
    let is_new = |scope: &String| !present.iter().any(|present| covers(present, scope));
    wanted.into_iter().filter(is_new).collect()
}
