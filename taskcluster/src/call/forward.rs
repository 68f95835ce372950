//! The methods of a call, for types that contain one: they consume it, so `Deref` cannot give access to them.

/// Implements the methods that send a call, or set what is its own, by those of a field: `[generics] Type, field, answer`.
#[doc(hidden)]
#[macro_export]
macro_rules! __forward {
    ([$($generics:tt)*] $name:ty, $call:tt, $answer:ty) => {
        impl<$($generics)*> $name {
            /// Sends the call and decodes the response; see `Call::send`.
            #[inline]
            pub fn send(self) -> $crate::CallFuture<$answer> {
                self.$call.send()
            }

            /// Sends the call and blocks until the response is there; see `Call::send_blocking`.
            #[inline]
            pub fn send_blocking(self) -> $crate::Result<$answer> {
                self.$call.send_blocking()
            }

            /// Sends the call and decodes the response as a type of your choice; see `Call::send_as`.
            #[inline]
            pub fn send_as<U: $crate::__private::DeserializeOwned>(self) -> $crate::CallFuture<U> {
                self.$call.send_as()
            }

            /// Sends the call, blocks, and decodes the response as a type of your choice; see `Call::send_as_blocking`.
            #[inline]
            pub fn send_as_blocking<U: $crate::__private::DeserializeOwned>(self) -> $crate::Result<U> {
                self.$call.send_as_blocking()
            }

            /// Sends the call and returns the HTTP response; see `Call::send_raw`.
            #[inline]
            pub async fn send_raw(self) -> $crate::Result<$crate::reqwest::Response> {
                self.$call.send_raw().await
            }

            /// Limits the duration of one attempt; see `Call::timeout`.
            #[inline]
            pub fn timeout(mut self, timeout: ::core::time::Duration) -> Self {
                self.$call = self.$call.timeout(timeout);
                self
            }

            /// Sets how often the call is retried, and after what delays; see `Call::retry`.
            #[inline]
            pub fn retry(mut self, retry: $crate::Retry) -> Self {
                self.$call = self.$call.retry(retry);
                self
            }

            /// Adds a header; see `Call::header`.
            #[inline]
            pub fn header(mut self, name: &str, value: impl ::core::fmt::Display) -> Self {
                self.$call = self.$call.header(name, value);
                self
            }

            /// Sends this token in place of a signature; see `Call::bearer`.
            #[inline]
            pub fn bearer(mut self, token: impl ::core::convert::AsRef<str>) -> Self {
                self.$call = self.$call.bearer(token);
                self
            }
        }

        $crate::__hint!([$($generics)*] $name, $answer);
    };
}

/// Has the compiler say, of something that contains a call or is one, what to pass as a future and what to loop over.
///
/// The impls never apply, since nothing implements the traits. The first trait names this type, so that no impl of it may appear
/// elsewhere, which would be in the way of `IntoFuture`.
#[doc(hidden)]
#[macro_export]
macro_rules! __hint {
    ([$($generics:tt)*] $name:ty, $answer:ty) => {
        #[doc(hidden)]
        impl<$($generics)*> ::core::future::Future for $name
        where
            for<'call> (): $crate::__private::Sent<'call, Self>,
        {
            type Output = $crate::Result<$answer>;

            fn poll(
                self: ::core::pin::Pin<&mut Self>,
                _: &mut ::core::task::Context<'_>,
            ) -> ::core::task::Poll<Self::Output> {
                ::core::task::Poll::Pending
            }
        }

        #[doc(hidden)]
        impl<$($generics)*> ::core::iter::Iterator for $name
        where
            for<'call> (): $crate::__private::LoopsOver<'call>,
        {
            type Item = $answer;

            fn next(&mut self) -> ::core::option::Option<$answer> {
                ::core::option::Option::None
            }
        }
    };
}
