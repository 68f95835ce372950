//! Reads the constraints that schemas add to types.

use serde_json::Value;

use crate::schema::resolve::{Resolver, Schema};
use crate::schema::types::{Kind, Place, Rule};

/// How many alternatives one field's constraints may have. Alternatives of alternatives multiply, and each costs the program
/// that is compiled a static.
const MOST_BRANCHES: usize = 256;

/// The constraints of a schema beyond its type. Alternatives with too many branches are left to the service.
pub(super) fn of(resolver: &mut Resolver<'_>, schema: &Schema, kind: &Kind) -> Vec<Rule> {
    Reader { resolver, open: Vec::new(), branches: 0 }.of(schema, kind)
}

struct Reader<'a, 'r> {
    resolver: &'a mut Resolver<'r>,
    /// The places of the branches being read, from the outermost to the innermost: a branch may refer to itself.
    open: Vec<Place>,
    /// How many branches have been read.
    branches: usize,
}

impl Reader<'_, '_> {
    fn of(&mut self, schema: &Schema, kind: &Kind) -> Vec<Rule> {
        let number = |key: &str| schema.json.get(key).and_then(Value::as_f64);
        let mut rules = Vec::new();
        match kind {
            Kind::Optional(inner) => return self.of(schema, inner),
            Kind::Text => {
                rules.extend(schema.text("pattern").map(|text| Rule::Pattern(text.to_owned())));
                rules.extend(schema.size("minLength").map(Rule::MinLength));
                rules.extend(schema.size("maxLength").map(Rule::MaxLength));
                rules.extend(match schema.text("format") {
                    Some("uri") => Some(Rule::Format("Uri")),
                    Some("ipv4") => Some(Rule::Format("Ipv4")),
                    Some("ipv6") => Some(Rule::Format("Ipv6")),
                    Some("email") => Some(Rule::Format("Email")),
                    _ => None,
                });
                if let Some(values) = schema.allowed() {
                    let values: Vec<_> =
                        values.iter().filter_map(Value::as_str).map(escaped).collect();
                    rules.push(Rule::Pattern(format!("^({})$", values.join("|"))));
                }
                for keyword in ["oneOf", "anyOf"] {
                    let Some(branches) = schema.list(keyword) else { continue };
                    let groups: Vec<_> = branches
                        .into_iter()
                        .map(|branch| self.of_branch(branch, kind).unwrap_or_default())
                        .collect();
                    // A branch without rules accepts everything.
                    if groups.iter().all(|rules| !rules.is_empty()) {
                        rules.push(Rule::AnyOf(groups));
                    }
                }
            }
            Kind::Integer | Kind::Unsigned | Kind::Number => {
                rules.extend(number("minimum").map(Rule::Minimum));
                rules.extend(number("maximum").map(Rule::Maximum));
            }
            Kind::List(item) => {
                rules.extend(schema.size("minItems").map(Rule::MinItems));
                rules.extend(schema.size("maxItems").map(Rule::MaxItems));
                if schema.json["uniqueItems"] == Value::Bool(true) {
                    rules.push(Rule::UniqueItems);
                }
                rules.extend(self.each(schema, &["items"], item));
            }
            Kind::Map(value) => {
                let patterns = schema.json["patternProperties"].as_object();
                rules.extend(match patterns.and_then(|patterns| patterns.keys().next()) {
                    Some(pattern) => self.each(schema, &["patternProperties", pattern], value),
                    None => self.each(schema, &["additionalProperties"], value),
                });
            }
            _ => {}
        }
        rules
    }

    fn of_branch(&mut self, branch: Schema, kind: &Kind) -> Option<Vec<Rule>> {
        self.branches += 1;
        if self.branches > MOST_BRANCHES {
            return None;
        }
        let branch = self.resolver.follow(branch).ok()?;
        if self.open.contains(&branch.place) {
            return None;
        }
        self.open.push(branch.place.clone());
        let rules = self.of(&branch, kind);
        self.open.pop();
        Some(rules)
    }

    fn each(&mut self, schema: &Schema, part: &[&str], kind: &Kind) -> Option<Rule> {
        let each = self.resolver.follow(schema.part(part)?).ok()?;
        let rules = self.of(&each, kind);
        (!rules.is_empty()).then_some(Rule::Each(rules))
    }
}

/// A pattern that matches this text only.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, letter| {
        if letter.is_ascii_punctuation() && !matches!(letter, '<' | '>') {
            out.push('\\');
        }
        out.push(letter);
        out
    })
}
