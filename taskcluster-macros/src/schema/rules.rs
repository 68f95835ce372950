//! Reads the constraints that schemas add to types: as rules, or as the text of a schema where rules cannot say all of it.

use serde_json::Value;

use crate::schema::demands::Family;
use crate::schema::forms::Form;
use crate::schema::kept;
use crate::schema::patterns::{self, Demand};
use crate::schema::resolve::{Resolver, Schema};
use crate::schema::types::{Definition, Kind, Place, Rule, Types};

/// How many alternatives one field's constraints may have. Alternatives of alternatives multiply, and each costs the program
/// that is compiled a static.
const MOST_BRANCHES: usize = 256;

/// The constraints of a schema beyond its type.
pub(super) fn of(
    resolver: &mut Resolver<'_>,
    types: &Types,
    schema: &Schema,
    kind: &Kind,
) -> Vec<Rule> {
    Reader { resolver, types, open: Vec::new(), branches: 0 }.of(schema, kind)
}

/// The constraints of an object's schema beyond the forms that it allows.
pub(super) fn of_object(resolver: &mut Resolver<'_>, schema: &Schema, forms: &[Form]) -> Vec<Rule> {
    let alone = schema.json.get("oneOf").is_some();
    let exclusive = forms
        .iter()
        .enumerate()
        .all(|(index, form)| forms[..index].iter().all(|other| !alone || form.excludes(other)));
    let is_whole = exclusive && forms.iter().all(|form| form.is_whole && form.is_object);
    match forms {
        [only] if is_whole => only.counts.clone(),
        _ if is_whole && forms.iter().all(|form| form.counts.is_empty()) => Vec::new(),
        _ => vec![whole(resolver, schema)],
    }
}

/// The text of a schema, or why it is not checked.
pub(super) fn whole(resolver: &mut Resolver<'_>, schema: &Schema) -> Rule {
    match kept::text(resolver, schema) {
        Ok(text) => Rule::Whole(text),
        Err(why) => Rule::Unchecked(why),
    }
}

/// Rules, and whether they say all that the schema says.
struct Said {
    rules: Vec<Rule>,
    all: bool,
}

struct Reader<'a, 'r> {
    resolver: &'a mut Resolver<'r>,
    types: &'a Types,
    /// The places of the branches being read, from the outermost to the innermost: a branch may refer to itself.
    open: Vec<Place>,
    /// How many branches have been read.
    branches: usize,
}

impl Reader<'_, '_> {
    fn of(&mut self, schema: &Schema, kind: &Kind) -> Vec<Rule> {
        let Said { mut rules, all } = self.said(schema, kind);
        if !all {
            rules.push(whole(self.resolver, schema));
        }
        rules
    }

    fn said(&mut self, schema: &Schema, kind: &Kind) -> Said {
        let family = match kind {
            Kind::Optional(inner) => return self.of_value(schema, inner),
            Kind::Text | Kind::Date => Family::Texts,
            Kind::Integer | Kind::Unsigned | Kind::Number => Family::Numbers,
            Kind::Bool => Family::Booleans,
            Kind::List(_) => Family::Lists,
            Kind::Map(_) => Family::Objects,
            Kind::FreeForm(_) => return self.free_form(schema),
            Kind::Named(id) | Kind::Boxed(id) => match self.types.all[*id].definition {
                Definition::Choice(_) => Family::Texts,
                // Their rules are the type's own.
                _ => return Said { rules: Vec::new(), all: true },
            },
        };
        let mut said = Said { rules: Vec::new(), all: *schema.json != Value::Bool(false) };
        for key in schema.demands(family) {
            match self.by(key, schema, kind) {
                Some(rules) => said.rules.extend(rules),
                None => said.all = false,
            }
        }
        said
    }

    /// What is said of values apart from `null`.
    fn of_value(&mut self, schema: &Schema, kind: &Kind) -> Said {
        for keyword in ["oneOf", "anyOf"] {
            let Some(branches) = schema.list(keyword) else { continue };
            let followed = branches.into_iter().map(|branch| self.resolver.follow(branch));
            let mut branches: Vec<_> = followed.flatten().collect();
            branches.retain(|branch| branch.kinds() != ["null"]);
            if let [only] = branches.as_slice()
                && schema.demands(Family::Anything).all(|key| key == keyword)
            {
                return self.said(only, kind);
            }
        }
        self.said(schema, kind)
    }

    fn free_form(&mut self, schema: &Schema) -> Said {
        let mut said = Said { rules: Vec::new(), all: *schema.json != Value::Bool(false) };
        for key in schema.demands(Family::Anything) {
            match key {
                "type" => {
                    let kinds = match &schema.json["type"] {
                        Value::Array(kinds) => kinds.clone(),
                        kind => vec![kind.clone()],
                    };
                    let kinds = kinds.iter().filter_map(|kind| kind.as_str().map(str::to_owned));
                    said.rules.push(Rule::Types(kinds.collect()));
                }
                "enum" | "const" => match one_of(schema) {
                    Some(rules) => said.rules.extend(rules),
                    None => said.all = false,
                },
                "minProperties" => {
                    said.rules.extend(schema.size(key).map(Rule::MinProperties));
                }
                "maxProperties" => {
                    said.rules.extend(schema.size(key).map(Rule::MaxProperties));
                }
                _ => said.all = false,
            }
        }
        said
    }

    /// What a keyword says of values of this kind. `None` if rules cannot say it.
    fn by(&mut self, key: &str, schema: &Schema, kind: &Kind) -> Option<Vec<Rule>> {
        let one = |rule: Option<Rule>| rule.map(|rule| vec![rule]);
        let is_choice = matches!(kind, Kind::Named(_) | Kind::Boxed(_));
        match (key, kind) {
            ("type", _) => Some(Vec::new()),
            ("format", Kind::Date) => (schema.text(key) == Some("date-time")).then(Vec::new),
            (_, Kind::Date) => None,
            ("enum" | "const", _) if is_choice => Some(Vec::new()),
            (
                "enum" | "const",
                Kind::Text | Kind::Integer | Kind::Unsigned | Kind::Number | Kind::Bool,
            ) => one_of(schema),
            ("pattern", _) => pattern(schema.text(key)?),
            ("minLength", _) => one(schema.size(key).map(Rule::MinLength)),
            ("maxLength", _) => one(schema.size(key).map(Rule::MaxLength)),
            ("format", _) => match schema.text(key)? {
                "uri" => Some(vec![Rule::Format("Uri")]),
                "ipv4" => Some(vec![Rule::Format("Ipv4")]),
                "ipv6" => Some(vec![Rule::Format("Ipv6")]),
                "email" => Some(vec![Rule::Format("Email")]),
                "hostname" => Some(vec![Rule::Format("Hostname")]),
                _ => None,
            },
            // The fourth draft says by a boolean what the others say by a number.
            ("minimum", _) if schema.json["exclusiveMinimum"] == Value::Bool(true) => {
                one(schema.number(key).map(Rule::Above))
            }
            ("maximum", _) if schema.json["exclusiveMaximum"] == Value::Bool(true) => {
                one(schema.number(key).map(Rule::Below))
            }
            ("exclusiveMinimum" | "exclusiveMaximum", _) if schema.json[key].is_boolean() => {
                Some(Vec::new())
            }
            ("minimum", _) => one(schema.number(key).map(Rule::Minimum)),
            ("maximum", _) => one(schema.number(key).map(Rule::Maximum)),
            ("exclusiveMinimum", _) => one(schema.number(key).map(Rule::Above)),
            ("exclusiveMaximum", _) => one(schema.number(key).map(Rule::Below)),
            ("multipleOf", _) => one(schema.number(key).map(Rule::MultipleOf)),
            ("minItems", _) => one(schema.size(key).map(Rule::MinItems)),
            ("maxItems", _) => one(schema.size(key).map(Rule::MaxItems)),
            ("uniqueItems", _) => Some(vec![Rule::UniqueItems]),
            ("minProperties", _) => one(schema.size(key).map(Rule::MinProperties)),
            ("maxProperties", _) => one(schema.size(key).map(Rule::MaxProperties)),
            ("items", Kind::List(item)) => Some(self.each(schema, &[key], item)),
            ("additionalProperties", Kind::Map(value)) if schema.json[key].is_object() => {
                Some(self.each(schema, &[key], value))
            }
            ("additionalProperties", Kind::Map(_)) => Some(Vec::new()),
            ("patternProperties", Kind::Map(value)) => self.by_pattern(schema, value),
            ("propertyNames", Kind::Map(_)) => {
                let names = self.resolver.follow(schema.part(&[key])?).ok()?;
                let said = self.said(&names, &Kind::Text);
                said.all.then(|| vec![Rule::Keys(said.rules)])
            }
            ("allOf", _) => {
                let mut rules = Vec::new();
                for part in schema.list(key)? {
                    rules.extend(self.branch(part, kind)?);
                }
                Some(rules)
            }
            ("oneOf" | "anyOf", _) if is_choice => self.lists_once(schema, key).then(Vec::new),
            ("oneOf" | "anyOf", Kind::Text | Kind::Integer | Kind::Unsigned | Kind::Number) => {
                let mut groups = Vec::new();
                for branch in schema.list(key)? {
                    groups.push(self.branch(branch, kind)?);
                }
                match key {
                    "oneOf" => Some(vec![Rule::ExactlyOneOf(groups)]),
                    // A branch without rules accepts everything.
                    _ if groups.iter().any(Vec::is_empty) => Some(Vec::new()),
                    _ => Some(vec![Rule::AnyOf(groups)]),
                }
            }
            _ => None,
        }
    }

    /// The rules of a part or alternative, if they say all of it.
    fn branch(&mut self, branch: Schema, kind: &Kind) -> Option<Vec<Rule>> {
        self.branches += 1;
        if self.branches > MOST_BRANCHES {
            return None;
        }
        let branch = self.resolver.follow(branch).ok()?;
        let kinds = branch.kinds();
        let fits = match kind {
            Kind::Text => kinds.iter().all(|kind| kind == "string"),
            Kind::Integer | Kind::Unsigned => {
                kinds.iter().all(|kind| kind == "integer" || kind == "number")
            }
            Kind::Number => kinds.iter().all(|kind| kind == "number"),
            _ => kinds.is_empty(),
        };
        if !fits || self.open.contains(&branch.place) {
            return None;
        }
        self.open.push(branch.place.clone());
        let said = self.said(&branch, kind);
        self.open.pop();
        said.all.then_some(said.rules)
    }

    /// Whether alternatives only list texts, each once.
    fn lists_once(&mut self, schema: &Schema, keyword: &str) -> bool {
        let mut seen = Vec::new();
        schema.list(keyword).unwrap_or_default().into_iter().all(|branch| {
            let Ok(branch) = self.resolver.follow(branch) else { return false };
            let only_lists =
                branch.demands(Family::Texts).all(|key| ["type", "enum", "const"].contains(&key));
            let values = branch.allowed().unwrap_or_default();
            let are_new = values.iter().all(|value| !seen.contains(value));
            seen.extend(values);
            only_lists && (are_new || keyword == "anyOf")
        })
    }

    /// What is said of each item, or each value of a map.
    fn each(&mut self, schema: &Schema, part: &[&str], kind: &Kind) -> Vec<Rule> {
        let part = schema.part(part).and_then(|part| self.resolver.follow(part).ok());
        let rules = part.map(|part| self.of(&part, kind)).unwrap_or_default();
        if rules.is_empty() { Vec::new() } else { vec![Rule::Each(rules)] }
    }

    /// What a pattern for the names says of the entries of a map, all of which have it.
    fn by_pattern(&mut self, schema: &Schema, value: &Kind) -> Option<Vec<Rule>> {
        let pattern = schema.json["patternProperties"].as_object()?.keys().next()?;
        let keys = self::pattern(pattern)?;
        let mut rules = self.each(schema, &["patternProperties", pattern], value);
        rules.push(Rule::Keys(keys));
        Some(rules)
    }
}

/// The rules for a pattern, if the runtime's engine can check it.
fn pattern(pattern: &str) -> Option<Vec<Rule>> {
    let demands = patterns::demands(pattern).ok()?.into_iter();
    let rule = |demand: Demand| match demand.matches {
        true => Rule::Pattern(pattern.to_owned(), demand.pattern),
        false => Rule::NoMatch(pattern.to_owned(), demand.pattern),
    };
    Some(demands.map(rule).collect())
}

/// The values that a schema lists.
fn one_of(schema: &Schema) -> Option<Vec<Rule>> {
    let values = schema.allowed()?;
    let are_both = [true, false].iter().all(|truth| values.contains(&Value::Bool(*truth)));
    // There is no other boolean.
    if are_both && values.iter().all(Value::is_boolean) && schema.kinds() == ["boolean"] {
        return Some(Vec::new());
    }
    Some(vec![Rule::OneOf(values.iter().map(Value::to_string).collect())])
}
