//! Turns schemas into types, and into free-form JSON where they do not constrain the type or are not supported.

use serde_json::Value;

use crate::input::locate::JsonPath;
use crate::input::problems::{ProblemsAt, misspelt};
use crate::names::{self, Name};
use crate::schema::resolve::{Lost, Resolver, Schema, WITHOUT};
use crate::schema::rules;
use crate::schema::types::{
    Branch, DEEPEST, Definition, Field, Kind, Others, Place, Record, Type, TypeId, Types, Union,
};

/// How many fields a record may have: the runtime can track no more.
const MOST_FIELDS: usize = 256;

/// Makes types of the schemas of one item.
pub(crate) struct Understanding<'a, 'p> {
    pub(crate) resolver: Resolver<'a>,
    pub(crate) types: &'a mut Types,
    pub(crate) item: usize,
    /// The places of the schemas being understood, from the outermost to the innermost.
    pub(crate) open: Vec<Place>,
    pub(crate) problems: &'a mut ProblemsAt<'p>,
    /// Whether a schema that is not to be had is free-form JSON rather than a problem.
    pub(crate) free_form_if_missing: bool,
}

impl Understanding<'_, '_> {
    /// Understands a schema that a reference names.
    pub(crate) fn schema(&mut self, named: Result<Schema, Lost>) -> Kind {
        match named {
            Ok(schema) => self.kind(schema),
            Err(lost) => self.lost(lost),
        }
    }

    /// The type of the values of a list, such as the items of a page.
    pub(crate) fn item_of(&mut self, page: &Kind, property: &str) -> Option<Kind> {
        let Kind::Named(id) = page else { return None };
        let Definition::Record(record) = &self.types.all[*id].definition else { return None };
        let field = record.fields.iter().find(|field| field.name.wire == property)?;
        match &field.kind {
            Kind::List(item) => Some((**item).clone()),
            _ => None,
        }
    }

    fn lost(&mut self, lost: Lost) -> Kind {
        match lost {
            Lost::Missing { name, .. } if self.free_form_if_missing => return Kind::missing(&name),
            Lost::Missing { message, .. } => self.problems.report(message + WITHOUT),
            Lost::Wrong(message) => self.problems.report(message),
        }
        Kind::unclear("a schema that was not found")
    }

    fn kind(&mut self, schema: Schema) -> Kind {
        let schema = match self.resolver.follow(schema) {
            Ok(schema) => schema,
            Err(lost) => return self.lost(lost),
        };
        if let Some(id) = self.types.known.get(&(schema.place.clone(), None)) {
            let named = Kind::Named(*id);
            return if self.is_nullable(&schema) { named.or_null() } else { named };
        }
        if self.open.contains(&schema.place) {
            return Kind::unclear("a reference to itself that passes through no object");
        }
        if self.open.len() == DEEPEST {
            self.types.too_deep(self.item, &schema.place);
            return Kind::unclear("a schema nested too deep");
        }
        self.open.push(schema.place.clone());
        let kind = self.kind_of(schema);
        self.open.pop();
        kind
    }

    /// Whether a schema with a named type also allows `null`.
    fn is_nullable(&mut self, schema: &Schema) -> bool {
        if let Some(values) = schema.allowed() {
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

    /// Understands a schema that has no `$ref` and no type yet.
    fn kind_of(&mut self, schema: Schema) -> Kind {
        let Some(members) = schema.members() else {
            return if *schema.json == Value::Bool(true) {
                Kind::FreeForm(None)
            } else {
                Kind::unclear("a schema that is not an object")
            };
        };
        if let Some(values) = schema.allowed() {
            return self.values(&schema, &values);
        }
        // Branches without a type only constrain the type next to them.
        let typed = members.contains_key("type") || members.contains_key("properties");
        for keyword in ["oneOf", "anyOf"] {
            if let Some(branches) = schema.list(keyword)
                && !(typed && branches.iter().all(only_constrains))
            {
                if schema.has_properties() {
                    return Kind::unclear(format!("`properties` next to `{keyword}`"));
                }
                return self.branches(&schema, branches);
            }
        }
        if let Some(parts) = schema.list("allOf") {
            return match <[Schema; 1]>::try_from(parts) {
                Ok([only]) if !typed => self.kind(only),
                Ok(_) => Kind::unclear("`allOf` next to other keywords"),
                Err(_) => Kind::unclear("`allOf` with several schemas"),
            };
        }
        let kinds = match &schema.json["type"] {
            Value::String(kind) => vec![kind.clone()],
            Value::Array(kinds) => {
                kinds.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect()
            }
            _ if members.contains_key("properties") => vec!["object".to_owned()],
            _ if members.contains_key("items") => vec!["array".to_owned()],
            // Without a type, other keywords do not make one.
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
            "integer" if is_unsigned(schema) => Kind::Unsigned,
            "integer" => Kind::Integer,
            "number" => Kind::Number,
            "boolean" => Kind::Bool,
            "array" => match schema.part(&["items"]) {
                Some(items) if items.json.is_array() => {
                    Kind::unclear("a tuple, which lists a schema for each item")
                }
                Some(items) => Kind::List(Box::new(self.kind(items))),
                None => Kind::List(Box::new(Kind::FreeForm(None))),
            },
            "object" => self.object(schema),
            "null" => Kind::unclear("a value that is always `null`"),
            _ => Kind::unclear("an unknown type"),
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
            (false, None, Some(others)) if *others.json == Value::Bool(false) => {
                self.record(schema, None, &[])
            }
            (false, Some(patterns), _) if patterns.len() == 1 => {
                let pattern = patterns.keys().next().cloned().unwrap_or_default();
                match schema.part(&["patternProperties", &pattern]) {
                    Some(values) => Kind::Map(Box::new(self.kind(values))),
                    None => Kind::FreeForm(None),
                }
            }
            (_, Some(_), _) => Kind::unclear("`patternProperties` next to other properties"),
            _ => Kind::FreeForm(None),
        }
    }

    /// Reserves a type before its definition is known, since it may contain itself.
    fn reserve(&mut self, place: &Place, description: &str, without: Option<&str>) -> TypeId {
        let id = self.types.all.len();
        self.types.all.push(Type {
            place: place.clone(),
            file: String::new(),
            item: self.item,
            name: String::new(),
            description: description.to_owned(),
            sent: false,
            same_as: None,
            branch_of: None,
            made_of: Vec::new(),
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
        self.check_required(schema, required, &names);
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
            let kind = match property.allowed() {
                // A required constant carries no information, so it needs no enum.
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
            let rules = target
                .map(|target| rules::of(&mut self.resolver, &target, &kind))
                .unwrap_or_default();
            record.fields.push(Field { name, kind, required, description, default, rules });
        }
        record.required = self.in_order(schema, required, &record.fields);
        record.others = match schema.json.get("additionalProperties") {
            Some(Value::Bool(false)) => Others::Refused,
            Some(_) => Others::Allowed(names::field("other", &taken).rust),
            None => Others::Unmentioned(names::field("other", &taken).rust),
        };
        self.types.all[id].definition = Definition::Record(record);
        Kind::Named(id)
    }

    /// Reports required properties that no value can have, and misspelt ones. Otherwise a schema may require what it does not
    /// describe.
    fn check_required(&mut self, schema: &Schema, required: &[String], names: &[String]) {
        let elsewhere = ["allOf", "anyOf", "oneOf", "patternProperties"];
        if elsewhere.iter().any(|keyword| schema.json.get(keyword).is_some()) {
            return;
        }
        let is_closed = schema.json["additionalProperties"] == Value::Bool(false);
        for missing in required.iter().filter(|name| !names.contains(name)) {
            let near = misspelt(missing, names.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("; did you mean `{near}`?"),
                None if is_closed => String::new(),
                None => continue,
            };
            if let Ok(document) = self.resolver.files.read(&schema.place.path) {
                let place = JsonPath::of_pointer(&schema.place.pointer);
                let message = format!("`required` names `{missing}`, which is no property{hint}");
                self.problems.report_in(&document, &place.key("required"), &message);
            }
        }
    }

    /// The indices of required fields in the order that their author gave them: that of `properties`, or of `required` in a
    /// file that a program has sorted throughout, as deployments do.
    fn in_order(&mut self, schema: &Schema, required: &[String], fields: &[Field]) -> Vec<usize> {
        let mut indices: Vec<_> =
            (0..fields.len()).filter(|index| fields[*index].required).collect();
        if indices.len() > 1
            && let Ok(document) = self.resolver.files.read(&schema.place.path)
        {
            let names = match document.ordered() {
                sorted if sorted.is_sorted() => required,
                ordered => ordered.names(&format!("{}/properties", schema.place.pointer)),
            };
            indices.sort_by_key(|index| {
                names.iter().position(|name| *name == fields[*index].name.wire)
            });
        }
        indices
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
                // A value called `unknown` is left to the variant for unknown values.
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
                Err(lost) => return self.lost(lost),
            }
        }
        let is = |kind: &str| {
            followed.iter().all(|branch| {
                branch.text("type").or(base) == Some(kind)
                    || (kind == "string"
                        && branch
                            .allowed()
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
            Kind::unclear("alternatives of different shapes")
        };
        if nullable { kind.or_null() } else { kind }
    }

    /// One of several records.
    fn union(&mut self, schema: &Schema, branches: Vec<Schema>) -> Kind {
        if branches.iter().any(is_made_of_several) {
            return Kind::unclear("alternatives of different shapes");
        }
        let (records, others): (Vec<_>, Vec<_>) =
            branches.iter().partition(|branch| branch.has_properties());
        let are_nothing =
            others.iter().all(|other| other.json["additionalProperties"] == Value::Bool(false));
        // A choice between a record and an empty one is a record without required fields.
        if let [only] = records.as_slice()
            && are_nothing
        {
            return self.record_at(only, &schema.place);
        }
        if !others.is_empty() {
            return Kind::unclear("alternatives of different shapes");
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
            // If other branches have the same tag, or none has any, name it by what only it requires.
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

    /// A record whose fields come from a branch, and whose place and name come from the whole schema.
    fn record_at(&mut self, branch: &Schema, whole: &Place) -> Kind {
        let kind = self.record(branch, None, &[]);
        if let Kind::Named(id) = kind {
            self.types.known.insert((whole.clone(), None), id);
            self.types.all[id].place = whole.clone();
        }
        kind
    }
}

/// Whether an integer can be larger than any `i64`.
fn is_unsigned(schema: &Schema) -> bool {
    let bound = |key: &str| schema.json.get(key).and_then(Value::as_f64);
    schema.text("format") == Some("uint64")
        || (bound("minimum").is_some_and(|least| least >= 0.0)
            && bound("maximum").is_some_and(|most| most > i64::MAX as f64))
}

fn describe(schema: &Schema) -> &str {
    schema.text("description").unwrap_or_default().trim()
}

/// Whether a schema of an object has alternatives, parts or patterns besides its properties.
fn is_made_of_several(schema: &Schema) -> bool {
    let alternatives = ["oneOf", "anyOf"].iter().filter_map(|keyword| schema.list(keyword));
    alternatives.flatten().any(|branch| !only_constrains(&branch))
        || ["allOf", "patternProperties"].iter().any(|key| schema.json.get(key).is_some())
}

/// Whether a branch does not determine a type.
fn only_constrains(branch: &Schema) -> bool {
    ["type", "properties", "$ref", "enum", "const", "items", "oneOf", "anyOf", "allOf"]
        .iter()
        .all(|key| branch.json.get(key).is_none())
}

/// The strings that a property of a branch is limited to, if it is.
fn tags_of(branch: &Schema, property: &str) -> Option<Vec<String>> {
    let values = branch.part(&["properties", property])?.allowed()?;
    values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

/// The property that tells the branches of a union apart: the one with the most distinct strings.
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
