//! Checks a reference across its parts. Entries that fail are reported and left out.

use std::collections::{HashMap, HashSet};

use crate::input::files::{Document, Files};
use crate::input::invocation::Item;
use crate::input::locate::JsonPath;
use crate::input::problems::{ProblemsAt, did_you_mean, misspelt};
use crate::names::{self, Name};
use crate::reference::model::{Endpoint, Exchange, Reference, Scopes};
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
        good &= self.scopes(endpoint);
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
        let Some(params) = placeholders(route) else {
            return self.fail(&place, &format!("the route `{route}` has unmatched angle brackets"));
        };
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

    /// Whether the scopes name arguments and options as they are called. A payload may have others, and so may the service:
    /// where there is no payload, a name that is like one of the endpoint's is a mistake.
    fn scopes(&mut self, endpoint: &Endpoint) -> bool {
        let Some(scopes) = endpoint.scopes.as_ref().filter(|_| endpoint.input.is_none()) else {
            return true;
        };
        let mut named = Vec::new();
        parameters(scopes, &mut named);
        named.dedup();
        let known = || endpoint.args.iter().chain(&endpoint.query).map(|name| name.wire.as_str());
        let mut good = true;
        for name in named.into_iter().filter(|name| known().all(|known| known != *name)) {
            if let Some(near) = misspelt(name, known()) {
                let message = format!(
                    "the scopes name `<{name}>`, but the endpoint has no argument `{name}` and no payload; \
                     did you mean `{near}`?"
                );
                good = self.fail(&endpoint.place.key("scopes"), &message);
            }
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

/// The parameters of an expression that are not its own.
fn parameters<'s>(scopes: &'s Scopes, named: &mut Vec<&'s str>) {
    let of = |template: &'s str| placeholders(template).unwrap_or_default().into_iter();
    match scopes {
        Scopes::Scope(template) => named.extend(of(template)),
        Scopes::AllOf(parts) | Scopes::AnyOf(parts) => {
            parts.iter().for_each(|part| parameters(part, named));
        }
        Scopes::ForEach { var, each, .. } => named.extend(of(each).filter(|name| name != var)),
        Scopes::If { then, otherwise, .. } => {
            parameters(then, named);
            otherwise.iter().for_each(|otherwise| parameters(otherwise, named));
        }
    }
}

/// The names in angle brackets in a template, or `None` if the brackets do not match.
pub(super) fn placeholders(template: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once('<') {
        let (name, tail) = after.split_once('>')?;
        if text.contains('>') || name.contains('<') {
            return None;
        }
        names.push(name);
        rest = tail;
    }
    (!rest.contains('>')).then_some(names)
}
