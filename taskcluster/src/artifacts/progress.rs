//! How far a transfer has come.

use std::sync::Arc;

/// How far a transfer has come. A callback gets one after each piece of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The bytes transferred so far. For compressed content, these are compressed bytes. It drops to 0 if a transfer has to
    /// start over.
    pub bytes: u64,
    /// How many bytes there are in total, if the server said so.
    pub total: Option<u64>,
    /// The number of the current attempt, from 1. An attempt that continues where the previous one broke off counts, too.
    pub attempt: u32,
}

/// What is called with it.
pub(crate) type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;
