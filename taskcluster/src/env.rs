//! The environment variables with which Taskcluster configures programs.

/// Returns the value of a variable without surrounding white space, such as the newline of the file that it was read from.
/// Returns `None` if it is unset or empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}
