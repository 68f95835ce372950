//! Writes doc comments: what the reference says, and what its facts mean to a caller.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::categories::Category;
use crate::expand::rules;
use crate::names::Name;
use crate::reference::model::{Endpoint, Exchange, Reference, Scopes, Stability};
use crate::schema::types::Kind;

/// Joins paragraphs in one `#[doc]` attribute.
fn paragraphs<S: AsRef<str>>(paragraphs: impl IntoIterator<Item = S>) -> TokenStream {
    let texts: Vec<_> = paragraphs
        .into_iter()
        .map(|paragraph| prose(paragraph.as_ref().trim()))
        .filter(|paragraph| !paragraph.is_empty())
        .collect();
    let text = texts.join("\n\n");
    quote!(#[doc = #text])
}

/// Makes documentation of a reference's text, in which blocks of code are not Rust to be tested.
pub(super) fn prose(text: &str) -> String {
    let mut inside = false;
    let lines = text.lines().map(|line| {
        if line.trim_start().starts_with("```") {
            inside = !inside;
            return if inside { "```text" } else { "```" };
        }
        // Four spaces would start a block, too.
        let indented = line.starts_with("    ") || line.starts_with('\t');
        if indented && !inside { line.trim_start() } else { line }
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    if inside { text + "\n```" } else { text }
}

/// Lets readers search for the wire name if the Rust name differs from it. rustdoc refuses some characters.
pub(super) fn alias(name: &Name) -> Option<TokenStream> {
    let wire = &name.wire;
    let odd = |c: char| matches!(c, '"' | '\'') || c.is_whitespace() || c.is_control();
    (name.rust != *wire && !wire.contains(odd)).then(|| quote!(#[doc(alias = #wire)]))
}

/// Documents a struct. The user's own words take the place of the reference's.
pub(super) fn reference(
    reference: &Reference,
    categories: &[Category<'_>],
    has_own_docs: bool,
) -> TokenStream {
    let Reference { title, description, service, version, .. } = reference;
    let (kind, count) = if reference.of_exchanges {
        ("exchange", reference.exchanges.len())
    } else {
        ("endpoint", reference.endpoints.len())
    };
    let plural = if count == 1 { "" } else { "s" };
    let source = match service.as_str() {
        "" => String::new(),
        service => {
            format!("{count} {kind}{plural} of the `{service}` service, version `{version}`.")
        }
    };
    let methods: String = categories.iter().map(methods).collect();
    if has_own_docs {
        let source = format!("\n{source}\n\n{methods}");
        quote!(#[doc = #source])
    } else {
        paragraphs([title, description, &source, &methods])
    }
}

/// A line with links to the methods of a category.
fn methods(category: &Category<'_>) -> String {
    let names = category.endpoints.iter().map(|(_, endpoint)| &endpoint.name.rust);
    let links: Vec<_> = names.map(|name| format!("[`{name}`](Self::{name})")).collect();
    format!("- **{}**: {}\n", category.title, links.join(", "))
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
        Stability::Experimental => "Stability: **experimental**, may change or be removed.",
        Stability::Deprecated => "Stability: **deprecated**, will be removed.",
    };
    let paging = endpoint.paging.as_ref().map_or(String::new(), |paging| {
        format!("Paginated: `items()` and `pages()` fetch all `{}`.", paging.items)
    });
    let schema = |what: &str, schema: &Option<String>, kind: &Option<Kind>| {
        let Some(schema) = schema else { return String::new() };
        match kind.as_ref().and_then(Kind::not_understood) {
            Some(why) => {
                format!("{what}: schema `{schema}`, free-form JSON because the schema {why}.")
            }
            None => format!("{what}: schema `{schema}`."),
        }
    };
    let mut payload = schema("Payload", &endpoint.input, &endpoint.payload);
    for exception in endpoint.payload_rules.iter().filter_map(rules::exception) {
        payload.push_str(&format!(" {exception}."));
    }
    let answer = schema("Response", &endpoint.output, &endpoint.answer);
    let facts = [call, payload, answer, scopes, stability.to_owned(), paging]
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

/// The title, or else the name: documentation needs a first line.
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
