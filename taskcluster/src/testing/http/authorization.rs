//! Authorizes calls: fills the endpoint's scope template with values from the call, and compares it with the caller's scopes.
//!
//! If a template needs a text that only the real service would know, any held scope satisfies it that could match a scope with
//! the same beginning. An unknown list counts as empty. For an unknown condition, either branch is enough.

use serde_json::{Map, Value, json};

use super::answer::Refusal;
use crate::Endpoint;
use crate::scopes::{Expression, Params, ScopeTemplate, missing};

/// Marks the name of an unknown text. No scope can contain this character.
const UNKNOWN: char = '\0';

/// Returns the scopes that an endpoint requires, or `None` if it requires none. `known` has values for the template's
/// parameters.
pub(crate) fn required(endpoint: &Endpoint, known: &Map<String, Value>) -> Option<Expression> {
    endpoint.scopes.as_ref().map(|template| fill(template, known))
}

/// Refuses a client whose scopes do not satisfy an expression.
pub(crate) fn check(
    client_id: &str,
    mut held: Vec<String>,
    needed: &Expression,
) -> Result<(), Refusal> {
    let needed = settle(needed, &mut held);
    match missing(&held, &needed) {
        None => Ok(()),
        Some(missing) => Err(Refusal::insufficient_scopes(format!(
            "Client ID {client_id} does not have sufficient scopes and is missing the following scopes:\n\n\
                 ```\n{}\n```\n\n\
                 This request requires the client to satisfy the following scope expression:\n\n\
                 ```\n{}\n```",
            pretty(&missing),
            pretty(&needed),
        ))),
    }
}

/// Writes an expression as the services do: as JSON, and a single scope as it is.
fn pretty(expression: &Expression) -> String {
    match expression {
        Expression::Scope(scope) => scope.clone(),
        _ => format!("{:#}", to_json(expression)),
    }
}

fn to_json(expression: &Expression) -> Value {
    let all = |parts: &[Expression]| parts.iter().map(to_json).collect::<Value>();
    match expression {
        Expression::Scope(scope) => json!(scope),
        Expression::AllOf(parts) => json!({"AllOf": all(parts)}),
        Expression::AnyOf(parts) => json!({"AnyOf": all(parts)}),
    }
}

/// Whether the path alone says which scopes an endpoint requires. The services check these before anything else.
pub(crate) fn depends_on_path_alone(endpoint: &Endpoint) -> bool {
    let mut names = Names::default();
    if let Some(template) = &endpoint.scopes {
        names.collect(template);
    }
    let is_arg = |name: &&str| endpoint.args.contains(name);
    names.lists.is_empty() && names.flags.is_empty() && names.texts.iter().all(is_arg)
}

/// Returns the names of a template's parameters.
#[derive(Default)]
struct Names {
    texts: Vec<&'static str>,
    lists: Vec<&'static str>,
    flags: Vec<&'static str>,
}

impl Names {
    fn collect(&mut self, template: &ScopeTemplate) {
        match template {
            ScopeTemplate::Scope(text) => self.texts.extend(holes(text)),
            ScopeTemplate::AllOf(parts) | ScopeTemplate::AnyOf(parts) => {
                parts.iter().for_each(|part| self.collect(part));
            }
            ScopeTemplate::ForEach { var, list, each } => {
                self.lists.push(list);
                self.texts.extend(holes(each).filter(|name| name != var));
            }
            ScopeTemplate::If { condition, then, otherwise } => {
                self.flags.push(condition);
                self.collect(then);
                if let Some(otherwise) = otherwise {
                    self.collect(otherwise);
                }
            }
        }
    }
}

/// Returns the names in angle brackets.
fn holes(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split('<').skip(1).filter_map(|part| part.split_once('>').map(|(name, _)| name))
}

/// Fills a template, with marks around the names of unknown texts.
fn fill(template: &ScopeTemplate, known: &Map<String, Value>) -> Expression {
    let mut names = Names::default();
    names.collect(template);
    let mut params = Params::new();
    let mut unknown_flags = Vec::new();
    for name in names.flags {
        match known.get(name) {
            Some(Value::Bool(value)) => params = params.flag(name, *value),
            Some(_) => params = params.flag(name, true),
            None => unknown_flags.push(name),
        }
    }
    for name in names.lists {
        let values =
            known.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        params = params.list(name, values.iter().filter_map(Value::as_str));
    }
    for name in names.texts {
        let value = match known.get(name).and_then(Value::as_str) {
            Some(value) => value.to_owned(),
            None => format!("{UNKNOWN}<{name}>{UNKNOWN}"),
        };
        params = params.value(name, value);
    }
    expand(template, params, &unknown_flags)
}

fn expand(
    template: &ScopeTemplate,
    params: Params<'_>,
    unknown_flags: &[&'static str],
) -> Expression {
    if let [flag, rest @ ..] = unknown_flags {
        let either =
            [true, false].map(|value| expand(template, params.clone().flag(*flag, value), rest));
        return Expression::AnyOf(either.into());
    }
    // Every name has a value by now; an expression that nobody satisfies would show if that were not so.
    template
        .expand(&params)
        .unwrap_or_else(|missing| Expression::from(missing.to_string().as_str()))
}

/// Removes the marks from an expression. A scope with marks is added to the held scopes if one of these could match it.
fn settle(needed: &Expression, held: &mut Vec<String>) -> Expression {
    let mut all = |parts: &[Expression]| parts.iter().map(|part| settle(part, held)).collect();
    match needed {
        Expression::AllOf(parts) => Expression::AllOf(all(parts)),
        Expression::AnyOf(parts) => Expression::AnyOf(all(parts)),
        Expression::Scope(scope) => {
            let plain = scope.replace(UNKNOWN, "");
            if let Some((start, _)) = scope.split_once(UNKNOWN)
                && held.iter().any(|held| could_match(held, start))
            {
                held.push(plain.clone());
            }
            Expression::Scope(plain)
        }
    }
}

/// Whether a held scope could match a scope with this beginning.
fn could_match(held: &str, start: &str) -> bool {
    match held.strip_suffix('*') {
        Some(prefix) => prefix.starts_with(start) || start.starts_with(prefix),
        None => held.starts_with(start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(held: &[&str], template: &ScopeTemplate, known: Value) -> Option<String> {
        let mut held = held.iter().map(|&scope| scope.to_owned()).collect();
        let Value::Object(known) = known else { panic!("{known} is not an object") };
        let needed = settle(&fill(template, &known), &mut held);
        missing(&held, &needed).map(|missing| missing.to_string())
    }

    #[test]
    fn an_unknown_text_is_satisfied_by_what_could_match() {
        let template = &ScopeTemplate::Scope("cancel:<scheduler>/<taskId>");
        let known = || json!({"taskId": "t"});
        for held in ["*", "can*", "cancel:*", "cancel:s/*", "cancel:s/t"] {
            assert_eq!(open(&[held], template, known()), None, "{held}");
        }
        for held in ["", "cancel", "cancels:*", "cancelled"] {
            let missing = open(&[held], template, known());
            assert_eq!(missing.as_deref(), Some("cancel:<scheduler>/t"), "{held}");
        }
    }

    #[test]
    fn known_values_count_as_they_are() {
        let template = &ScopeTemplate::AllOf(&[
            ScopeTemplate::Scope("a:<x>"),
            ScopeTemplate::ForEach { var: "r", list: "routes", each: "route:<r>:<x>" },
        ]);
        let known = || json!({"x": "1", "routes": ["p", "q"]});
        assert_eq!(open(&["a:1", "route:*"], template, known()), None);
        assert_eq!(open(&["a:1", "route:p:1"], template, known()).as_deref(), Some("route:q:1"));
        assert_eq!(open(&["a:2", "route:*"], template, known()).as_deref(), Some("a:1"));
        assert_eq!(open(&["a:1"], template, json!({"x": "1"})), None, "an unknown list is empty");
    }

    #[test]
    fn of_an_unknown_condition_either_outcome_will_do() {
        let template = &ScopeTemplate::If {
            condition: "public",
            then: &ScopeTemplate::Scope("read"),
            otherwise: Some(&ScopeTemplate::Scope("write")),
        };
        assert_eq!(open(&["read"], template, json!({})), None);
        assert_eq!(open(&["write"], template, json!({})), None);
        assert!(open(&["other"], template, json!({})).is_some());
        assert_eq!(open(&["read"], template, json!({"public": false})).as_deref(), Some("write"));
        assert_eq!(open(&["write"], template, json!({"public": true})).as_deref(), Some("read"));
    }
}
