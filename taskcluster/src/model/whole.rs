//! Cloning, comparing and printing whole records, field by field, through their views.

use std::fmt;

use serde_json::Value;

use super::shape::{Field, Others, Presence, Record, Slot, Union, View};

/// Makes a record of one that has the same properties and perhaps more: the implementation of `From` between generated
/// structs, and of `Clone`.
// Into `Clone`, or there would be two functions for each struct.
#[inline]
pub fn convert<T: Field + Record>(record: &dyn Record) -> T {
    let mut copy = T::blank();
    copy_record(record, &mut copy);
    copy
}

fn copy_to(from: View<'_>, to: Slot<'_>) {
    match (from, to) {
        (View::Nothing, Slot::Optional(to, _)) => to.clear(),
        (View::Value(Value::Null), Slot::Optional(to, _)) => to.set_null(),
        (from, Slot::Optional(to, _)) => copy_to(from, to.fill()),
        (View::Text(from), Slot::Text(to)) => from.clone_into(to),
        (View::Integer(from), Slot::Integer(to)) => *to = from,
        (View::Unsigned(from), Slot::Unsigned(to)) => *to = from,
        (View::Number(from), Slot::Number(to)) => to.clone_from(from),
        (View::Bool(from), Slot::Bool(to)) => *to = from,
        (View::Date(from), Slot::Date(to)) => *to = from,
        (View::Choice(from), Slot::Choice(to)) => to.choose(from.text()),
        (View::FreeForm(from), Slot::FreeForm(to)) => to.clone_from(from),
        (View::Value(from), Slot::Value(to)) => to.clone_from(from),
        (View::Record(from), Slot::Record(to)) => copy_record(from, to),
        (View::List(from), Slot::List(to)) => {
            to.clear();
            for index in 0..from.len() {
                copy_to(from.view_of(index), to.push());
            }
        }
        (View::Map(from), Slot::Map(to)) => {
            to.clear();
            from.all(&mut |key, value| {
                copy_to(value, to.insert(key.to_owned()));
                true
            });
        }
        (View::Union(from), Slot::Union(to)) => {
            let (branch, view) = from.chosen();
            copy_to(view, to.choose(branch));
        }
        // Views and slots of types that fit always have the same kind.
        _ => {}
    }
}

fn copy_record(from: &dyn Record, to: &mut dyn Record) {
    let (there, here) = (from.shape(), to.shape());
    if std::ptr::eq(there, here) {
        for index in 0..fields(from) {
            copy_to(from.view_of(index), to.slot_of(index));
        }
        return;
    }
    for (index, field) in here.fields.iter().enumerate() {
        let Some(same) = there.fields.iter().position(|same| same.key == field.key) else {
            continue;
        };
        let view = match from.view_of(same) {
            View::Nothing if there.fields[same].presence == Presence::Nullable => {
                View::Value(&Value::Null)
            }
            view => view,
        };
        copy_to(view, to.slot_of(index));
    }
    if there.others == Others::Kept && here.others == Others::Kept {
        copy_to(from.view_of(there.fields.len()), to.slot_of(here.fields.len()));
    }
}

/// How many fields a record has, including the one for properties without a field.
fn fields(record: &dyn Record) -> usize {
    let shape = record.shape();
    shape.fields.len() + usize::from(shape.others == Others::Kept)
}

/// Whether two records of one type are equal: the implementation of `PartialEq` for generated structs.
// Inlined, the loop would be compiled again for each struct.
#[inline(never)]
#[must_use]
pub fn same(one: &dyn Record, other: &dyn Record) -> bool {
    (0..fields(one)).all(|index| equal(one.view_of(index), other.view_of(index)))
}

fn equal(one: View<'_>, other: View<'_>) -> bool {
    match (one, other) {
        (View::Nothing, View::Nothing) => true,
        (View::Text(a), View::Text(b)) => a == b,
        (View::Integer(a), View::Integer(b)) => a == b,
        (View::Unsigned(a), View::Unsigned(b)) => a == b,
        (View::Number(a), View::Number(b)) => a == b,
        (View::Bool(a), View::Bool(b)) => a == b,
        (View::Date(a), View::Date(b)) => a == b,
        (View::Choice(a), View::Choice(b)) => a.text() == b.text(),
        (View::FreeForm(a), View::FreeForm(b)) => a == b,
        (View::Value(a), View::Value(b)) => a == b,
        (View::Record(a), View::Record(b)) => same(a, b),
        (View::List(a), View::List(b)) => {
            a.len() == b.len()
                && (0..a.len()).all(|index| equal(a.view_of(index), b.view_of(index)))
        }
        (View::Map(a), View::Map(b)) => {
            a.len() == b.len()
                && a.all(&mut |key, value| b.get(key).is_some_and(|other| equal(value, other)))
        }
        (View::Union(a), View::Union(b)) => {
            let ((branch_a, a), (branch_b, b)) = (a.chosen(), b.chosen());
            branch_a == branch_b && equal(a, b)
        }
        _ => false,
    }
}

/// Prints a record with the Rust names of its fields, without its secrets.
///
/// # Errors
///
/// Returns an error if the formatter fails.
pub fn debug(record: &dyn Record, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let shape = record.shape();
    let mut out = f.debug_struct(shape.name);
    for (index, field) in shape.fields.iter().enumerate() {
        match record.view_of(index) {
            View::Nothing => out.field(field.name, &View::Nothing),
            _ if field.secret => out.field(field.name, &format_args!("…")),
            view => out.field(field.name, &view),
        };
    }
    if shape.others == Others::Kept {
        out.field("other", &Hidden(record.view_of(shape.fields.len())));
    }
    out.finish()
}

/// A map whose values nobody knows, so that they may be secrets.
struct Hidden<'a>(View<'a>);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_map();
        if let View::Map(map) = self.0 {
            map.all(&mut |key, _| {
                out.entry(&key, &format_args!("…"));
                true
            });
        }
        out.finish()
    }
}

/// Prints the record in a union. An unknown form is hidden, since it may contain secrets.
///
/// # Errors
///
/// Returns an error if the formatter fails.
pub fn debug_union(union: &dyn Union, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match union.chosen().1 {
        View::Record(record) => debug(record, f),
        _ => f.write_str("Unknown(…)"),
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Nothing => f.write_str("None"),
            Self::Text(text) => text.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Unsigned(number) => number.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Bool(truth) => truth.fmt(f),
            Self::Date(date) => date.fmt(f),
            Self::Choice(choice) => choice.fmt(f),
            Self::Record(record) => debug(record, f),
            Self::Union(union) => debug_union(union, f),
            Self::FreeForm(value) => value.fmt(f),
            Self::Value(value) => value.fmt(f),
            Self::Ruled(payload) => payload.view.fmt(f),
            Self::List(list) => {
                f.debug_list().entries((0..list.len()).map(|index| list.view_of(index))).finish()
            }
            Self::Map(map) => {
                let mut out = f.debug_map();
                map.all(&mut |key, value| {
                    out.entry(&key, &value);
                    true
                });
                out.finish()
            }
        }
    }
}
