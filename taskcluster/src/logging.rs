//! A log for programs that have none of their own.

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::env::variable;

/// Logs what clients do to standard error, if the environment variable `DEBUG_TASKCLUSTER_CLIENT` is set and not empty.
///
/// This is for programs without a `tracing` subscriber; call it once, at the start. It sets the subscriber of the whole program,
/// or does nothing if there is one. The log has a line for each attempt, with endpoint, URL, status and duration, one for each
/// retry, and all warnings of this crate; it has no lines of other crates, and no secrets.
///
/// A program with a subscriber gets the same lines if that lets the target `taskcluster` pass at debug level: with the
/// `EnvFilter` of `tracing-subscriber`, by `RUST_LOG=taskcluster=debug`.
///
/// ```
/// taskcluster::debug_logging();
/// ```
pub fn debug_logging() {
    if variable("DEBUG_TASKCLUSTER_CLIENT").is_none() {
        return;
    }
    let log = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::DEBUG)
        .with_writer(std::io::stderr)
        .finish();
    // This fails only if there is a subscriber already.
    let _ = log.with(filter_fn(is_ours)).try_init();
}

/// Whether this is an event of this crate. Its spans would only repeat what the events say.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    let (krate, _) = metadata.target().split_once("::").unwrap_or((metadata.target(), ""));
    metadata.is_event() && krate == "taskcluster"
}
