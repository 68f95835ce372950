//! Calls from programs without an asynchronous runtime.

use std::future::Future;
use std::sync::OnceLock;

use futures_core::Stream;
use futures_util::StreamExt as _;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::{Error, Result};

/// Runs a future to its end on this crate's own runtime.
///
/// There is one for the whole program, never dropped: connections belong to the runtime that they were made on, and a
/// client may be shared by threads and outlive each of them.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if Handle::try_current().is_ok() {
        return Err(Error::blocking(
            "a blocking call inside an asynchronous runtime would stop other tasks; `await` it instead",
        ));
    }
    let runtime = match RUNTIME.get() {
        Some(runtime) => runtime,
        None => {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| Error::blocking("cannot start a runtime").because(error))?;
            // Another thread may have been faster; then this one is dropped unused.
            RUNTIME.get_or_init(|| runtime)
        }
    };
    Ok(runtime.block_on(future))
}

/// A stream as a blocking iterator. Inside an asynchronous runtime it yields one error and ends.
#[derive(Debug)]
#[must_use = "nothing is sent until the iterator is used"]
pub struct BlockingIter<S>(Option<S>);

impl<S> BlockingIter<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self(Some(stream))
    }
}

impl<T, S: Stream<Item = Result<T>> + Unpin> Iterator for BlockingIter<S> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let next = block_on(self.0.as_mut()?.next()).unwrap_or_else(|error| Some(Err(error)));
        if !matches!(next, Some(Ok(_))) {
            self.0 = None;
        }
        next
    }
}
