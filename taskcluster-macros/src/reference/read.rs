//! Reads the model of a reference from its JSON. Entries with mistakes are reported and left out.

use serde_json::{Map, Value};

use crate::input::files::Document;
use crate::input::locate::JsonPath;
use crate::input::problems::{ProblemsAt, did_you_mean, expected};
use crate::names;
use crate::reference::model::{Endpoint, Exchange, Method, Part, Reference, Scopes, Stability};

/// Something cannot be read and has been reported.
struct Reported;

type Read<T> = Result<T, Reported>;

struct Reader<'a, 'p> {
    document: &'a Document,
    problems: &'a mut ProblemsAt<'p>,
}

/// A JSON object and its place in the file.
#[derive(Clone)]
struct Object<'a> {
    members: &'a Map<String, Value>,
    place: JsonPath,
}

pub(crate) fn reference(document: &Document, problems: &mut ProblemsAt<'_>) -> Reference {
    let mut reader = Reader { document, problems };
    reader.reference().unwrap_or_default()
}

/// What a reference says of itself; its entries are left out.
pub(crate) fn heading(document: &Document, problems: &mut ProblemsAt<'_>) -> Option<Reference> {
    let mut reader = Reader { document, problems };
    reader.heading().ok().map(|(_, reference)| reference)
}

impl<'a> Reader<'a, '_> {
    fn reference(&mut self) -> Read<Reference> {
        let (root, mut reference) = self.heading()?;
        for (entry, place) in self.list(&root, "entries")? {
            // A mistake in one entry does not affect the others.
            if self.entry(entry, place, &mut reference).is_err()
                && let Some(name) = entry.get("name").and_then(Value::as_str)
            {
                reference.left_out.push(names::method(name).rust);
            }
        }
        Ok(reference)
    }

    fn heading(&mut self) -> Read<(Object<'a>, Reference)> {
        let document = self.document;
        let root = self.object(&document.json, JsonPath::default())?;
        self.misspelt(
            &root,
            &[
                "$schema",
                "apiVersion",
                "version",
                "serviceName",
                "baseUrl",
                "exchangePrefix",
                "title",
                "description",
                "entries",
            ],
        )?;
        let mut reference = Reference {
            title: self.optional_text(&root, "title")?.unwrap_or_default(),
            description: self.optional_text(&root, "description")?.unwrap_or_default(),
            base_url: self.base_url(&root)?,
            exchange_prefix: self.exchange_prefix(&root)?,
            of_exchanges: root.members.contains_key("exchangePrefix"),
            ..Reference::default()
        };
        (reference.service, reference.version) = self.service_and_version(&root, &reference)?;
        Ok((root, reference))
    }

    /// The prefix of exchanges, with the slash that joins it to their names.
    fn exchange_prefix(&mut self, root: &Object<'_>) -> Read<String> {
        let prefix = self.optional_text(root, "exchangePrefix")?.unwrap_or_default();
        let complete = prefix.is_empty() || prefix.ends_with('/');
        Ok(if complete { prefix } else { prefix + "/" })
    }

    /// Checks what the runtime relies on: a scheme, then host and path of plain characters.
    fn base_url(&mut self, root: &Object<'_>) -> Read<Option<String>> {
        let Some(url) = self.optional_text(root, "baseUrl")? else { return Ok(None) };
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:".contains(c);
        match rest {
            Some(rest)
                if rest.starts_with(|c: char| c.is_ascii_alphanumeric())
                    && rest.chars().all(plain) =>
            {
                Ok(Some(url.trim_end_matches('/').to_owned()))
            }
            _ => self.fail(
                &root.place.key("baseUrl"),
                &format!("`baseUrl` must be a plain http or https URL, not `{url}`"),
            ),
        }
    }

    /// Reads `serviceName` and `apiVersion`, or infers them from `baseUrl` or `exchangePrefix` as references of 2017 need it.
    fn service_and_version(
        &mut self,
        root: &Object<'_>,
        reference: &Reference,
    ) -> Read<(String, String)> {
        let name = self.optional_text(root, "serviceName")?;
        let version = self.optional_text(root, "apiVersion")?;
        let inferred = match &reference.base_url {
            Some(url) => url.split_once("://").and_then(|(_, rest)| {
                let (host, path) = rest.trim_end_matches('/').split_once('/')?;
                Some((host.split(['.', ':']).next()?, path.rsplit('/').next()?))
            }),
            None => {
                let prefix = reference.exchange_prefix.strip_prefix("exchange/taskcluster-");
                prefix.and_then(|prefix| prefix.trim_end_matches('/').split_once('/'))
            }
        };
        let (inferred_name, inferred_version) = inferred.unzip();
        let name = name.or_else(|| inferred_name.map(str::to_owned));
        let version = version.or_else(|| inferred_version.map(str::to_owned));
        let missing = match (&name, &version) {
            (None, None) => "`serviceName` and `apiVersion`",
            (None, _) => "`serviceName`",
            _ => "`apiVersion`",
        };
        let (Some(name), Some(version)) = (name, version) else {
            return self.fail(
                &root.place,
                &format!(
                    "not an API reference: add {missing}, or a `baseUrl` of the form `https://<service>.<domain>/<version>`"
                ),
            );
        };
        for word in [&name, &version] {
            if !names::is_usable(word) {
                return self.fail(
                    &root.place,
                    &format!("`{word}` is not a service name or API version; {}", names::USABLE),
                );
            }
        }
        Ok((name, version))
    }

    fn entry(&mut self, entry: &Value, place: JsonPath, reference: &mut Reference) -> Read<()> {
        let entry = self.object(entry, place)?;
        match (self.text(&entry, "type")?.as_str(), reference.of_exchanges) {
            ("function", false) => reference.endpoints.push(self.endpoint(&entry)?),
            ("topic-exchange", true) => reference.exchanges.push(self.exchange(&entry)?),
            ("function", true) => {
                return self.fail(
                    &entry.place,
                    "the entry is an endpoint, but the reference has an `exchangePrefix`; move it to a reference without one",
                );
            }
            ("topic-exchange", false) => {
                return self.fail(
                    &entry.place,
                    "the entry is an exchange, but the reference has no `exchangePrefix`; add one",
                );
            }
            (other, _) => {
                let hint = expected(other, &["function", "topic-exchange"]);
                return self.fail(
                    &entry.place.key("type"),
                    &format!("unknown entry type `{other}`{hint}"),
                );
            }
        }
        Ok(())
    }

    fn endpoint(&mut self, entry: &Object<'_>) -> Read<Endpoint> {
        let spelling = self.misspelt(
            entry,
            &[
                "type",
                "name",
                "title",
                "description",
                "category",
                "method",
                "route",
                "args",
                "query",
                "stability",
                "scopes",
                "input",
                "output",
            ],
        );
        // Read every property before failing, so that all mistakes are reported.
        let name = self.name(entry, "name");
        let title = self.optional_text(entry, "title");
        let description = self.optional_text(entry, "description");
        let category = self.optional_text(entry, "category");
        let method = self.method(entry);
        let route = self.route(entry);
        let args = self.names(entry, "args");
        let query = self.names(entry, "query");
        let input = self.schema(entry, "input");
        let output = self.schema(entry, "output");
        let scopes = match entry.members.get("scopes") {
            None => Ok(None),
            Some(scopes) => self.scopes(scopes, entry.place.key("scopes")).map(Some),
        };
        let stability = self.stability(entry);
        Ok(Endpoint {
            place: entry.place.clone(),
            name: names::method(&name?),
            title: title?.unwrap_or_default(),
            description: description?.unwrap_or_default(),
            category: category?,
            method: method?,
            route: route?,
            args: args?.iter().map(|name| names::argument(name)).collect(),
            query: query?.iter().map(|name| names::query_option(name)).collect(),
            input: input?,
            output: output?,
            scopes: scopes?,
            stability: stability?,
            paging: spelling.map(|()| None)?,
            patterns: Vec::new(),
            query_patterns: Vec::new(),
            payload: None,
            payload_rules: Vec::new(),
            answer: None,
            item: None,
        })
    }

    fn exchange(&mut self, entry: &Object<'_>) -> Read<Exchange> {
        self.misspelt(
            entry,
            &["type", "name", "title", "description", "exchange", "routingKey", "schema"],
        )?;
        let name = self.name(entry, "name");
        let title = self.optional_text(entry, "title");
        let description = self.optional_text(entry, "description");
        let exchange = self.text(entry, "exchange");
        let schema = self.text(entry, "schema");
        let parts = self.list(entry, "routingKey").and_then(|parts| {
            let parts: Vec<_> =
                parts.into_iter().map(|(part, place)| self.part(part, place)).collect();
            parts.into_iter().collect::<Read<Vec<_>>>()
        });
        Ok(Exchange {
            place: entry.place.clone(),
            name: names::method(&name?),
            title: title?.unwrap_or_default(),
            description: description?.unwrap_or_default(),
            exchange: exchange?,
            schema: schema?,
            routing_key: parts?,
            message: None,
        })
    }

    fn part(&mut self, part: &Value, place: JsonPath) -> Read<Part> {
        let part = self.object(part, place)?;
        self.misspelt(
            &part,
            &["name", "summary", "constant", "required", "multipleWords", "maxSize"],
        )?;
        Ok(Part {
            name: names::routing_key_part(&self.name(&part, "name")?),
            summary: self.optional_text(&part, "summary")?.unwrap_or_default(),
            constant: self.optional_text(&part, "constant")?,
            required: self.flag(&part, "required")?,
            multiple_words: self.flag(&part, "multipleWords")?,
        })
    }

    fn method(&mut self, entry: &Object<'_>) -> Read<Method> {
        let method = self.text(entry, "method")?;
        Ok(match method.to_ascii_lowercase().as_str() {
            "get" => Method::Get,
            "post" => Method::Post,
            "put" => Method::Put,
            "patch" => Method::Patch,
            "delete" => Method::Delete,
            "head" => Method::Head,
            _ => {
                let hint = expected(&method, &["get", "post", "put", "patch", "delete", "head"]);
                return self.fail(
                    &entry.place.key("method"),
                    &format!("unknown HTTP method `{method}`{hint}"),
                );
            }
        })
    }

    fn route(&mut self, entry: &Object<'_>) -> Read<String> {
        let route = self.text(entry, "route")?;
        let in_text = |c: char| c.is_ascii_alphanumeric() || "/-_.~<>".contains(c);
        if !route.starts_with('/') {
            return self.fail(
                &entry.place.key("route"),
                &format!("the route `{route}` must start with `/`"),
            );
        }
        if let Some(odd) = route.chars().find(|c| !in_text(*c)) {
            let message = format!(
                "the route `{route}` contains {odd:?}; use letters, digits and `/-_.~` only"
            );
            return self.fail(&entry.place.key("route"), &message);
        }
        Ok(route)
    }

    fn stability(&mut self, entry: &Object<'_>) -> Read<Stability> {
        let stability = self.optional_text(entry, "stability")?;
        Ok(match stability.as_deref() {
            None | Some("stable") => Stability::Stable,
            Some("experimental") => Stability::Experimental,
            Some("deprecated") => Stability::Deprecated,
            Some(other) => {
                let hint = expected(other, &["stable", "experimental", "deprecated"]);
                return self.fail(
                    &entry.place.key("stability"),
                    &format!("unknown stability `{other}`{hint}"),
                );
            }
        })
    }

    /// Reads the name of a schema; `blob` marks a body that is not JSON and so has none.
    fn schema(&mut self, entry: &Object<'_>, key: &str) -> Read<Option<String>> {
        Ok(self.optional_text(entry, key)?.filter(|schema| schema != "blob"))
    }

    fn scopes(&mut self, scopes: &Value, place: JsonPath) -> Read<Scopes> {
        match scopes {
            Value::String(scope) => Ok(Scopes::Scope(scope.clone())),
            // References of 2017 list alternative sets of scopes.
            Value::Array(sets) => {
                let mut any = Vec::with_capacity(sets.len());
                for (i, set) in sets.iter().enumerate() {
                    let place = place.index(i);
                    let Value::Array(set) = set else {
                        return self.fail(
                            &place,
                            "expected a list of scopes: `scopes` is a list of such lists, and a caller needs all scopes of one of them",
                        );
                    };
                    any.push(Scopes::AllOf(self.all_scopes(set, &place)?));
                }
                Ok(Scopes::AnyOf(any))
            }
            Value::Object(members) => {
                let object = Object { members, place };
                if let Some(parts) = members.get("AllOf").or_else(|| members.get("AnyOf")) {
                    let key = if members.contains_key("AllOf") { "AllOf" } else { "AnyOf" };
                    let place = object.place.key(key);
                    let Value::Array(parts) = parts else {
                        return self
                            .fail(&place, &format!("`{key}` must be a list of scope expressions"));
                    };
                    let parts = self.all_scopes(parts, &place)?;
                    return Ok(if key == "AllOf" {
                        Scopes::AllOf(parts)
                    } else {
                        Scopes::AnyOf(parts)
                    });
                }
                if members.contains_key("for") {
                    return Ok(Scopes::ForEach {
                        var: self.text(&object, "for")?,
                        list: self.text(&object, "in")?,
                        each: self.text(&object, "each")?,
                    });
                }
                if members.contains_key("if") {
                    let condition = self.text(&object, "if")?;
                    let then = self.member(&object, "then")?;
                    let then = self.scopes(then, object.place.key("then"))?;
                    let otherwise = match members.get("else") {
                        Some(scopes) => {
                            Some(Box::new(self.scopes(scopes, object.place.key("else"))?))
                        }
                        None => None,
                    };
                    return Ok(Scopes::If { condition, then: Box::new(then), otherwise });
                }
                let known = ["AllOf", "AnyOf", "for", "if"];
                let hint =
                    members.keys().next().map(|key| did_you_mean(key, known)).unwrap_or_default();
                self.fail(
                    &object.place,
                    &format!(
                        "a scope expression needs one of `AllOf`, `AnyOf`, `for` and `if`{hint}"
                    ),
                )
            }
            _ => self.fail(&place, "expected a scope (a string) or a scope expression (an object)"),
        }
    }

    fn all_scopes(&mut self, parts: &[Value], place: &JsonPath) -> Read<Vec<Scopes>> {
        parts.iter().enumerate().map(|(i, part)| self.scopes(part, place.index(i))).collect()
    }

    /// Reports unknown properties that resemble a known one that is absent: these must be misspelt. Other unknown properties
    /// may belong to a newer format.
    fn misspelt(&mut self, object: &Object<'_>, known: &[&str]) -> Read<()> {
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

    // The shapes of JSON.

    fn object<'v>(&mut self, value: &'v Value, place: JsonPath) -> Read<Object<'v>> {
        match value {
            Value::Object(members) => Ok(Object { members, place }),
            _ => self.fail(&place, "expected an object"),
        }
    }

    fn member<'v>(&mut self, object: &Object<'v>, key: &str) -> Read<&'v Value> {
        match object.members.get(key) {
            Some(value) => Ok(value),
            None => self.fail(&object.place, &format!("`{key}` is missing")),
        }
    }

    fn text(&mut self, object: &Object<'_>, key: &str) -> Read<String> {
        match self.member(object, key)? {
            Value::String(text) => Ok(text.clone()),
            _ => self.fail(&object.place.key(key), &format!("`{key}` must be a string")),
        }
    }

    fn optional_text(&mut self, object: &Object<'_>, key: &str) -> Read<Option<String>> {
        match object.members.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.text(object, key).map(Some),
        }
    }

    fn flag(&mut self, object: &Object<'_>, key: &str) -> Read<bool> {
        match object.members.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => self.fail(&object.place.key(key), &format!("`{key}` must be true or false")),
        }
    }

    fn list<'v>(&mut self, object: &Object<'v>, key: &str) -> Read<Vec<(&'v Value, JsonPath)>> {
        let place = object.place.key(key);
        match self.member(object, key)? {
            Value::Array(items) => {
                Ok(items.iter().enumerate().map(|(i, item)| (item, place.index(i))).collect())
            }
            _ => self.fail(&place, &format!("`{key}` must be a list")),
        }
    }

    fn name(&mut self, object: &Object<'_>, key: &str) -> Read<String> {
        let name = self.text(object, key)?;
        self.usable_name(name, &object.place.key(key))
    }

    fn names(&mut self, object: &Object<'_>, key: &str) -> Read<Vec<String>> {
        if !object.members.contains_key(key) {
            return Ok(Vec::new());
        }
        let items = self.list(object, key)?;
        items
            .into_iter()
            .map(|(item, place)| match item {
                Value::String(name) => self.usable_name(name.clone(), &place),
                _ => self.fail(&place, &format!("`{key}` must contain only strings")),
            })
            .collect()
    }

    fn usable_name(&mut self, name: String, place: &JsonPath) -> Read<String> {
        if names::is_usable(&name) {
            Ok(name)
        } else {
            self.fail(place, &format!("`{name}` cannot become a Rust name; {}", names::USABLE))
        }
    }

    fn fail<T>(&mut self, place: &JsonPath, message: &str) -> Read<T> {
        self.problems.report_in(self.document, place, message);
        Err(Reported)
    }
}
