//! Writes a function for each exchange. It returns a type that selects routing keys, with a setter for each part.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::expand::context::{Context, ident};
use crate::expand::docs;
use crate::expand::paths::{self, Seen};
use crate::names;
use crate::reference::model::{Exchange, Part};

/// The functions of all exchanges, and the types that they return.
pub(super) fn all(
    context: &Context<'_>,
    exchanges: &[Exchange],
) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let functions =
        exchanges.iter().enumerate().map(|(i, exchange)| function(context, i, exchange));
    let types = exchanges.iter().map(|exchange| key_types(context, exchange));
    (functions.collect(), types.collect())
}

fn function(context: &Context<'_>, index: usize, exchange: &Exchange) -> TokenStream {
    let module = context.module;
    let docs = docs::exchange(exchange);
    let alias = docs::alias(&exchange.name);
    let name = context.method(&exchange.name);
    let keys = ident(&names::type_name(&exchange.name.wire, ""));
    let index = Literal::usize_unsuffixed(index);
    quote! {
        #docs
        #alias
        #[must_use]
        pub fn #name() -> #module::#keys {
            #module::#keys(#module::__runtime::RoutingKeys::new(&#module::EXCHANGES[#index]))
        }
    }
}

fn key_types(context: &Context<'_>, exchange: &Exchange) -> TokenStream {
    let service = context.name;
    let keys = ident(&names::type_name(&exchange.name.wire, ""));
    let key = ident(&names::type_name(&exchange.name.wire, "Key"));
    let keys_docs = format!(
        "Routing keys of [`{service}::{}`](super::{service}::{0}), with a setter for each part that varies.",
        exchange.name.rust
    );
    let key_docs = format!(
        "The parts of a routing key of [`{service}::{}`](super::{service}::{0}).",
        exchange.name.rust
    );
    let variable = || {
        let parts = exchange.routing_key.iter().enumerate();
        parts.filter(|(_, part)| part.constant.is_none())
    };
    let setters = variable().map(|(i, part)| {
        let name = ident(&part.name.rust);
        let docs = part_docs(part);
        let alias = docs::alias(&part.name);
        let index = Literal::usize_unsuffixed(i);
        quote! {
            #[doc = #docs]
            #alias
            #[must_use]
            pub fn #name(mut self, value: impl ::core::fmt::Display) -> Self {
                self.0.set(#index, &value);
                self
            }
        }
    });
    let fields = variable().map(|(_, part)| {
        let name = ident(&part.name.rust);
        let docs = part_docs(part);
        let kind = if part.required {
            quote!(::std::string::String)
        } else {
            quote!(::core::option::Option<::std::string::String>)
        };
        quote!(#[doc = #docs] pub #name: #kind)
    });
    let values = variable().map(|(i, part)| {
        let name = ident(&part.name.rust);
        let index = Literal::usize_unsuffixed(i);
        let read = ident(if part.required { "required" } else { "optional" });
        quote!(#name: parts.#read(#index))
    });
    let message = match &exchange.message {
        Some(kind) => paths::of(context, kind, Seen::Inside),
        None => quote!(__p::Value),
    };
    quote! {
        #[doc = #keys_docs]
        #[derive(Clone, Debug)]
        pub struct #keys(pub(super) __runtime::RoutingKeys);

        impl #keys {
            #(#setters)*

            /// Splits a message's routing key into its parts.
            ///
            /// # Errors
            ///
            /// Returns an error if the routing key does not belong to this exchange.
            pub fn parse(&self, routing_key: &str) -> __runtime::Result<#key> {
                let parts = self.0.split(routing_key)?;
                ::core::result::Result::Ok(#key { #(#values),* })
            }
        }

        impl ::core::ops::Deref for #keys {
            type Target = __runtime::RoutingKeys;

            fn deref(&self) -> &__runtime::RoutingKeys {
                &self.0
            }
        }

        impl __runtime::IntoBinding for #keys {
            type Message = #message;

            fn into_binding(self) -> __runtime::Result<__runtime::Binding> {
                self.0.binding()
            }
        }

        #[doc = #key_docs]
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct #key {
            #(#fields),*
        }
    }
}

fn part_docs(part: &Part) -> String {
    let words = if part.multiple_words { " May span several words." } else { "" };
    let required = if part.required { "" } else { " Not present in every message." };
    match part.summary.trim().trim_end_matches('.') {
        "" => format!("`{}`.{words}{required}", part.name.wire),
        summary => format!("{summary}.{words}{required}"),
    }
}
