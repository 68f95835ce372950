//! Reads the model of a reference from its JSON. Entries with mistakes are reported and left out.

use serde_json::Value;

use crate::input::files::Document;
use crate::input::locate::JsonPath;
use crate::input::problems::{ProblemsAt, expected};
use crate::names::{self, Name};
use crate::reference::model::{Endpoint, Exchange, Method, Part, Reference, Stability};
use crate::reference::routes;
use crate::reference::shapes::{Object, Read, Reader};

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

    /// Reads `serviceName` and `apiVersion`, or infers them from `baseUrl` or `exchangePrefix`.
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
            None => of_prefix(&reference.exchange_prefix),
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
            let or = if reference.of_exchanges {
                "an `exchangePrefix` of the form `exchange/<service>/<version>/`"
            } else {
                "a `baseUrl` of the form `https://<service>.<domain>/<version>`"
            };
            let message = format!("not an API reference: add {missing}, or {or}");
            return self.fail(&root.place, &message);
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
        let args = self.texts(entry, "args", &['<', '>', '/']);
        let query = self.texts(entry, "query", &[]);
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
            args: names::arguments(&args?),
            query: names::query_options(&query?),
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
            let mut parts = parts.into_iter().collect::<Read<Vec<_>>>()?;
            let wires: Vec<_> = parts.iter().map(|part| part.name.wire.clone()).collect();
            for (part, name) in parts.iter_mut().zip(names::routing_key_parts(&wires)) {
                part.name = name;
            }
            Ok(parts)
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
        let wire = self.text(&part, "name")?;
        let wire = self.sayable(wire, &[], &part.place.key("name"))?;
        Ok(Part {
            // All parts of a key get their Rust names together.
            name: Name { wire, rust: String::new() },
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
        match routes::mistake(&route) {
            Some(mistake) => {
                self.fail(&entry.place.key("route"), &format!("the route `{route}` {mistake}"))
            }
            None => Ok(route),
        }
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
}

/// The service and version in a prefix of exchanges, such as `exchange/taskcluster-queue/v1/` or `exchange/acme/builds/v2/`.
fn of_prefix(prefix: &str) -> Option<(&str, &str)> {
    let (service, version) = prefix.strip_suffix('/')?.rsplit_once('/')?;
    let digits = version.strip_prefix('v')?;
    let is_version = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    let service = service.rsplit('/').next().unwrap_or(service);
    let service = service.strip_prefix("taskcluster-").unwrap_or(service);
    (is_version && service != "exchange").then_some((service, version))
}
