//! Streams as blocking iterators, for programs without an async runtime.

use futures_core::Stream;
use futures_util::StreamExt as _;

use crate::error::Result;
use crate::runtime::block_on;

/// Iterates over a stream, blocking the thread for each item. Inside an async runtime it yields one error and ends.
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
