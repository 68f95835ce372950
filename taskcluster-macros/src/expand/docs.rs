//! Doc comments: what the reference says, and what its facts mean for a caller.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::{Endpoint, Exchange, Name, Reference, Scopes, Stability};

/// Paragraphs as one `#[doc]` attribute.
fn paragraphs<S: AsRef<str>>(paragraphs: impl IntoIterator<Item = S>) -> TokenStream {
    let texts: Vec<_> = paragraphs
        .into_iter()
        .map(|paragraph| paragraph.as_ref().trim().to_owned())
        .filter(|paragraph| !paragraph.is_empty())
        .collect();
    let text = texts.join("\n\n");
    quote!(#[doc = #text])
}

/// Makes the wire name findable where the Rust name differs from it.
pub(super) fn alias(name: &Name) -> Option<TokenStream> {
    let wire = &name.wire;
    (name.rust != *wire).then(|| quote!(#[doc(alias = #wire)]))
}

pub(super) fn reference(reference: &Reference) -> TokenStream {
    let Reference { title, description, service, version, .. } = reference;
    let source = if service.is_empty() {
        String::new()
    } else {
        let kind = if reference.of_exchanges { "exchanges" } else { "endpoints" };
        let count = reference.endpoints.len() + reference.exchanges.len();
        format!("Service `{service}`, version `{version}`: {count} {kind}.")
    };
    paragraphs([title, description, &source])
}

pub(super) fn endpoint(endpoint: &Endpoint) -> TokenStream {
    let mut call = format!("`{} {}`", endpoint.method.name(), endpoint.route);
    if !endpoint.query.is_empty() {
        let options: Vec<_> =
            endpoint.query.iter().map(|option| format!("`{}`", option.wire)).collect();
        call.push_str(&format!(", query options {}", options.join(", ")));
    }
    let scopes = match &endpoint.scopes {
        Some(expression) => format!("Required scopes: {}.", scopes(expression)),
        None => "Required scopes: none.".to_owned(),
    };
    let stability = match endpoint.stability {
        Stability::Stable => "Stability: stable.",
        Stability::Experimental => "Stability: **experimental**, it may change or go.",
        Stability::Deprecated => "Stability: **deprecated**, it will go.",
    };
    let paging = endpoint.paging.as_ref().map_or(String::new(), |paging| {
        format!("Answers in pages of `{}`; `items()` and `pages()` fetch them all.", paging.items)
    });
    let facts = [call, scopes, stability.to_owned(), paging]
        .into_iter()
        .filter(|fact| !fact.is_empty())
        .map(|fact| format!("- {fact}\n"))
        .collect::<String>();
    paragraphs([title_of(&endpoint.title, &endpoint.name), &endpoint.description, &facts])
}

pub(super) fn exchange(exchange: &Exchange) -> TokenStream {
    let parts = exchange
        .routing_key
        .iter()
        .map(|part| format!("`{}`", part.name.wire))
        .collect::<Vec<_>>()
        .join(".");
    let key = format!("- Routing key: {parts}\n");
    paragraphs([title_of(&exchange.title, &exchange.name), &exchange.description, &key])
}

/// The title, or else the name: something must be the first line.
fn title_of<'a>(title: &'a str, name: &'a Name) -> &'a str {
    if title.trim().is_empty() { &name.wire } else { title }
}

fn scopes(expression: &Scopes) -> String {
    let all = |word: &str, parts: &[Scopes]| match parts {
        [only] => scopes(only),
        parts => {
            let parts: Vec<_> = parts.iter().map(scopes).collect();
            format!("{word} ({})", parts.join(", "))
        }
    };
    match expression {
        Scopes::Scope(scope) => format!("`{scope}`"),
        Scopes::AllOf(parts) if parts.is_empty() => "none".to_owned(),
        Scopes::AllOf(parts) => all("all of", parts),
        Scopes::AnyOf(parts) => all("any of", parts),
        Scopes::ForEach { var, list, each } => format!("for each `{var}` of `{list}`: `{each}`"),
        Scopes::If { condition, then, otherwise } => {
            let otherwise = otherwise
                .as_deref()
                .map_or(String::new(), |otherwise| format!(", otherwise {}", scopes(otherwise)));
            format!("if `{condition}`: {}{otherwise}", scopes(then))
        }
    }
}
