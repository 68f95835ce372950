//! Turns a reference's facts back into JSON, in the form of the files that they were generated from.

use serde_json::{Map, Value, json};

use super::documents::Kind;
use crate::reference::{Endpoint, Exchange, Reference, RoutingKeyPart};
use crate::scopes::ScopeTemplate;

/// Returns the kind of a reference.
pub(super) fn kind(reference: &Reference) -> Kind {
    // A reference without entries may be of either kind, but only exchanges have a prefix.
    if reference.exchange_prefix.is_empty() { Kind::Endpoints } else { Kind::Exchanges }
}

/// Returns the path of a reference's file.
pub(crate) fn path_of(reference: &Reference) -> String {
    format!("{}/{}/{}", reference.service, reference.version, kind(reference).file())
}

/// Returns a reference as JSON, without the descriptions, which are not among its facts.
pub(crate) fn to_json(reference: &Reference) -> Value {
    let Reference { service, version, exchange_prefix, .. } = reference;
    match kind(reference) {
        Kind::Endpoints => json!({
            "$schema": "/schemas/common/api-reference-v0.json#",
            "serviceName": service,
            "apiVersion": version,
            "entries": reference.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        }),
        Kind::Exchanges => json!({
            "$schema": "/schemas/common/exchanges-reference-v0.json#",
            "serviceName": service,
            "apiVersion": version,
            "exchangePrefix": exchange_prefix,
            "entries": reference.exchanges.iter().map(|facts| exchange(exchange_prefix, facts)).collect::<Vec<_>>(),
        }),
    }
}

fn endpoint(facts: &Endpoint) -> Value {
    let mut entry = json!({
        "type": "function",
        "name": facts.name,
        "title": facts.title,
        "method": facts.method.as_str().to_ascii_lowercase(),
        "route": facts.route,
        "args": facts.args,
        "query": facts.query,
        "stability": format!("{:?}", facts.stability).to_ascii_lowercase(),
    });
    let optional = [
        ("input", facts.input.map(Value::from)),
        ("output", facts.output.map(Value::from)),
        ("scopes", facts.scopes.as_ref().map(scopes)),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            entry[key] = value;
        }
    }
    entry
}

fn exchange(prefix: &str, facts: &Exchange) -> Value {
    json!({
        "type": "topic-exchange",
        "name": facts.name,
        "title": facts.title,
        "exchange": facts.exchange.strip_prefix(prefix).unwrap_or(facts.exchange),
        "routingKey": facts.routing_key.iter().map(part).collect::<Vec<_>>(),
        "schema": facts.schema,
    })
}

fn part(facts: &RoutingKeyPart) -> Value {
    let mut part = Map::new();
    part.insert("name".to_owned(), facts.name.into());
    if let Some(constant) = facts.constant {
        part.insert("constant".to_owned(), constant.into());
    }
    part.insert("required".to_owned(), facts.required.into());
    part.insert("multipleWords".to_owned(), facts.multiple_words.into());
    part.into()
}

fn scopes(template: &ScopeTemplate) -> Value {
    let all = |parts: &[ScopeTemplate]| parts.iter().map(scopes).collect::<Vec<_>>();
    match template {
        ScopeTemplate::Scope(scope) => json!(scope),
        ScopeTemplate::AllOf(parts) => json!({"AllOf": all(parts)}),
        ScopeTemplate::AnyOf(parts) => json!({"AnyOf": all(parts)}),
        ScopeTemplate::ForEach { var, list, each } => json!({"for": var, "in": list, "each": each}),
        ScopeTemplate::If { condition, then, otherwise } => {
            let mut expression = json!({"if": condition, "then": scopes(then)});
            if let Some(otherwise) = otherwise {
                expression["else"] = scopes(otherwise);
            }
            expression
        }
    }
}

/// Removes the descriptions, which facts lack, from a reference that a deployment serves.
pub(super) fn without_words(mut reference: Value) -> Value {
    let remove = |value: &mut Value, keys: &[&str]| {
        if let Value::Object(members) = value {
            members.retain(|key, _| !keys.contains(&key.as_str()));
        }
    };
    remove(&mut reference, &["title", "description"]);
    for entry in reference["entries"].as_array_mut().into_iter().flatten() {
        remove(entry, &["title", "description", "category"]);
    }
    reference
}
