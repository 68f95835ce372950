//! Whether the values of one type can become values of another, property by property.

use crate::schema::types::{Definition, Field, Kind, Record, TypeId, Types};

/// Whether a record has every property of another, with a type that fits. It may have more. A record without properties has
/// nothing in common with another.
pub(crate) fn fits(types: &Types, from: TypeId, to: TypeId) -> bool {
    Fitting { types, open: Vec::new() }.types(from, to)
}

struct Fitting<'a> {
    types: &'a Types,
    /// The pairs being compared, from the outermost to the innermost: types may contain themselves.
    open: Vec<(TypeId, TypeId)>,
}

impl Fitting<'_> {
    fn types(&mut self, from: TypeId, to: TypeId) -> bool {
        if from == to || self.open.contains(&(from, to)) {
            return true;
        }
        let types = self.types;
        match (&types.all[from].definition, &types.all[to].definition) {
            (Definition::Record(one), Definition::Record(other)) => {
                self.open.push((from, to));
                let fits = self.records(one, other);
                self.open.pop();
                fits
            }
            (Definition::Choice(some), Definition::Choice(all)) => {
                some.iter().all(|one| all.iter().any(|known| known.wire == one.wire))
            }
            _ => false,
        }
    }

    fn records(&mut self, from: &Record, to: &Record) -> bool {
        let fits = |field: &Field| {
            let same = from.fields.iter().find(|same| same.name.wire == field.name.wire);
            same.is_some_and(|same| self.fields(same, field))
        };
        !to.fields.is_empty() && to.fields.iter().all(fits)
    }

    fn fields(&mut self, from: &Field, to: &Field) -> bool {
        let is_there = from.required || !to.required;
        let has_value = !from.nullable() || to.nullable() || !to.required;
        is_there && has_value && self.kinds(from.kind.or_value(), to.kind.or_value())
    }

    fn kinds(&mut self, from: &Kind, to: &Kind) -> bool {
        match (from, to) {
            (Kind::FreeForm(_), Kind::FreeForm(_)) => true,
            (Kind::List(from), Kind::List(to)) | (Kind::Map(from), Kind::Map(to)) => {
                self.kinds(from, to)
            }
            (from, Kind::Optional(to)) => self.kinds(from.or_value(), to),
            (Kind::Named(from) | Kind::Boxed(from), Kind::Named(to) | Kind::Boxed(to)) => {
                self.types(*from, *to)
            }
            (from, to) => from == to,
        }
    }
}
