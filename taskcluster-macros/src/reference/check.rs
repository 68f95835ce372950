//! Checks a reference across its parts. Entries that fail are reported and left out.

use std::collections::{HashMap, HashSet};

use crate::input::files::{Document, Files};
use crate::input::invocation::Item;
use crate::input::locate::JsonPath;
use crate::input::problems::{ProblemsAt, did_you_mean};
use crate::names::{self, Name};
use crate::reference::model::{Endpoint, Exchange, Reference};
use crate::schema::resolve::{Lost, Resolver, WITHOUT};

pub(crate) fn reference(
    reference: &mut Reference,
    item: &Item,
    document: &Document,
    files: &mut Files,
    problems: &mut ProblemsAt<'_>,
) {
    let service = reference.service.clone();
    let resolver = Resolver { files, reference: &document.path, service: &service };
    let may_be_missing = item.free_form_if_missing;
    let mut check = Check { document, resolver, problems, may_be_missing };
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

/// The names seen so far, with the entries' wire names.
#[derive(Default)]
struct Seen {
    /// By Rust names.
    entries: HashMap<String, String>,
    /// By the types generated for entries.
    types: HashMap<String, String>,
}

struct Check<'a, 'p> {
    document: &'a Document,
    resolver: Resolver<'a>,
    problems: &'a mut ProblemsAt<'p>,
    may_be_missing: bool,
}

impl Check<'_, '_> {
    /// Whether an entry's name is unique: on the wire, in Rust, and in the types that are generated for it.
    fn unique(&mut self, seen: &mut Seen, name: &Name, types: &[&str], place: &JsonPath) -> bool {
        let wire = &name.wire;
        let message = match seen.entries.get(&name.rust) {
            Some(other) if other == wire => {
                format!("two entries are named `{wire}`; rename one")
            }
            Some(other) => {
                format!("`{other}` and `{wire}` are both `{}` in Rust; rename one", name.rust)
            }
            None => {
                let types: Vec<_> =
                    types.iter().map(|suffix| names::type_name(wire, suffix)).collect();
                let clash = types.iter().find_map(|name| seen.types.get_key_value(name));
                let Some((known, other)) = clash else {
                    seen.types.extend(types.into_iter().map(|name| (name, wire.clone())));
                    seen.entries.insert(name.rust.clone(), wire.clone());
                    return true;
                };
                format!("`{other}` and `{wire}` both need a type `{known}`; rename one")
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

    /// Whether the route's parameters and the arguments are the same.
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
                        &format!("the route `{route}` has unmatched angle brackets"),
                    );
                }
            }
        }
        if rest.contains('>') {
            return self.fail(&place, &format!("the route `{route}` has unmatched angle brackets"));
        }
        let args: Vec<&str> = endpoint.args.iter().map(|arg| arg.wire.as_str()).collect();
        let mut good = true;
        for param in params.iter().filter(|param| !args.contains(param)) {
            let hint = did_you_mean(param, args.iter().copied());
            good = self.fail(
                &place,
                &format!("the route has `<{param}>`, but `args` has no `{param}`{hint}"),
            );
        }
        for arg in args.iter().filter(|arg| !params.contains(arg)) {
            let hint = did_you_mean(arg, params.iter().copied());
            let place = endpoint.place.key("args");
            good = self
                .fail(&place, &format!("`args` has `{arg}`, but the route has no `<{arg}>`{hint}"));
        }
        good
    }

    fn exchange(&mut self, exchange: &Exchange) -> bool {
        let place = exchange.place.key("routingKey");
        let mut good = self.distinct(exchange.routing_key.iter().map(|part| &part.name), &place);
        if exchange.routing_key.iter().filter(|part| part.multiple_words).count() > 1 {
            good = self.fail(
                &place,
                "only one part of a routing key may have `multipleWords`: two could not be told apart",
            );
        }
        good & self.schema(&exchange.schema, &exchange.place.key("schema"))
    }

    fn distinct<'n>(&mut self, names: impl Iterator<Item = &'n Name>, place: &JsonPath) -> bool {
        let mut seen = HashSet::new();
        let mut good = true;
        for name in names {
            if !seen.insert(&name.wire) {
                good = self.fail(place, &format!("`{}` is listed twice", name.wire));
            }
        }
        good
    }

    fn schema(&mut self, schema: &str, place: &JsonPath) -> bool {
        match self.resolver.named(schema) {
            Err(Lost::Missing { .. }) if self.may_be_missing => true,
            Err(Lost::Missing { message, .. }) => self.fail(place, &(message + WITHOUT)),
            // A file that cannot be read is reported where its type is needed.
            Ok(_) | Err(Lost::Wrong(_)) => true,
        }
    }

    fn fail(&mut self, place: &JsonPath, message: &str) -> bool {
        self.problems.report_in(self.document, place, message);
        false
    }
}
