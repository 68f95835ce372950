//! Makes records, unions of records, and enums of schemas.

use serde_json::Value;

use crate::input::locate::JsonPath;
use crate::input::problems::misspelt;
use crate::names;
use crate::schema::forms::Form;
use crate::schema::resolve::Schema;
use crate::schema::rules;
use crate::schema::types::{
    Branch, Definition, Field, Kind, Others, Place, Record, Rule, Type, TypeId, UNKNOWN, Union,
    Variant,
};
use crate::schema::understand::Understanding;

/// How many fields a record may have: the runtime can track no more.
const MOST_FIELDS: usize = 256;

impl Understanding<'_, '_> {
    /// A record, or one of several.
    pub(super) fn records(&mut self, schema: &Schema) -> Kind {
        self.check_required(schema);
        let mut forms = match self.forms(schema) {
            Ok(forms) => forms,
            Err(why) => return Kind::unclear(why),
        };
        if forms.iter().any(|form| form.properties.len() > MOST_FIELDS) {
            return Kind::unclear(format!("more than {MOST_FIELDS} properties"));
        }
        let mut rules = rules::of_object(&mut self.resolver, schema, &forms);
        // A choice between a record and an empty one is a record without required fields.
        let is_empty = |form: &Form| form.properties.is_empty() && form.closed.is_some();
        if forms.len() > 1 && forms.iter().filter(|form| !is_empty(form)).count() == 1 {
            forms.retain(|form| !is_empty(form));
            forms[0].required.clear();
            // The schema asks for all of them or none.
            rules = vec![rules::whole(&mut self.resolver, schema)];
        }
        match forms.as_slice() {
            [only] if only.is_object => {
                let form = Form { place: schema.place.clone(), ..only.clone() };
                let id = self.record(&form, None, false);
                if let Definition::Record(record) = &mut self.types.all[id].definition {
                    record.rules = rules;
                }
                Kind::Named(id)
            }
            _ => self.union(schema, forms, rules),
        }
    }

    /// Reports required properties that no value can have, and misspelt ones. Otherwise a schema may require what it does not
    /// describe.
    fn check_required(&mut self, schema: &Schema) {
        let elsewhere = ["allOf", "anyOf", "oneOf", "patternProperties"];
        if elsewhere.iter().any(|keyword| schema.json.get(keyword).is_some()) {
            return;
        }
        let (Some(properties), Some(required)) =
            (schema.json["properties"].as_object(), schema.json["required"].as_array())
        else {
            return;
        };
        let is_closed = schema.json["additionalProperties"] == Value::Bool(false);
        let required = required.iter().filter_map(Value::as_str);
        for missing in required.filter(|name| !properties.contains_key(*name)) {
            let near = misspelt(missing, properties.keys().map(String::as_str));
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

    /// Reserves a type before its definition is known, since it may contain itself.
    fn reserve(&mut self, place: &Place, description: &str, without: Option<&str>) -> TypeId {
        let id = self.types.all.len();
        let document = self.resolver.files.read(&place.path).ok();
        self.types.all.push(Type {
            place: place.clone(),
            line: document.and_then(|document| document.ordered().line(&place.pointer)),
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

    fn record(&mut self, form: &Form, without: Option<&str>, keeps_others: bool) -> TypeId {
        let id = self.reserve(&form.place, &form.description, without);
        let mut record = Record::default();
        let mut taken = Vec::new();
        let properties = form.properties.iter().filter(|(name, _)| Some(name.as_str()) != without);
        for (wire, schemas) in properties {
            let name = names::field(wire, &taken);
            taken.push(name.rust.clone());
            let required = form.required.contains(wire);
            let kind = self.property(schemas, required);
            let mut field = Field {
                name,
                required,
                description: String::new(),
                default: None,
                rules: Vec::new(),
                kind,
            };
            for schema in schemas {
                self.describe_field(&mut field, schema);
            }
            record.fields.push(field);
        }
        record.required = self.in_order(form, &record.fields);
        record.others = if form.closed.is_some() {
            Others::Refused
        } else if form.speaks_of_others || keeps_others {
            Others::Allowed(names::field("other", &taken).rust)
        } else {
            Others::Unmentioned(names::field("other", &taken).rust)
        };
        self.types.all[id].definition = Definition::Record(record);
        id
    }

    /// The indices of required fields in the order that their author gave them: that of `properties`, or of `required` in a
    /// file that a program has sorted throughout, as deployments do. What several schemas say together is in their order.
    fn in_order(&mut self, form: &Form, fields: &[Field]) -> Vec<usize> {
        let mut schemas: Vec<(&str, &str)> = Vec::new();
        let mut places = Vec::new();
        for (index, field) in fields.iter().enumerate().filter(|(_, field)| field.required) {
            let wire = &field.name.wire;
            let among = |names: &[String]| names.iter().position(|name| name == wire);
            let first = form.properties.iter().find(|(name, _)| name == wire);
            let Some(place) = first.and_then(|(_, schemas)| Some(&schemas.first()?.place)) else {
                places.push((usize::MAX, None, index));
                continue;
            };
            let around = place.pointer.rsplit_once('/').map_or("", |(around, _)| around);
            let schema = (place.path.as_str(), around);
            let number = schemas.iter().position(|known| *known == schema).unwrap_or_else(|| {
                schemas.push(schema);
                schemas.len() - 1
            });
            let document = self.resolver.files.read(&place.path);
            let position = document.ok().and_then(|document| match document.ordered() {
                sorted if sorted.is_sorted() => among(&form.required),
                ordered => among(ordered.names(around)),
            });
            places.push((number, position, index));
        }
        places.sort_unstable();
        places.into_iter().map(|(_, _, index)| index).collect()
    }

    /// The type of a property that is all of these.
    fn property(&mut self, schemas: &[Schema], required: bool) -> Kind {
        // A required constant carries no information, so it needs no enum.
        let is_constant = |schema: &Schema| {
            required
                && schema.allowed().is_some_and(|all| matches!(all.as_slice(), [Value::String(_)]))
        };
        if schemas.iter().any(is_constant) {
            return Kind::Text;
        }
        let mut kinds: Vec<_> = schemas.iter().map(|schema| self.kind(schema.clone())).collect();
        if kinds.len() > 1 {
            // What allows everything adds nothing.
            kinds.retain(|kind| *kind != Kind::FreeForm(None));
        }
        let is_enum = |kind: &Kind| {
            kind.direct()
                .is_some_and(|id| matches!(self.types.all[id].definition, Definition::Choice(_)))
        };
        if kinds.iter().any(is_enum) {
            kinds.retain(|kind| *kind != Kind::Text);
        }
        match kinds.split_first() {
            Some((first, others)) if others.iter().all(|other| other == first) => first.clone(),
            Some(_) => Kind::unclear("the parts of `allOf` give it different types"),
            None => Kind::FreeForm(None),
        }
    }

    /// Adds what a schema says of a field besides its type.
    fn describe_field(&mut self, field: &mut Field, schema: &Schema) {
        let target = self.resolver.follow(schema.clone()).ok();
        for schema in [Some(schema), target.as_ref()].into_iter().flatten() {
            if field.description.is_empty() {
                schema.description().clone_into(&mut field.description);
            }
        }
        if field.default.is_none() {
            field.default = schema.json.get("default").map(Value::to_string);
        }
        if let Some(target) = target {
            let rules = rules::of(&mut self.resolver, self.types, &target, &field.kind);
            field.rules.extend(rules);
        }
    }

    /// One of several records, or of a record and whatever is no object.
    fn union(&mut self, schema: &Schema, forms: Vec<Form>, rules: Vec<Rule>) -> Kind {
        let tag = tag_of(&forms);
        let id = self.reserve(&schema.place, schema.description(), None);
        let is_open = !forms.iter().all(|form| form.is_object);
        let mut union = Union { tag: tag.clone(), branches: Vec::new(), is_open, rules };
        let tags: Vec<Vec<Value>> = forms
            .iter()
            .map(|form| tag.as_ref().and_then(|tag| form.values_of(tag)).unwrap_or_default())
            .collect();
        for (index, form) in forms.iter().enumerate() {
            // If other branches have the same tag, or none has any, name it by what only it requires.
            let rivals: Vec<_> = (0..forms.len())
                .filter(|other| *other != index && tags[*other] == tags[index])
                .map(|other| &forms[other])
                .collect();
            let own: Vec<_> = form
                .required
                .iter()
                .filter(|name| {
                    !rivals.is_empty() && !rivals.iter().all(|rival| rival.required.contains(name))
                })
                .map(String::as_str)
                .collect();
            let tag_word = tags[index].first().map(|value| word(tag.as_deref(), value));
            let words: Vec<_> = tag_word.as_deref().into_iter().chain(own).collect();
            let words = match words.as_slice() {
                [] => other_name(form, index, &forms),
                words => words.join("-"),
            };
            let taken = union.branches.iter().map(|branch: &Branch| branch.name.as_str());
            let name = names::variant(&words, taken);
            let left_out = tag.as_deref().filter(|tag| {
                tags[index].len() == 1 && form.required.iter().any(|name| name == tag)
            });
            // The place of the union itself is the union's.
            let own = (form.place == schema.place).then_some("");
            let known = (form.place.clone(), left_out.or(own).map(str::to_owned));
            let loses = |other: &Form| other.properties.iter().any(|(name, _)| !form.has(name));
            let keeps_others = rivals.iter().any(|rival| loses(rival));
            let record = match self.types.known.get(&known) {
                Some(known) => *known,
                None => {
                    let record = self.record(form, left_out.or(own), keeps_others);
                    if left_out.or(own).is_none() && !form.is_whole {
                        self.rule_alone(form, record);
                    }
                    record
                }
            };
            let by_place = form.place.path == schema.place.path
                && form.place.pointer.starts_with(&schema.place.pointer);
            if by_place {
                self.types.all[record].branch_of = Some((id, name.clone()));
            }
            union.branches.push(Branch {
                name,
                record,
                tags: tags[index].clone(),
                required: form.required.clone(),
                leaves_tag_out: left_out.is_some(),
            });
        }
        self.types.all[id].definition = Definition::Union(union);
        Kind::Named(id)
    }

    /// Adds to a branch's record what its schema demands of it where it stands alone.
    fn rule_alone(&mut self, form: &Form, record: TypeId) {
        let Ok(file) = self.resolver.files.read(&form.place.path) else { return };
        let Some(json) = file.at(&form.place.pointer) else { return };
        let schema = Schema { place: form.place.clone(), json };
        let rules = rules::of_object(&mut self.resolver, &schema, std::slice::from_ref(form));
        if let Definition::Record(record) = &mut self.types.all[record].definition {
            record.rules = rules;
        }
    }

    /// A fixed set of values.
    pub(super) fn values(&mut self, schema: &Schema, values: &[Value]) -> Kind {
        self.described_values(schema, values.iter().map(|value| (value.clone(), "")).collect())
    }

    /// A choice between schemas that list values, each of which may describe its own.
    pub(super) fn listed(&mut self, schema: &Schema, branches: &[Schema]) -> Kind {
        let values = branches.iter().flat_map(|branch| {
            let values = branch.allowed().unwrap_or_default().into_iter();
            values.map(|value| (value, branch.description()))
        });
        self.described_values(schema, values.collect())
    }

    fn described_values(&mut self, schema: &Schema, values: Vec<(Value, &str)>) -> Kind {
        let (nulls, values): (Vec<_>, Vec<_>) =
            values.into_iter().partition(|(value, _)| value.is_null());
        if !nulls.is_empty() && !values.is_empty() {
            return self.described_values(schema, values).or_null();
        }
        if values.is_empty() {
            return Kind::unclear("a value that is always `null`");
        }
        let kinds = schema.kinds();
        let all = |is: fn(&Value) -> bool, kind: &[&str]| {
            values.iter().all(|(value, _)| is(value))
                && (kinds.is_empty() || kinds.iter().any(|one| kind.contains(&one.as_str())))
        };
        if all(Value::is_string, &["string"]) {
            if schema.json.get("const").is_some() {
                return Kind::Text;
            }
            let mut variants: Vec<Variant> = Vec::new();
            for (value, description) in &values {
                let text = value.as_str().unwrap_or_default();
                if variants.iter().any(|known| known.wire == text) {
                    continue;
                }
                let taken = variants.iter().map(|known| known.rust.as_str());
                variants.push(Variant {
                    // A value called `unknown` is left to the variant for unknown values.
                    rust: match text.eq_ignore_ascii_case(UNKNOWN) {
                        true => UNKNOWN.to_owned(),
                        false => names::variant(text, taken),
                    },
                    wire: text.to_owned(),
                    description: (*description).to_owned(),
                });
            }
            let id = self.reserve(&schema.place, schema.description(), None);
            self.types.all[id].definition = Definition::Choice(variants);
            return Kind::Named(id);
        }
        if all(Value::is_boolean, &["boolean"]) {
            Kind::Bool
        } else if all(is_exact, &["integer", "number"]) {
            Kind::Integer
        } else if all(Value::is_number, &["number"]) {
            Kind::Number
        } else {
            Kind::unclear("values of several types")
        }
    }
}

/// Whether a value is an integer that is read in every notation: `1e3` is one, too.
fn is_exact(value: &Value) -> bool {
    value.as_i64().is_some_and(|number| number.abs() < 1_000_000_000_000_000)
}

/// The name of a branch by the value of its tag: a text by itself, others with what they are the value of.
fn word(tag: Option<&str>, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => format!("{}-{other}", tag.unwrap_or_default()),
    }
}

/// The name of a branch that neither a tag nor a required property tells from others: that of its definition, of what
/// it requires, or of a property that only it has.
fn other_name(form: &Form, index: usize, forms: &[Form]) -> String {
    if forms.len() == 1 {
        return "object".to_owned();
    }
    let steps: Vec<_> = form.place.pointer.rsplit('/').collect();
    if let [name, "definitions" | "$defs", ..] = steps.as_slice() {
        return (*name).to_owned();
    }
    let alike = forms.iter().filter(|other| other.required == form.required);
    if !form.required.is_empty() && alike.count() == 1 {
        return form.required.join("-");
    }
    let is_own = |name: &&String| forms.iter().filter(|form| form.has(name)).count() == 1;
    let own = form.properties.iter().map(|(name, _)| name).find(is_own);
    own.cloned().unwrap_or_else(|| format!("form{}", index + 1))
}

/// The property that tells the branches of a union apart: the one with the most distinct values.
fn tag_of(forms: &[Form]) -> Option<String> {
    let (first, _) = forms.split_first()?;
    let mut best: Option<(usize, String)> = None;
    for (name, _) in &first.properties {
        let values: Option<Vec<_>> = forms.iter().map(|form| form.values_of(name)).collect();
        let mut distinct: Vec<Value> = Vec::new();
        for value in values.into_iter().flatten().flatten() {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        if distinct.len() > 1 && best.as_ref().is_none_or(|(most, _)| distinct.len() > *most) {
            best = Some((distinct.len(), name.clone()));
        }
    }
    best.map(|(_, name)| name)
}
