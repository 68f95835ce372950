//! The payload types of all items: which entry takes and gives which.

use std::collections::{BTreeSet, HashMap};

use quote::ToTokens as _;

use crate::files::Files;
use crate::invocation::{Invocation, Item};
use crate::model::Reference;
use crate::names;
use crate::problems::Problems;
use crate::schema::Resolver;
use crate::type_names;
use crate::types::Types;
use crate::understand::Understanding;

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

/// Makes types of the schemas that the references name, and tells the entries.
pub(crate) fn find(
    invocation: &Invocation,
    references: &mut [Reference],
    files: &mut Files,
    problems: &mut Problems,
) -> Payloads {
    let mut keys: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Types> = Vec::new();
    let mut group_of = Vec::new();
    for (index, (item, reference)) in invocation.items.iter().zip(&mut *references).enumerate() {
        let group = *keys.entry(visibility(item)).or_insert_with(|| {
            groups.push(Types::default());
            groups.len() - 1
        });
        group_of.push(group);
        let path = item.path.value();
        let service = reference.service.clone();
        let mut understanding = Understanding {
            resolver: Resolver { files: &mut *files, reference: &path, service: &service },
            types: &mut groups[group],
            item: index,
            open: Vec::new(),
            problems: &mut problems.at(item.path.span()),
        };
        understand(reference, &mut understanding);
    }
    let reserved: Vec<_> = references.iter().map(reserved).collect();
    for types in &mut groups {
        types.box_cycles();
        type_names::give(types, &reserved);
    }
    Payloads { groups, group_of }
}

/// What decides who sees an item, and when it is there at all.
fn visibility(item: &Item) -> String {
    let cfgs = item.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let cfgs: Vec<_> = cfgs.map(|attribute| attribute.to_token_stream().to_string()).collect();
    format!("{} {}", item.visibility.to_token_stream(), cfgs.join(" "))
}

fn understand(reference: &mut Reference, understanding: &mut Understanding<'_, '_>) {
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
    let calls = reference.endpoints.iter().map(|endpoint| (&endpoint.name.wire, ["Call", "Call"]));
    let keys = reference.exchanges.iter().map(|exchange| (&exchange.name.wire, ["", "Key"]));
    calls
        .chain(keys)
        .flat_map(|(wire, suffixes)| suffixes.map(|suffix| names::type_name(wire, suffix)))
        .collect()
}
