//! Writes the facts of a reference as statics of the runtime's types.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

use crate::expand::context::ident;
use crate::names::{self, Name};
use crate::reference::model::{Endpoint, Exchange, Paging, Part, Reference, Scopes, Stability};

pub(super) fn reference(reference: &Reference) -> TokenStream {
    let Reference { service, version, exchange_prefix, endpoints, exchanges, .. } = reference;
    let base_url = option(reference.base_url.as_ref());
    let endpoint_count = Literal::usize_unsuffixed(endpoints.len());
    let exchange_count = Literal::usize_unsuffixed(exchanges.len());
    let endpoints = endpoints.iter().map(endpoint);
    let exchanges = exchanges.iter().map(|facts| exchange(exchange_prefix, facts));
    quote! {
        pub(super) const REFERENCE: __runtime::Reference = __runtime::Reference {
            service: #service,
            version: #version,
            base_url: #base_url,
            exchange_prefix: #exchange_prefix,
            endpoints: &ENDPOINTS,
            exchanges: &EXCHANGES,
        };
        pub(super) static ENDPOINTS: [__runtime::Endpoint; #endpoint_count] = [#(#endpoints),*];
        pub(super) static EXCHANGES: [__runtime::Exchange; #exchange_count] = [#(#exchanges),*];
    }
}

fn endpoint(endpoint: &Endpoint) -> TokenStream {
    let Endpoint { title, route, .. } = endpoint;
    let name = &endpoint.name.wire;
    let method = ident(endpoint.method.name());
    let args = wire_names(&endpoint.args);
    let query = wire_names(&endpoint.query);
    let secrets = wire_names(&endpoint.args).chain(wire_names(&endpoint.query));
    let secrets = secrets.filter(|name| names::is_secret(name));
    let input = option(endpoint.input.as_ref());
    let output = option(endpoint.output.as_ref());
    let scopes = option(endpoint.scopes.as_ref().map(scopes));
    let stability = ident(match endpoint.stability {
        Stability::Stable => "Stable",
        Stability::Experimental => "Experimental",
        Stability::Deprecated => "Deprecated",
    });
    let paging = option(endpoint.paging.as_ref().map(|Paging { query, token, items }| {
        quote!(__runtime::Paging { query: #query, token: #token, items: #items })
    }));
    let patterns = |patterns: &[Option<String>]| {
        let patterns = patterns.iter().map(|pattern| option(pattern.as_ref()));
        quote!(&[#(#patterns),*])
    };
    let (patterns, query_patterns) =
        (patterns(&endpoint.patterns), patterns(&endpoint.query_patterns));
    quote! {
        __runtime::Endpoint {
            name: #name,
            title: #title,
            method: __runtime::Method::#method,
            route: #route,
            args: &[#(#args),*],
            query: &[#(#query),*],
            secrets: &[#(#secrets),*],
            input: #input,
            output: #output,
            scopes: #scopes,
            stability: __runtime::Stability::#stability,
            paging: #paging,
            patterns: #patterns,
            query_patterns: #query_patterns,
        }
    }
}

fn scopes(expression: &Scopes) -> TokenStream {
    let all = |parts: &[Scopes]| {
        let parts = parts.iter().map(scopes);
        quote!(&[#(#parts),*])
    };
    match expression {
        Scopes::Scope(scope) => quote!(__runtime::scopes::ScopeTemplate::Scope(#scope)),
        Scopes::AllOf(parts) => {
            let parts = all(parts);
            quote!(__runtime::scopes::ScopeTemplate::AllOf(#parts))
        }
        Scopes::AnyOf(parts) => {
            let parts = all(parts);
            quote!(__runtime::scopes::ScopeTemplate::AnyOf(#parts))
        }
        Scopes::ForEach { var, list, each } => {
            quote!(__runtime::scopes::ScopeTemplate::ForEach { var: #var, list: #list, each: #each })
        }
        Scopes::If { condition, then, otherwise } => {
            let then = scopes(then);
            let otherwise = option(otherwise.as_deref().map(|otherwise| {
                let otherwise = scopes(otherwise);
                quote!(&#otherwise)
            }));
            quote!(__runtime::scopes::ScopeTemplate::If { condition: #condition, then: &#then, otherwise: #otherwise })
        }
    }
}

fn exchange(prefix: &str, exchange: &Exchange) -> TokenStream {
    let Exchange { title, schema, .. } = exchange;
    let name = &exchange.name.wire;
    let full_name = format!("{prefix}{}", exchange.exchange);
    let parts = exchange.routing_key.iter().map(|part| {
        let Part { required, multiple_words, .. } = part;
        let name = &part.name.wire;
        let constant = option(part.constant.as_ref());
        quote! {
            __runtime::RoutingKeyPart {
                name: #name,
                constant: #constant,
                required: #required,
                multiple_words: #multiple_words,
            }
        }
    });
    quote! {
        __runtime::Exchange {
            name: #name,
            title: #title,
            exchange: #full_name,
            routing_key: &[#(#parts),*],
            schema: #schema,
        }
    }
}

fn wire_names(names: &[Name]) -> impl Iterator<Item = &str> {
    names.iter().map(|name| name.wire.as_str())
}

fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
