//! Understanding schemas: each becomes a type, or JSON of any form where it says nothing, or nothing that is understood.

use serde_json::Value;

use crate::input::problems::ProblemsAt;
use crate::names;
use crate::reference::model::Name;
use crate::schema::resolve::{Resolver, Schema};
use crate::schema::types::{
    Branch, Definition, Field, Kind, Place, Record, Rule, Type, TypeId, Types, Union,
};

/// How many fields a record may have; the runtime keeps account of so many.
const MOST_FIELDS: usize = 256;

/// Makes types of the schemas of one item.
pub(crate) struct Understanding<'a, 'p> {
    pub(crate) resolver: Resolver<'a>,
    pub(crate) types: &'a mut Types,
    pub(crate) item: usize,
    /// The places of the schemas that are being understood, from the outside to the inside.
    pub(crate) open: Vec<Place>,
    pub(crate) problems: &'a mut ProblemsAt<'p>,
}

impl Understanding<'_, '_> {
    /// The type of a whole file.
    pub(crate) fn file(&mut self, path: &str) -> Kind {
        match Schema::whole(self.resolver.files, path) {
            Ok(schema) => self.kind(schema),
            Err(message) => self.lost(message),
        }
    }

    /// The type of the values of a property, such as the items of a page.
    pub(crate) fn item_of(&mut self, page: &Kind, property: &str) -> Option<Kind> {
        let Kind::Named(id) = page else { return None };
        let Definition::Record(record) = &self.types.all[*id].definition else { return None };
        let field = record.fields.iter().find(|field| field.name.wire == property)?;
        match &field.kind {
            Kind::List(item) => Some((**item).clone()),
            _ => None,
        }
    }

    fn lost(&mut self, message: String) -> Kind {
        self.problems.report(message);
        Kind::unclear("its schema was not found")
    }

    fn kind(&mut self, schema: Schema) -> Kind {
        let schema = match self.resolver.follow(schema) {
            Ok(schema) => schema,
            Err(message) => return self.lost(message),
        };
        if let Some(id) = self.types.known.get(&(schema.place.clone(), None)) {
            let named = Kind::Named(*id);
            return if self.is_nullable(&schema) { named.or_null() } else { named };
        }
        if self.open.contains(&schema.place) {
            return Kind::unclear("it is a part of itself without a record between");
        }
        self.open.push(schema.place.clone());
        let kind = self.kind_of(schema);
        self.open.pop();
        kind
    }

    /// Whether a schema that became a type of its own allows `null`, too.
    fn is_nullable(&mut self, schema: &Schema) -> bool {
        if let Some(values) = allowed(schema) {
            return values.iter().any(Value::is_null);
        }
        if schema.json["type"]
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"))
        {
            return true;
        }
        let branches =
            ["oneOf", "anyOf"].iter().filter_map(|keyword| schema.list(keyword)).flatten();
        branches
            .filter_map(|branch| self.resolver.follow(branch).ok())
            .any(|branch| branch.text("type") == Some("null"))
    }

    /// The type of a schema that refers to no other, and has none yet.
    fn kind_of(&mut self, schema: Schema) -> Kind {
        let Some(members) = schema.members() else {
            return if schema.json == Value::Bool(true) {
                Kind::FreeForm(None)
            } else {
                Kind::unclear("its schema is not an object")
            };
        };
        if let Some(values) = allowed(&schema) {
            return self.values(&schema, &values);
        }
        // Branches that say nothing of a type only constrain what is said beside them.
        let typed = members.contains_key("type") || members.contains_key("properties");
        for keyword in ["oneOf", "anyOf"] {
            if let Some(branches) = schema.list(keyword)
                && !(typed && branches.iter().all(only_constrains))
            {
                if schema.has_properties() {
                    return Kind::unclear(format!("properties beside `{keyword}`"));
                }
                return self.branches(&schema, branches);
            }
        }
        if let Some(parts) = schema.list("allOf") {
            return match <[Schema; 1]>::try_from(parts) {
                Ok([only]) if !typed => self.kind(only),
                Ok(_) => Kind::unclear("`allOf` beside other demands"),
                Err(_) => Kind::unclear("`allOf` of several schemas"),
            };
        }
        let kinds = match &schema.json["type"] {
            Value::String(kind) => vec![kind.clone()],
            Value::Array(kinds) => {
                kinds.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect()
            }
            _ if members.contains_key("properties") => vec!["object".to_owned()],
            _ if members.contains_key("items") => vec!["array".to_owned()],
            // Nothing is said of the type; whatever else is said does not make one.
            _ => return Kind::FreeForm(None),
        };
        let nullable = kinds.len() > 1 && kinds.iter().any(|kind| kind == "null");
        let kinds: Vec<_> = kinds.iter().filter(|kind| *kind != "null" || !nullable).collect();
        let kind = match kinds.as_slice() {
            [only] => self.typed(&schema, only),
            _ => return Kind::unclear("values of several types"),
        };
        if nullable { kind.or_null() } else { kind }
    }

    fn typed(&mut self, schema: &Schema, kind: &str) -> Kind {
        match kind {
            "string" if schema.text("format") == Some("date-time") => Kind::Date,
            "string" => Kind::Text,
            "integer" => Kind::Integer,
            "number" => Kind::Number,
            "boolean" => Kind::Bool,
            "array" => match schema.part(&["items"]) {
                Some(items) if items.json.is_array() => {
                    Kind::unclear("a list whose items have types by place")
                }
                Some(items) => Kind::List(Box::new(self.kind(items))),
                None => Kind::List(Box::new(Kind::FreeForm(None))),
            },
            "object" => self.object(schema),
            "null" => Kind::unclear("always `null`"),
            _ => Kind::unclear("a type that JSON does not have"),
        }
    }

    fn object(&mut self, schema: &Schema) -> Kind {
        let others = schema.part(&["additionalProperties"]);
        let patterns = schema.json["patternProperties"].as_object();
        match (schema.has_properties(), patterns, others) {
            (true, None, _) => self.record(schema, None, &schema.required()),
            (false, None, Some(others)) if others.json.is_object() => {
                Kind::Map(Box::new(self.kind(others)))
            }
            (false, None, Some(others)) if others.json == Value::Bool(false) => {
                self.record(schema, None, &[])
            }
            (false, Some(patterns), _) if patterns.len() == 1 => {
                let pattern = patterns.keys().next().cloned().unwrap_or_default();
                match schema.part(&["patternProperties", &pattern]) {
                    Some(values) => Kind::Map(Box::new(self.kind(values))),
                    None => Kind::FreeForm(None),
                }
            }
            (_, Some(_), _) => Kind::unclear("properties by patterns"),
            _ => Kind::FreeForm(None),
        }
    }

    /// A place for a type, which is made while it has no definition yet: it may be a part of itself.
    fn reserve(&mut self, place: &Place, description: &str, without: Option<&str>) -> TypeId {
        let id = self.types.all.len();
        self.types.all.push(Type {
            place: place.clone(),
            item: self.item,
            name: String::new(),
            description: description.to_owned(),
            sent: false,
            same_as: None,
            branch_of: None,
            definition: Definition::Record(Record::default()),
        });
        self.types.known.insert((place.clone(), without.map(str::to_owned)), id);
        id
    }

    fn record(&mut self, schema: &Schema, without: Option<&str>, required: &[String]) -> Kind {
        let names: Vec<String> = match schema.json["properties"].as_object() {
            Some(members) => members.keys().cloned().collect(),
            None => Vec::new(),
        };
        if names.len() > MOST_FIELDS {
            return Kind::unclear(format!("more than {MOST_FIELDS} properties"));
        }
        let id = self.reserve(&schema.place, describe(schema), without);
        let mut record = Record::default();
        let mut taken = Vec::new();
        for wire in names.into_iter().filter(|name| Some(name.as_str()) != without) {
            let Some(property) = schema.part(&["properties", &wire]) else { continue };
            let name = names::field(&wire, &taken);
            taken.push(name.rust.clone());
            let description = describe(&property).to_owned();
            let default = property.json.get("default").map(Value::to_string);
            let required = required.contains(&wire);
            let kind = match allowed(&property) {
                // A single text that must be there tells the reader something, but not the program.
                Some(values) if required && matches!(values.as_slice(), [Value::String(_)]) => {
                    Kind::Text
                }
                _ => self.kind(property.clone()),
            };
            let target = self.resolver.follow(property).ok();
            let description = match &target {
                Some(target) if description.is_empty() => describe(target).to_owned(),
                _ => description,
            };
            let rules = target.map(|target| self.rules(&target, &kind)).unwrap_or_default();
            record.fields.push(Field { name, kind, required, description, default, rules });
        }
        let others = schema.json.get("additionalProperties");
        if others.is_some_and(|others| *others == Value::Bool(true) || others.is_object()) {
            record.open = Some(names::field("other", &taken).rust);
        }
        self.types.all[id].definition = Definition::Record(record);
        Kind::Named(id)
    }

    /// A fixed set of values.
    fn values(&mut self, schema: &Schema, values: &[Value]) -> Kind {
        let (nulls, others): (Vec<_>, Vec<_>) =
            values.iter().cloned().partition(|value| value.is_null());
        if !nulls.is_empty() && !others.is_empty() {
            return self.values(schema, &others).or_null();
        }
        let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
        match texts {
            Some(_) if schema.json.get("const").is_some() => Kind::Text,
            Some(texts) => {
                let mut variants: Vec<Name> = Vec::new();
                // A value that is called as what stands for values that are not known, is one of those.
                for text in texts.into_iter().filter(|text| !text.eq_ignore_ascii_case("unknown")) {
                    if variants.iter().any(|known| known.wire == text) {
                        continue;
                    }
                    let name = names::variant(text, variants.iter().map(|name| name.rust.as_str()));
                    variants.push(Name { wire: text.to_owned(), rust: name });
                }
                let id = self.reserve(&schema.place, describe(schema), None);
                self.types.all[id].definition = Definition::Choice(variants);
                Kind::Named(id)
            }
            None if values.iter().all(Value::is_boolean) => Kind::Bool,
            None if values.iter().all(Value::is_i64) => Kind::Integer,
            None if values.iter().all(Value::is_number) => Kind::Number,
            None => Kind::unclear("values of several types"),
        }
    }

    /// `oneOf` or `anyOf`.
    fn branches(&mut self, schema: &Schema, branches: Vec<Schema>) -> Kind {
        let base = schema.text("type");
        let mut followed = Vec::new();
        let mut nullable = false;
        for branch in branches {
            match self.resolver.follow(branch) {
                Ok(branch) if branch.text("type") == Some("null") => nullable = true,
                Ok(branch) => followed.push(branch),
                Err(message) => return self.lost(message),
            }
        }
        let is = |kind: &str| {
            followed.iter().all(|branch| {
                branch.text("type").or(base) == Some(kind)
                    || (kind == "string"
                        && allowed(branch)
                            .is_some_and(|values| values.iter().all(Value::is_string)))
                    || (kind == "object" && branch.json.get("properties").is_some())
            })
        };
        let kind = if followed.len() == 1 {
            self.kind(followed.remove(0))
        } else if is("string") {
            Kind::Text
        } else if is("integer") {
            Kind::Integer
        } else if is("object") {
            self.union(schema, followed)
        } else {
            Kind::unclear("one of several forms")
        };
        if nullable { kind.or_null() } else { kind }
    }

    /// One of several records.
    fn union(&mut self, schema: &Schema, branches: Vec<Schema>) -> Kind {
        if branches.iter().any(is_made_of_several) {
            return Kind::unclear("one of several forms");
        }
        let (records, others): (Vec<_>, Vec<_>) =
            branches.iter().partition(|branch| branch.has_properties());
        let are_nothing =
            others.iter().all(|other| other.json["additionalProperties"] == Value::Bool(false));
        // A record or nothing is a record without anything that it must have.
        if let [only] = records.as_slice()
            && are_nothing
        {
            return self.record_at(only, &schema.place);
        }
        if !others.is_empty() {
            return Kind::unclear("one of several forms");
        }
        let tag = tag_of(&branches);
        let id = self.reserve(&schema.place, describe(schema), None);
        let mut union = Union { tag: tag.clone(), branches: Vec::new() };
        let tags: Vec<Vec<String>> = branches
            .iter()
            .map(|branch| tag.as_ref().and_then(|tag| tags_of(branch, tag)).unwrap_or_default())
            .collect();
        for (index, branch) in branches.iter().enumerate() {
            let required = branch.required();
            // The same tag, or none, in other branches: what it requires beside them tells it.
            let rivals: Vec<_> = (0..branches.len())
                .filter(|other| *other != index && tags[*other] == tags[index])
                .collect();
            let own: Vec<_> = required
                .iter()
                .filter(|name| {
                    !rivals.is_empty()
                        && !rivals.iter().all(|rival| branches[*rival].required().contains(name))
                })
                .map(String::as_str)
                .collect();
            let words: Vec<_> =
                tags[index].first().map(String::as_str).into_iter().chain(own).collect();
            let taken = union.branches.iter().map(|branch: &Branch| branch.name.as_str());
            let name = names::variant(&words.join("-"), taken);
            let left_out = tag.as_deref().filter(|_| tags[index].len() == 1);
            let known = (branch.place.clone(), left_out.map(str::to_owned));
            let record = match self.types.known.get(&known) {
                Some(known) => *known,
                None => match self.record(branch, left_out, &required) {
                    Kind::Named(record) => record,
                    other => return other,
                },
            };
            let by_place = branch.place.path == schema.place.path
                && branch.place.pointer.starts_with(&schema.place.pointer);
            if by_place {
                self.types.all[record].branch_of = Some((id, name.clone()));
            }
            let tags = tags[index].clone();
            union.branches.push(Branch { name, record, tags, required });
        }
        self.types.all[id].definition = Definition::Union(union);
        Kind::Named(id)
    }

    /// A record whose fields stand in a branch, and which is called by the whole schema.
    fn record_at(&mut self, branch: &Schema, whole: &Place) -> Kind {
        let kind = self.record(branch, None, &[]);
        if let Kind::Named(id) = kind {
            self.types.known.insert((whole.clone(), None), id);
            self.types.all[id].place = whole.clone();
        }
        kind
    }

    /// What a schema demands beside its type.
    fn rules(&mut self, schema: &Schema, kind: &Kind) -> Vec<Rule> {
        let number = |key: &str| schema.json.get(key).and_then(Value::as_f64);
        let mut rules = Vec::new();
        match kind {
            Kind::Optional(inner) => return self.rules(schema, inner),
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
                if let Some(values) = allowed(schema) {
                    let values: Vec<_> =
                        values.iter().filter_map(Value::as_str).map(escaped).collect();
                    rules.push(Rule::Pattern(format!("^({})$", values.join("|"))));
                }
                for keyword in ["oneOf", "anyOf"] {
                    let Some(branches) = schema.list(keyword) else { continue };
                    let groups: Vec<_> = branches
                        .into_iter()
                        .map(|branch| self.rules_of_branch(branch, kind).unwrap_or_default())
                        .collect();
                    // One that demands nothing lets everything pass.
                    if groups.iter().all(|rules| !rules.is_empty()) {
                        rules.push(Rule::AnyOf(groups));
                    }
                }
            }
            Kind::Integer | Kind::Number => {
                rules.extend(number("minimum").map(Rule::Minimum));
                rules.extend(number("maximum").map(Rule::Maximum));
            }
            Kind::List(item) => {
                rules.extend(schema.size("minItems").map(Rule::MinItems));
                rules.extend(schema.size("maxItems").map(Rule::MaxItems));
                if schema.json["uniqueItems"] == Value::Bool(true) {
                    rules.push(Rule::UniqueItems);
                }
                rules.extend(self.rules_of_each(schema, &["items"], item));
            }
            Kind::Map(value) => {
                let patterns = schema.json["patternProperties"].as_object();
                rules.extend(match patterns.and_then(|patterns| patterns.keys().next()) {
                    Some(pattern) => {
                        self.rules_of_each(schema, &["patternProperties", pattern], value)
                    }
                    None => self.rules_of_each(schema, &["additionalProperties"], value),
                });
            }
            _ => {}
        }
        rules
    }

    fn rules_of_branch(&mut self, branch: Schema, kind: &Kind) -> Option<Vec<Rule>> {
        let branch = self.resolver.follow(branch).ok()?;
        if self.open.contains(&branch.place) {
            return None;
        }
        self.open.push(branch.place.clone());
        let rules = self.rules(&branch, kind);
        self.open.pop();
        Some(rules)
    }

    fn rules_of_each(&mut self, schema: &Schema, part: &[&str], kind: &Kind) -> Option<Rule> {
        let each = self.resolver.follow(schema.part(part)?).ok()?;
        let rules = self.rules(&each, kind);
        (!rules.is_empty()).then_some(Rule::Each(rules))
    }
}

fn describe(schema: &Schema) -> &str {
    schema.text("description").unwrap_or_default().trim()
}

/// The values of `enum` or `const`.
fn allowed(schema: &Schema) -> Option<Vec<Value>> {
    match (schema.json.get("const"), schema.json.get("enum")) {
        (Some(value), _) => Some(vec![value.clone()]),
        (None, Some(Value::Array(values))) if !values.is_empty() => Some(values.clone()),
        _ => None,
    }
}

/// Whether a schema of an object says more of it than its properties.
fn is_made_of_several(schema: &Schema) -> bool {
    let alternatives = ["oneOf", "anyOf"].iter().filter_map(|keyword| schema.list(keyword));
    alternatives.flatten().any(|branch| !only_constrains(&branch))
        || ["allOf", "patternProperties"].iter().any(|key| schema.json.get(key).is_some())
}

/// Whether a branch says nothing of the type.
fn only_constrains(branch: &Schema) -> bool {
    ["type", "properties", "$ref", "enum", "const", "items", "oneOf", "anyOf", "allOf"]
        .iter()
        .all(|key| branch.json.get(key).is_none())
}

/// The texts that a property of a branch can be, if they are told.
fn tags_of(branch: &Schema, property: &str) -> Option<Vec<String>> {
    let values = allowed(&branch.part(&["properties", property])?)?;
    values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

/// The property that tells the branches of a union apart: the one with the most texts, each of one branch or more.
fn tag_of(branches: &[Schema]) -> Option<String> {
    let (first, _) = branches.split_first()?;
    let mut best: Option<(usize, String)> = None;
    for name in first.json["properties"].as_object()?.keys() {
        let tags: Option<Vec<_>> = branches.iter().map(|branch| tags_of(branch, name)).collect();
        let Some(tags) = tags else { continue };
        let mut texts: Vec<_> = tags.into_iter().flatten().collect();
        texts.sort_unstable();
        texts.dedup();
        if texts.len() > 1 && best.as_ref().is_none_or(|(most, _)| texts.len() > *most) {
            best = Some((texts.len(), name.clone()));
        }
    }
    best.map(|(_, name)| name)
}

/// A text as a pattern that matches only it.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, letter| {
        if letter.is_ascii_punctuation() && !matches!(letter, '<' | '>') {
            out.push('\\');
        }
        out.push(letter);
        out
    })
}
