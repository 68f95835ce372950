//! What can only be seen across a reference's parts. What fails is reported and left out.

use std::collections::HashSet;

use crate::input::files::{Document, Files};
use crate::input::invocation::Item;
use crate::input::locate::JsonPath;
use crate::input::problems::{ProblemsAt, did_you_mean};
use crate::names;
use crate::reference::model::{Endpoint, Exchange, Name, Reference};

pub(crate) fn reference(
    reference: &mut Reference,
    document: &Document,
    files: &Files,
    problems: &mut ProblemsAt<'_>,
) {
    let service = reference.service.clone();
    let mut check = Check { document, files, problems, service };
    let mut seen = Seen::default();
    let left_out = &mut reference.left_out;
    reference.endpoints.retain(|endpoint| {
        let types = if endpoint.query.is_empty() { &[][..] } else { &["Call"] };
        let unique = check.unique(&mut seen, &endpoint.name, types, &endpoint.place);
        let good = check.endpoint(endpoint) && unique;
        if !good {
            left_out.push(endpoint.name.rust.clone());
        }
        good
    });
    reference.exchanges.retain(|exchange| {
        let unique = check.unique(&mut seen, &exchange.name, &["", "Key"], &exchange.place);
        let good = check.exchange(exchange) && unique;
        if !good {
            left_out.push(exchange.name.rust.clone());
        }
        good
    });
}

/// Drops what is not in the invocation's list, if it has one, and reports names in it that are not there.
pub(crate) fn keep_only(reference: &mut Reference, item: &Item, problems: &mut ProblemsAt<'_>) {
    let Some(keep) = &item.keep else { return };
    let (kind, known): (_, Vec<&str>) = if reference.of_exchanges {
        (
            "exchange",
            reference.exchanges.iter().map(|exchange| exchange.name.rust.as_str()).collect(),
        )
    } else {
        (
            "endpoint",
            reference.endpoints.iter().map(|endpoint| endpoint.name.rust.as_str()).collect(),
        )
    };
    let mut kept = HashSet::new();
    for ident in keep {
        let name = ident.to_string();
        if !known.contains(&name.as_str()) {
            // What is left out has been reported, and so has a reference without any entry.
            if !known.is_empty() && !reference.left_out.contains(&name) {
                let hint = did_you_mean(&name, known.iter().copied());
                let path = item.path.value();
                problems.report_at(ident.span(), format!("no {kind} `{name}` in `{path}`{hint}"));
            }
        } else if !kept.insert(name) {
            problems.report_at(ident.span(), format!("{kind} `{ident}` is listed twice"));
        }
    }
    reference.endpoints.retain(|endpoint| kept.contains(&endpoint.name.rust));
    reference.exchanges.retain(|exchange| kept.contains(&exchange.name.rust));
}

/// The names met so far.
#[derive(Default)]
struct Seen {
    entries: Vec<Name>,
    /// The types made for entries, with the entries' wire names.
    types: Vec<(String, String)>,
}

struct Check<'a, 'p> {
    document: &'a Document,
    files: &'a Files,
    problems: &'a mut ProblemsAt<'p>,
    service: String,
}

impl Check<'_, '_> {
    /// Whether an entry's name is its own, on the wire, in Rust, and in the types that are made for it.
    fn unique(&mut self, seen: &mut Seen, name: &Name, types: &[&str], place: &JsonPath) -> bool {
        let wire = &name.wire;
        let other = seen.entries.iter().find(|other| other.rust == name.rust);
        let message = match other {
            Some(other) if other.wire == *wire => format!("there are two entries named `{wire}`"),
            Some(other) => {
                format!("`{}` and `{wire}` are both `{}` in Rust", other.wire, name.rust)
            }
            None => {
                let types: Vec<_> =
                    types.iter().map(|suffix| names::type_name(wire, suffix)).collect();
                let clash = seen.types.iter().find(|(known, _)| types.contains(known));
                let Some((known, other)) = clash else {
                    seen.types.extend(types.into_iter().map(|name| (name, wire.clone())));
                    seen.entries.push(name.clone());
                    return true;
                };
                format!("`{other}` and `{wire}` both make a type `{known}`")
            }
        };
        self.fail(&place.key("name"), &message)
    }

    fn endpoint(&mut self, endpoint: &Endpoint) -> bool {
        let mut good = self.route(endpoint);
        good &= self.distinct(endpoint.args.iter(), &endpoint.place.key("args"));
        good &= self.distinct(endpoint.query.iter(), &endpoint.place.key("query"));
        for (key, schema) in [("input", &endpoint.input), ("output", &endpoint.output)] {
            if let Some(schema) = schema {
                good &= self.schema(schema, &endpoint.place.key(key));
            }
        }
        good
    }

    /// Each parameter of the route is an argument, and the other way round.
    fn route(&mut self, endpoint: &Endpoint) -> bool {
        let place = endpoint.place.key("route");
        let route = endpoint.route.as_str();
        let mut params = Vec::new();
        let mut rest = route;
        while let Some((text, after)) = rest.split_once('<') {
            match after.split_once('>') {
                Some((param, tail)) if !text.contains('>') && !param.contains('<') => {
                    params.push(param);
                    rest = tail;
                }
                _ => {
                    return self.fail(
                        &place,
                        &format!("the angle brackets of the route `{route}` do not match"),
                    );
                }
            }
        }
        if rest.contains('>') {
            return self
                .fail(&place, &format!("the angle brackets of the route `{route}` do not match"));
        }
        let args: Vec<&str> = endpoint.args.iter().map(|arg| arg.wire.as_str()).collect();
        let mut good = true;
        for param in params.iter().filter(|param| !args.contains(param)) {
            let hint = did_you_mean(param, args.iter().copied());
            good = self
                .fail(&place, &format!("the route has `<{param}>`, which is not in `args`{hint}"));
        }
        for arg in args.iter().filter(|arg| !params.contains(arg)) {
            let hint = did_you_mean(arg, params.iter().copied());
            let place = endpoint.place.key("args");
            good = self.fail(
                &place,
                &format!("`{arg}` is in `args`, but the route has no `<{arg}>`{hint}"),
            );
        }
        good
    }

    fn exchange(&mut self, exchange: &Exchange) -> bool {
        let place = exchange.place.key("routingKey");
        let mut good = self.distinct(exchange.routing_key.iter().map(|part| &part.name), &place);
        if exchange.routing_key.iter().filter(|part| part.multiple_words).count() > 1 {
            good = self.fail(
                &place,
                "two parts of a routing key have `multipleWords`, so that none can be told apart",
            );
        }
        good & self.schema(&exchange.schema, &exchange.place.key("schema"))
    }

    fn distinct<'n>(&mut self, names: impl Iterator<Item = &'n Name>, place: &JsonPath) -> bool {
        let mut seen = HashSet::new();
        let mut good = true;
        for name in names {
            if !seen.insert(&name.rust) {
                good = self.fail(place, &format!("`{}` stands here twice", name.wire));
            }
        }
        good
    }

    fn schema(&mut self, schema: &str, place: &JsonPath) -> bool {
        match self.files.find_schema(&self.document.path, &self.service, schema) {
            Ok(_) => true,
            Err(places) => {
                let places: Vec<_> = places.iter().map(|place| format!("`{place}`")).collect();
                let places = places.join(" or ");
                self.fail(place, &format!("the schema `{schema}` is missing; it would be {places}"))
            }
        }
    }

    fn fail(&mut self, place: &JsonPath, message: &str) -> bool {
        self.problems.report_in(self.document, place, message);
        false
    }
}
