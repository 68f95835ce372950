//! What the compiler says to who forgets to wait for a result. Nothing here ever applies: the traits are never implemented.

use super::Call;
use super::paging::{Items, Pages};
use crate::error::Result;

#[diagnostic::on_unimplemented(
    message = "a call has no result before it is sent",
    label = "await the call first",
    note = "async: `call.await?`; without async: `call.send_blocking()?`"
)]
pub trait Awaited<T> {
    #[doc(hidden)]
    fn result(&self) -> T;
}

#[doc(hidden)]
impl<T> Call<T> {
    pub fn unwrap(&self) -> T
    where
        Self: Awaited<T>,
    {
        self.result()
    }

    pub fn expect(&self, _: &str) -> T
    where
        Self: Awaited<T>,
    {
        self.result()
    }
}

#[diagnostic::on_unimplemented(
    message = "a call is no future before it is sent",
    label = "pass `call.send()`",
    note = "`call.send()` is a future that owns the call, and `call.into_future()` is the same"
)]
#[doc(hidden)]
pub trait Sent<'call, Call> {}

#[diagnostic::on_unimplemented(
    message = "a call has no items before it is sent",
    label = "a call cannot be looped over with `for`",
    note = "async: loop over a list in `call.await?`, or for all pages: `let mut items = call.items();` and then \
            `while let Some(item) = items.try_next().await? {{ .. }}`, with `use futures::TryStreamExt as _;`",
    note = "without async: loop over a list in `call.send_blocking()?`, or for all pages over `call.items_blocking()`"
)]
#[doc(hidden)]
pub trait LoopsOver<'call> {}

__hint!([T] Call<T>, T);

#[diagnostic::on_unimplemented(
    message = "`{Stream}` is a stream, and a `for` loop does not wait for it",
    label = "a stream cannot be looped over with `for`",
    note = "async: `while let Some(item) = stream.try_next().await? {{ .. }}`, with `use futures::TryStreamExt as _;`",
    note = "without async: `for item in call.items_blocking() {{ .. }}`, or `pages_blocking()`"
)]
pub trait Loops<Stream> {}

// The bound is on another type than the stream: otherwise the compiler would not show the message.
#[doc(hidden)]
impl<T> Iterator for Items<T>
where
    (): Loops<Self>,
{
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        None
    }
}

#[doc(hidden)]
impl<T> Iterator for Pages<T>
where
    (): Loops<Self>,
{
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        None
    }
}
