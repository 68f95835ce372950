//! Gives every entry the types of its payload, response, items or messages.

use std::collections::{BTreeSet, HashMap};

use quote::ToTokens as _;

use crate::input::files::Files;
use crate::input::invocation::{Invocation, Item};
use crate::input::locate::JsonPath;
use crate::input::problems::{Problems, ProblemsAt};
use crate::names;
use crate::reference::model::Reference;
use crate::reference::{conversions, keep};
use crate::schema::keywords::Checked;
use crate::schema::nesting;
use crate::schema::resolve::Resolver;
use crate::schema::type_names::{self, Names};
use crate::schema::types::{DEEPEST, Place, Types};
use crate::schema::understand::Understanding;

/// The types of an invocation. Items of the same visibility share theirs, so that one schema is one type.
pub(crate) struct Payloads {
    groups: Vec<Types>,
    /// The group of each item.
    group_of: Vec<usize>,
}

impl Payloads {
    /// The types that an item shares.
    pub(crate) fn of(&self, item: usize) -> &Types {
        &self.groups[self.group_of[item]]
    }
}

/// Keeps the entries that the invocation lists, and makes types of the schemas that they name.
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
    let mut checked = Checked::default();
    for (index, (item, reference)) in invocation.items.iter().zip(&mut *references).enumerate() {
        let group = *keys.entry(visibility(item)).or_insert_with(|| {
            groups.push(Types::default());
            groups.len() - 1
        });
        group_of.push(group);
        if item.keep.is_some() {
            known.extend(names_of_whole(item, reference, files));
            keep::only(reference, item, &mut problems.at(item.path.span()));
        }
        well_formed(item, reference, &mut checked, files, &mut problems.at(item.path.span()));
        let types = &mut groups[group];
        understand(item, reference, index, types, files, &mut problems.at(item.path.span()));
    }
    let reserved: Vec<_> = references.iter().map(reserved).collect();
    for types in &mut groups {
        nesting::cut(types);
        for (item, place) in &types.too_deep {
            let path = &invocation.items[*item].path;
            too_deep(place, files, &mut problems.at(path.span()));
        }
        nesting::box_cycles(types);
        type_names::give(types, &reserved, &known);
    }
    for (reference, group) in references.iter().zip(&group_of) {
        conversions::find(reference, &mut groups[*group]);
    }
    Payloads { groups, group_of }
}

/// Reports a schema that is nested too deep.
fn too_deep(place: &Place, files: &mut Files, problems: &mut ProblemsAt<'_>) {
    let Place { path, pointer } = place;
    // It has been read before.
    let Ok(document) = files.read(path) else { return };
    let message = format!("schemas are nested more than {DEEPEST} deep here");
    problems.report_in(&document, &JsonPath::of_pointer(pointer), &message);
}

/// What decides who sees an item, and whether it exists at all.
fn visibility(item: &Item) -> String {
    let cfgs = item.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let cfgs: Vec<_> = cfgs.map(|attribute| attribute.to_token_stream().to_string()).collect();
    format!("{} {}", item.visibility.to_token_stream(), cfgs.join(" "))
}

/// The names that the types of a reference have if all entries are kept, so that a list of entries changes none.
fn names_of_whole(item: &Item, reference: &mut Reference, files: &mut Files) -> Names {
    let mut types = Types::default();
    // Problems of the entries that are kept are reported later.
    let mut unheard = Problems::default();
    understand(item, reference, 0, &mut types, files, &mut unheard.at(item.path.span()));
    type_names::give(&mut types, &[reserved(reference)], &Names::new());
    let name = |id: usize| types.all[types.all[id].same_as.unwrap_or(id)].name.clone();
    types.known.iter().map(|(place, id)| (place.clone(), name(*id))).collect()
}

/// Reports what is wrong with the schemas that the entries name.
fn well_formed(
    item: &Item,
    reference: &Reference,
    checked: &mut Checked,
    files: &mut Files,
    problems: &mut ProblemsAt<'_>,
) {
    let path = item.path.value();
    let mut resolver = Resolver { files, reference: &path, service: &reference.service };
    let of_endpoints = reference.endpoints.iter().flat_map(|entry| [&entry.input, &entry.output]);
    let of_exchanges = reference.exchanges.iter().map(|exchange| &exchange.schema);
    for name in of_endpoints.flatten().chain(of_exchanges) {
        if let Ok(schema) = resolver.named(name) {
            checked.check(schema, &mut resolver, problems);
        }
    }
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
        free_form_if_missing: item.free_form_if_missing,
    };
    let mut kind = |schema: &String| {
        let schema = understanding.resolver.named(schema);
        understanding.schema(schema)
    };
    for endpoint in &mut reference.endpoints {
        if let Some((payload, rules)) = endpoint.input.as_ref().map(&mut kind) {
            endpoint.payload = Some(payload);
            endpoint.payload_rules = rules;
        }
        endpoint.answer = endpoint.output.as_ref().map(&mut kind).map(|(answer, _)| answer);
    }
    for exchange in &mut reference.exchanges {
        exchange.message = Some(kind(&exchange.schema).0);
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

/// The names of the types that are generated for entries.
fn reserved(reference: &Reference) -> BTreeSet<String> {
    let calls = reference.endpoints.iter().map(|endpoint| (&endpoint.name.wire, "Call"));
    let exchanges = reference.exchanges.iter().map(|exchange| &exchange.name.wire);
    let keys = exchanges.flat_map(|wire| [(wire, ""), (wire, "Key")]);
    calls.chain(keys).map(|(wire, suffix)| names::type_name(wire, suffix)).collect()
}
