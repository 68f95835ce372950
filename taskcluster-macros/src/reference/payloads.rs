//! The payload types of all items: which entry takes and gives which.

use std::collections::{BTreeSet, HashMap};

use quote::ToTokens as _;

use crate::input::files::Files;
use crate::input::invocation::{Invocation, Item};
use crate::input::problems::{Problems, ProblemsAt};
use crate::names;
use crate::reference::check;
use crate::reference::model::Reference;
use crate::schema::resolve::Resolver;
use crate::schema::type_names::{self, Names};
use crate::schema::types::Types;
use crate::schema::understand::Understanding;

/// The types of an invocation. Items that are visible alike share theirs, so that one schema is one type.
pub(crate) struct Payloads {
    groups: Vec<Types>,
    /// The group of each item.
    group_of: Vec<usize>,
}

impl Payloads {
    pub(crate) fn of(&self, item: usize) -> &Types {
        &self.groups[self.group_of[item]]
    }
}

/// Keeps of the references what the invocation lists, makes types of the schemas that these entries name, and tells them.
pub(crate) fn find(
    invocation: &Invocation,
    references: &mut [Reference],
    files: &mut Files,
    problems: &mut Problems,
) -> Payloads {
    let mut keys: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Types> = Vec::new();
    let mut group_of = Vec::new();
    let mut known = Names::new();
    for (index, (item, reference)) in invocation.items.iter().zip(&mut *references).enumerate() {
        let group = *keys.entry(visibility(item)).or_insert_with(|| {
            groups.push(Types::default());
            groups.len() - 1
        });
        group_of.push(group);
        if item.keep.is_some() {
            known.extend(names_of_whole(item, reference, files));
            check::keep_only(reference, item, &mut problems.at(item.path.span()));
        }
        let types = &mut groups[group];
        understand(item, reference, index, types, files, &mut problems.at(item.path.span()));
    }
    let reserved: Vec<_> = references.iter().map(reserved).collect();
    for types in &mut groups {
        types.box_cycles();
        type_names::give(types, &reserved, &known);
    }
    Payloads { groups, group_of }
}

/// What decides who sees an item, and when it is there at all.
fn visibility(item: &Item) -> String {
    let cfgs = item.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let cfgs: Vec<_> = cfgs.map(|attribute| attribute.to_token_stream().to_string()).collect();
    format!("{} {}", item.visibility.to_token_stream(), cfgs.join(" "))
}

/// What the types of a reference are called if all of it is kept, so that a list of entries changes no name.
fn names_of_whole(item: &Item, reference: &mut Reference, files: &mut Files) -> Names {
    let mut types = Types::default();
    // They are reported for the entries that are kept.
    let mut unheard = Problems::default();
    understand(item, reference, 0, &mut types, files, &mut unheard.at(item.path.span()));
    type_names::give(&mut types, &[reserved(reference)], &Names::new());
    let name = |id: usize| types.all[types.all[id].same_as.unwrap_or(id)].name.clone();
    types.known.iter().map(|(place, id)| (place.clone(), name(*id))).collect()
}

fn understand(
    item: &Item,
    reference: &mut Reference,
    index: usize,
    types: &mut Types,
    files: &mut Files,
    problems: &mut ProblemsAt<'_>,
) {
    let path = item.path.value();
    let service = reference.service.clone();
    let mut understanding = Understanding {
        resolver: Resolver { files, reference: &path, service: &service },
        types,
        item: index,
        open: Vec::new(),
        problems,
    };
    let mut kind = |schema: &String| {
        let Resolver { reference, service, .. } = understanding.resolver;
        // What is missing has been reported by then.
        let path = understanding.resolver.files.find_schema(reference, service, schema).ok()?;
        Some(understanding.file(&path))
    };
    for endpoint in &mut reference.endpoints {
        endpoint.payload = endpoint.input.as_ref().and_then(&mut kind);
        endpoint.answer = endpoint.output.as_ref().and_then(&mut kind);
    }
    for exchange in &mut reference.exchanges {
        exchange.message = kind(&exchange.schema);
    }
    for endpoint in &mut reference.endpoints {
        if let Some(payload) = &endpoint.payload {
            understanding.types.mark_sent(payload);
        }
        if let (Some(paging), Some(answer)) = (&endpoint.paging, &endpoint.answer) {
            endpoint.item = understanding.item_of(answer, &paging.items);
        }
    }
}

/// The names of types that are made for the entries.
fn reserved(reference: &Reference) -> BTreeSet<String> {
    let calls = reference.endpoints.iter().map(|endpoint| (&endpoint.name.wire, "Call"));
    let exchanges = reference.exchanges.iter().map(|exchange| &exchange.name.wire);
    let keys = exchanges.flat_map(|wire| [(wire, ""), (wire, "Key")]);
    calls.chain(keys).map(|(wire, suffix)| names::type_name(wire, suffix)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::schema::types::{Definition, Kind};

    /// An invocation with every reference of both generations.
    fn everything() -> Invocation {
        let mut items = String::new();
        for generation in ["current", "2017"] {
            let folder = format!("../references/{generation}");
            let mut files = Vec::new();
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    files.extend(["v1/api.json", "v1/exchanges.json"].map(|file| path.join(file)));
                } else {
                    files.push(path);
                }
            }
            files.retain(|file| file.is_file());
            files.sort();
            for file in files {
                let number = items.lines().count();
                items.push_str(&format!("pub struct Service{number} = {file:?};\n"));
            }
        }
        syn::parse_str(&items).unwrap()
    }

    /// The fields that are free form although their schemas are not, with the reason.
    fn exceptions(types: &Types) -> BTreeMap<String, String> {
        let mut exceptions = BTreeMap::new();
        for kind in &types.all {
            let Definition::Record(record) = &kind.definition else { continue };
            for field in &record.fields {
                if let Some(why) = field.kind.not_understood() {
                    let place = format!("{}#{}", kind.place.path, kind.place.pointer);
                    exceptions.insert(format!("{place}: {}", field.name.wire), why.to_owned());
                }
            }
        }
        exceptions
    }

    fn understood(invocation: &Invocation) -> (Vec<Reference>, Payloads) {
        let mut problems = Problems::default();
        let mut files = Files::in_this_crate();
        let mut references: Vec<_> = invocation
            .items
            .iter()
            .map(|item| crate::read_item(item, &mut files, &mut problems.at(item.path.span())))
            .collect();
        let payloads = find(invocation, &mut references, &mut files, &mut problems);
        let problems = problems.into_compile_errors().map(|errors| errors.to_string());
        assert_eq!(problems, None);
        (references, payloads)
    }

    fn names(types: &Types) -> Vec<&str> {
        let types = types.all.iter().filter(|kind| kind.same_as.is_none());
        types.map(|kind| kind.name.as_str()).collect()
    }

    #[test]
    fn only_what_kept_entries_need_is_made() {
        let queue = "pub struct Reader = \"../references/current/queue/v1/api.json\" { status };";
        let (_, payloads) = understood(&syn::parse_str(queue).unwrap());
        let mut names = names(payloads.of(0));
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "TaskPriority",
                "TaskState",
                "TaskStatus",
                "TaskStatusResponse",
                "TaskStatusRun",
                "TaskStatusRunReasonCreated",
                "TaskStatusRunReasonResolved",
                "TaskStatusRunState",
            ]
        );
    }

    #[test]
    fn one_schema_is_one_type_for_items_that_are_equally_visible() {
        let of = |visibility: &str| {
            let items = format!(
                "pub struct Queue = \"../references/current/queue/v1/api.json\";
                {visibility} struct Events = \"../references/current/queue/v1/exchanges.json\";"
            );
            let (_, payloads) = understood(&syn::parse_str(&items).unwrap());
            let statuses = payloads.groups.iter().flat_map(names);
            statuses.filter(|name| *name == "TaskStatus").count()
        };
        assert_eq!((of("pub"), of("")), (1, 2));
    }

    #[test]
    fn every_schema_of_both_generations_is_understood() {
        let invocation = everything();
        let (references, payloads) = understood(&invocation);
        assert!(references.len() > 30);

        let types = payloads.of(0);
        assert!(types.all.len() > 300, "{}", types.all.len());
        assert_eq!(exceptions(types), BTreeMap::new());
        let mut free_form = Vec::new();
        let mut without_items = Vec::new();
        for (item, reference) in invocation.items.iter().zip(&references) {
            for endpoint in &reference.endpoints {
                let name = format!("{}: {}", item.path.value(), endpoint.name.wire);
                for kind in [&endpoint.payload, &endpoint.answer].into_iter().flatten() {
                    if kind.not_understood().is_some() {
                        free_form.push(name.clone());
                    }
                }
                // A page of something has items of a type.
                let pages = endpoint.query.iter().any(|option| option.wire == "continuationToken");
                if pages && !matches!(&endpoint.item, Some(Kind::Named(_) | Kind::Text)) {
                    without_items.push(name);
                }
            }
            for exchange in &reference.exchanges {
                if !matches!(&exchange.message, Some(Kind::Named(_))) {
                    free_form.push(format!("{}: {}", item.path.value(), exchange.name.wire));
                }
            }
        }
        assert_eq!(free_form, [""; 0]);
        assert_eq!(without_items, [""; 0]);
    }

    #[test]
    fn odd_shapes_are_free_form_for_a_reason() {
        let invocation =
            syn::parse_str("pub struct Shapes = \"../tests/compile/api/shapes.json\";").unwrap();
        let (references, payloads) = understood(&invocation);
        let place = "../tests/compile/api/schemas/shapes/v1/";
        let found: Vec<_> = exceptions(payloads.of(0))
            .into_iter()
            .map(|(field, why)| format!("{}: {why}", field.strip_prefix(place).unwrap()))
            .collect();
        assert_eq!(
            found,
            [
                "loop.json#: next: it must hold a value of its own kind",
                "odd.json#: allOfSeveral: `allOf` of several schemas",
                "odd.json#: always: always `null`",
                "odd.json#: besideOneOf: properties beside `oneOf`",
                "odd.json#: byPatternToo: properties by patterns",
                "odd.json#: listOrText: one of several forms",
                "odd.json#: madeUp: a type that JSON does not have",
                "odd.json#: mixedEnum: values of several types",
                "odd.json#: no: its schema is not an object",
                "odd.json#: recordOrMap: one of several forms",
                "odd.json#: textOrNumber: values of several types",
                "odd.json#: tuple: a list whose items have types by place",
                "odd.json#: tuples: a list whose items have types by place",
                "odd.json#: union: one of several forms",
            ]
        );
        let docs = crate::expand::all(&invocation, &references, &payloads).to_string();
        let reasons = docs.matches("free form since its schema is not understood").count();
        // Those of fields, and of two payloads that are answers, too.
        assert_eq!(reasons, found.len());
        assert_eq!(docs.matches("free form since it is not understood").count(), 6);
    }
}
