//! Sets of scopes.

use crate::scopes::covers;
use crate::testing::http::answer::strings;
use crate::testing::http::call::RecordedCall;

/// Scopes in order and without repetition, as the service keeps them.
pub(super) fn set_of(mut scopes: Vec<String>) -> Vec<String> {
    scopes.sort();
    scopes.dedup();
    scopes
}

/// The scopes of a payload that those present do not cover.
pub(super) fn added(present: &[String], call: &RecordedCall) -> Vec<String> {
    let wanted = strings(call.payload(), "scopes").unwrap_or_default();
    let is_new = |scope: &String| !present.iter().any(|present| covers(present, scope));
    wanted.into_iter().filter(is_new).collect()
}
