//! Types in types: those that contain themselves need boxes, and those nested too deep are cut.

use std::collections::{BTreeSet, HashSet};

use crate::schema::types::{DEEPEST, Definition, Kind, TypeId, Types};

/// Boxes every field by which a type contains itself.
pub(crate) fn box_cycles(types: &mut Types) {
    let circular = circular(types);
    for id in circular.iter().copied() {
        let Definition::Record(record) = &types.all[id].definition else { continue };
        let in_cycle: Vec<_> = record
            .fields
            .iter()
            .map(|field| {
                field.kind.direct().is_some_and(|part| reaches(types, &circular, part, id))
            })
            .collect();
        let is_union: Vec<_> = record
            .fields
            .iter()
            .map(|field| {
                field
                    .kind
                    .direct()
                    .is_some_and(|part| matches!(types.all[part].definition, Definition::Union(_)))
            })
            .collect();
        let Definition::Record(record) = &mut types.all[id].definition else { continue };
        for (index, field) in record.fields.iter_mut().enumerate() {
            if !in_cycle[index] {
                continue;
            }
            field.kind = match (&field.kind, field.kind.direct()) {
                (Kind::Optional(_), Some(part)) => Kind::Optional(Box::new(Kind::Boxed(part))),
                (_, Some(part)) if !field.required || is_union[index] => Kind::Boxed(part),
                _ => Kind::unclear("a required field of its own type"),
            };
        }
    }
}

/// The types that may be in cycles, in order: all but those that hold, in the end, none of these.
fn circular(types: &Types) -> BTreeSet<TypeId> {
    let mut holders = vec![Vec::new(); types.all.len()];
    let mut left: Vec<usize> = Vec::with_capacity(types.all.len());
    for (id, kind) in types.all.iter().enumerate() {
        let parts = kind.direct_parts();
        left.push(parts.len());
        parts.into_iter().for_each(|part| holders[part].push(id));
    }
    let mut done: Vec<_> = (0..left.len()).filter(|id| left[*id] == 0).collect();
    while let Some(part) = done.pop() {
        for holder in &holders[part] {
            left[*holder] -= 1;
            if left[*holder] == 0 {
                done.push(*holder);
            }
        }
    }
    (0..left.len()).filter(|id| left[*id] > 0).collect()
}

/// Whether a type holds another directly, not in a list or map.
fn reaches(types: &Types, circular: &BTreeSet<TypeId>, from: TypeId, to: TypeId) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        if id == to {
            return true;
        }
        if circular.contains(&id) && seen.insert(id) {
            open.extend(types.all[id].direct_parts());
        }
    }
    false
}

/// Notes the types that have others in others more than [`DEEPEST`] deep, and makes what is in them free-form JSON. However
/// small the schemas of each are, together they are too much for the compiler.
pub(crate) fn cut(types: &mut Types) {
    for (id, depth) in depths(types).into_iter().enumerate() {
        if depth > DEEPEST {
            let (item, place) = (types.all[id].item, types.all[id].place.clone());
            types.too_deep(item, &place);
            if let Definition::Record(record) = &mut types.all[id].definition {
                for field in record.fields.iter_mut().filter(|field| field.kind.named().is_some()) {
                    field.kind = Kind::unclear("types nested too deep");
                }
            }
        }
    }
}

/// How many types each type has in each other, itself included. What closes a cycle does not count.
fn depths(types: &Types) -> Vec<usize> {
    let mut depths = vec![0; types.all.len()];
    // Types with the parts that are still to be visited; chains may be longer than the stack is deep.
    let mut open: Vec<(TypeId, Vec<TypeId>)> = Vec::new();
    let mut begun = vec![false; types.all.len()];
    for root in 0..types.all.len() {
        let mut next = Some(root);
        loop {
            if let Some(id) = next.take()
                && !std::mem::replace(&mut begun[id], true)
            {
                open.push((id, types.all[id].parts()));
            }
            let Some((id, parts)) = open.last_mut() else { break };
            match parts.pop() {
                Some(part) => next = Some(part),
                None => {
                    let parts = types.all[*id].parts();
                    depths[*id] =
                        1 + parts.into_iter().map(|part| depths[part]).max().unwrap_or_default();
                    open.pop();
                }
            }
        }
    }
    depths
}
