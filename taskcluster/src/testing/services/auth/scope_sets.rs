//! Sets of scopes.

/// Sorts scopes and removes duplicates, as the service does.
pub(super) fn set_of(mut scopes: Vec<String>) -> Vec<String> {
    scopes.sort();
    scopes.dedup();
    scopes
}
