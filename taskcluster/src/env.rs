//! The environment variables by which Taskcluster tells a program where it is.

/// A variable's value; empty counts as unset.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
