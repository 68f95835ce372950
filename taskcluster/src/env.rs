//! The environment variables by which Taskcluster tells a program where it is.

/// Returns a variable's value without the white space around it, such as the newline of the file that it was read from.
/// Empty counts as unset.
pub(crate) fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}
