//! What an endpoint takes as its payload.

use super::shape::{Access, Field, View};

/// A reference to a payload of type `T`.
///
/// ```
/// # let client = taskcluster::Client::builder("https://tc.example.com").build()?;
/// # let purge_cache = taskcluster::PurgeCache::new(&client);
/// use taskcluster::purge_cache::PurgeCacheRequest;
///
/// let call = purge_cache.purge_cache("proj/builds", &PurgeCacheRequest::new("level-1"));
/// assert!(call.url()?.path().ends_with("/purge-cache/proj%2Fbuilds"));
/// # Ok::<(), taskcluster::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "the payload must be a `&{T}`, not a `{Self}`",
    label = "expected a `&{T}`",
    note = "create one with `{T}::new(..)` and its setters, or read it from JSON: `serde_json::from_value::<{T}>(json)?`",
    note = "a `Box`, an `Arc` or another reference to one is passed as `&*payload`"
)]
pub trait Payload<T> {
    #[doc(hidden)]
    fn view(&self) -> View<'_>;
}

impl<T: Field> Payload<T> for &T {
    fn view(&self) -> View<'_> {
        Access::view(*self)
    }
}
