//! Turns schemas into types, and into free-form JSON where they do not constrain the type or are not supported.

use serde_json::Value;

use crate::input::problems::ProblemsAt;
use crate::schema::demands::Family;
use crate::schema::resolve::{Lost, Resolver, Schema, WITHOUT};
use crate::schema::rules;
use crate::schema::types::{DEEPEST, Definition, Kind, Place, Rule, Types};

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
    /// Understands a schema that a reference names, and what it demands beyond its type.
    pub(crate) fn schema(&mut self, named: Result<Schema, Lost>) -> (Kind, Vec<Rule>) {
        let schema = match named {
            Ok(schema) => schema,
            Err(lost) => return (self.lost(lost), Vec::new()),
        };
        let kind = self.kind(schema.clone());
        let target = self.resolver.follow(schema).ok();
        let rules = target.map(|target| rules::of(&mut self.resolver, self.types, &target, &kind));
        (kind, rules.unwrap_or_default())
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

    pub(super) fn lost(&mut self, lost: Lost) -> Kind {
        match lost {
            Lost::Missing { name, .. } if self.free_form_if_missing => return Kind::missing(&name),
            Lost::Missing { message, .. } => self.problems.report(message + WITHOUT),
            Lost::Wrong(message) => self.problems.report(message),
        }
        Kind::unclear("a schema that was not found")
    }

    pub(super) fn kind(&mut self, schema: Schema) -> Kind {
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
        if allows_null(schema) {
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
            return match *schema.json {
                Value::Bool(true) => Kind::FreeForm(None),
                Value::Bool(false) => Kind::unclear("a schema that allows nothing"),
                _ => Kind::unclear("a schema that is not an object"),
            };
        };
        if let Some(values) = schema.allowed() {
            return self.values(&schema, &values);
        }
        // Branches without a type only constrain the type next to them.
        let typed = members.contains_key("type") || members.contains_key("properties");
        let says_more = |keyword: &&str| {
            schema
                .list(keyword)
                .is_some_and(|all| !(typed && all.iter().all(Schema::only_constrains)))
        };
        let kind = match ["oneOf", "anyOf", "allOf"].into_iter().find(says_more) {
            Some("allOf") => self.parts(&schema),
            Some(keyword) => self.branches(&schema, keyword),
            None => match schema.kinds().as_slice() {
                [only] => self.typed(&schema, only),
                [] if schema.has_properties() => self.object(&schema),
                // Without a type, other keywords do not make one.
                [] => return Kind::FreeForm(None),
                _ => return Kind::unclear("values of several types"),
            },
        };
        if allows_null(&schema) { kind.or_null() } else { kind }
    }

    pub(super) fn typed(&mut self, schema: &Schema, kind: &str) -> Kind {
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
                _ if schema.json.get("prefixItems").is_some() => {
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
        let patterns = schema.json["patternProperties"].as_object().filter(|all| !all.is_empty());
        if schema.has_properties() {
            return self.records(schema);
        }
        match (patterns, others) {
            (None, Some(others)) if others.json.is_object() => {
                Kind::Map(Box::new(self.kind(others)))
            }
            (None, Some(others)) if *others.json == Value::Bool(false) => self.records(schema),
            (None, _) => Kind::FreeForm(None),
            (Some(patterns), Some(others))
                if patterns.len() == 1 && *others.json == Value::Bool(false) =>
            {
                let pattern = patterns.keys().next().cloned().unwrap_or_default();
                match schema.part(&["patternProperties", &pattern]) {
                    Some(values) => Kind::Map(Box::new(self.kind(values))),
                    None => Kind::FreeForm(None),
                }
            }
            _ => Kind::unclear("`patternProperties` for some of the names only"),
        }
    }

    /// `oneOf` or `anyOf`.
    fn branches(&mut self, schema: &Schema, keyword: &str) -> Kind {
        let mut followed = Vec::new();
        for branch in schema.list(keyword).unwrap_or_default() {
            match self.resolver.follow(branch) {
                Ok(branch) => followed.push(branch),
                Err(lost) => return self.lost(lost),
            }
        }
        let count = followed.len();
        followed.retain(|branch| branch.kinds() != ["null"]);
        let nullable = followed.len() < count;
        let base = schema.kinds();
        let is = |kind: &str| {
            followed.iter().all(|branch| {
                let kinds = branch.kinds();
                let kinds = if kinds.is_empty() { &base } else { &kinds };
                *kinds == [kind]
                    || (kind == "string"
                        && branch
                            .allowed()
                            .is_some_and(|values| values.iter().all(Value::is_string)))
            })
        };
        let stands_alone =
            schema.demands(Family::Anything).all(|key| [keyword, "type"].contains(&key));
        let kind = match followed.as_slice() {
            [only] if stands_alone => self.kind(only.clone()),
            _ if stands_alone && followed.iter().all(|branch| branch.allowed().is_some()) => {
                self.listed(schema, &followed)
            }
            _ if is("string") => Kind::Text,
            _ if is("integer") => Kind::Integer,
            _ if is("number") => Kind::Number,
            _ => self.records(schema),
        };
        if nullable { kind.or_null() } else { kind }
    }

    /// `allOf`.
    fn parts(&mut self, schema: &Schema) -> Kind {
        let mut followed = Vec::new();
        for part in schema.list("allOf").unwrap_or_default() {
            match self.resolver.follow(part) {
                Ok(part) => followed.push(part),
                Err(lost) => return self.lost(lost),
            }
        }
        if let [only] = followed.as_slice()
            && schema.demands(Family::Anything).all(|key| key == "allOf")
        {
            return self.kind(only.clone());
        }
        let speaks_of_objects = |part: &Schema| part.kinds() == ["object"] || part.has_properties();
        if speaks_of_objects(schema) || followed.iter().any(speaks_of_objects) {
            return self.records(schema);
        }
        // Each says the same type, or nothing of it.
        let mut kinds = match schema.kinds().as_slice() {
            [only] => vec![self.typed(schema, only)],
            _ => Vec::new(),
        };
        for part in followed {
            if !part.only_constrains() {
                kinds.push(self.kind(part));
            }
        }
        match kinds.split_first() {
            Some((first, others)) if others.iter().all(|other| other == first) => first.clone(),
            Some(_) => Kind::unclear("`allOf` with several types"),
            None => Kind::FreeForm(None),
        }
    }
}

/// Whether an integer can be larger than any `i64`.
fn is_unsigned(schema: &Schema) -> bool {
    let bound = |key: &str| schema.json.get(key).and_then(Value::as_f64);
    schema.text("format") == Some("uint64")
        || (bound("minimum").is_some_and(|least| least >= 0.0)
            && bound("maximum").is_some_and(|most| most > i64::MAX as f64))
}

/// Whether a schema that lists its types lists `null`, too.
fn allows_null(schema: &Schema) -> bool {
    let kinds = schema.json["type"].as_array();
    kinds.is_some_and(|kinds| kinds.len() > 1 && kinds.iter().any(|kind| kind == "null"))
}
