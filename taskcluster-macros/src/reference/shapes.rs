//! Reads JSON of the shapes that references are made of. What has another shape is reported.

use serde_json::{Map, Value};

use crate::input::files::Document;
use crate::input::locate::JsonPath;
use crate::input::problems::{ProblemsAt, did_you_mean};
use crate::names;

/// Something cannot be read and has been reported.
pub(super) struct Reported;

pub(super) type Read<T> = Result<T, Reported>;

pub(super) struct Reader<'a, 'p> {
    pub(super) document: &'a Document,
    pub(super) problems: &'a mut ProblemsAt<'p>,
}

/// A JSON object and its place in the file.
#[derive(Clone)]
pub(super) struct Object<'a> {
    pub(super) members: &'a Map<String, Value>,
    pub(super) place: JsonPath,
}

impl Reader<'_, '_> {
    /// Reports unknown properties that resemble a known one that is absent: these must be misspelt. Other unknown properties
    /// may belong to a newer format.
    pub(super) fn misspelt(&mut self, object: &Object<'_>, known: &[&str]) -> Read<()> {
        let mut good = Ok(());
        for key in object.members.keys().filter(|key| !known.contains(&key.as_str())) {
            let absent = known.iter().copied().filter(|known| !object.members.contains_key(*known));
            let hint = did_you_mean(key, absent);
            if !hint.is_empty() {
                good =
                    self.fail(&object.place.key(key), &format!("unknown property `{key}`{hint}"));
            }
        }
        good
    }

    pub(super) fn object<'v>(&mut self, value: &'v Value, place: JsonPath) -> Read<Object<'v>> {
        match value {
            Value::Object(members) => Ok(Object { members, place }),
            _ => self.fail(&place, "expected an object"),
        }
    }

    pub(super) fn member<'v>(&mut self, object: &Object<'v>, key: &str) -> Read<&'v Value> {
        match object.members.get(key) {
            Some(value) => Ok(value),
            None => self.fail(&object.place, &format!("`{key}` is missing")),
        }
    }

    pub(super) fn text(&mut self, object: &Object<'_>, key: &str) -> Read<String> {
        match self.member(object, key)? {
            Value::String(text) => Ok(text.clone()),
            _ => self.fail(&object.place.key(key), &format!("`{key}` must be a string")),
        }
    }

    pub(super) fn optional_text(&mut self, object: &Object<'_>, key: &str) -> Read<Option<String>> {
        match object.members.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.text(object, key).map(Some),
        }
    }

    pub(super) fn flag(&mut self, object: &Object<'_>, key: &str) -> Read<bool> {
        match object.members.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => self.fail(&object.place.key(key), &format!("`{key}` must be true or false")),
        }
    }

    pub(super) fn list<'v>(
        &mut self,
        object: &Object<'v>,
        key: &str,
    ) -> Read<Vec<(&'v Value, JsonPath)>> {
        let place = object.place.key(key);
        match self.member(object, key)? {
            Value::Array(items) => {
                Ok(items.iter().enumerate().map(|(i, item)| (item, place.index(i))).collect())
            }
            _ => self.fail(&place, &format!("`{key}` must be a list")),
        }
    }

    pub(super) fn name(&mut self, object: &Object<'_>, key: &str) -> Read<String> {
        let name = self.text(object, key)?;
        if names::is_usable(&name) {
            Ok(name)
        } else {
            let message = format!("`{name}` cannot become a Rust name; {}", names::USABLE);
            self.fail(&object.place.key(key), &message)
        }
    }

    /// A list of names, which need not be names in Rust, but have none of the `odd` characters.
    pub(super) fn texts(
        &mut self,
        object: &Object<'_>,
        key: &str,
        odd: &[char],
    ) -> Read<Vec<String>> {
        if !object.members.contains_key(key) {
            return Ok(Vec::new());
        }
        let items = self.list(object, key)?;
        items
            .into_iter()
            .map(|(item, place)| match item {
                Value::String(name) => self.sayable(name.clone(), odd, &place),
                _ => self.fail(&place, &format!("`{key}` must contain only strings")),
            })
            .collect()
    }

    /// Refuses names that are empty or contain control characters or `odd` ones.
    pub(super) fn sayable(&mut self, name: String, odd: &[char], place: &JsonPath) -> Read<String> {
        if name.is_empty() {
            return self.fail(place, "a name must not be empty");
        }
        match name.chars().find(|c| c.is_control() || odd.contains(c)) {
            Some(odd) => {
                self.fail(place, &format!("the name `{}` contains {odd:?}", name.escape_debug()))
            }
            None => Ok(name),
        }
    }

    pub(super) fn fail<T>(&mut self, place: &JsonPath, message: &str) -> Read<T> {
        self.problems.report_in(self.document, place, message);
        Err(Reported)
    }
}
