//! Reading: filling slots from any serde format.
//!
//! The code is generic over the format only, so there is one copy of it for JSON, whatever the type. An error contains the
//! path from the outermost record to the value. After an error, whatever was filled before is discarded.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_core::Deserialize as _;
use serde_core::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::free_form::FreeForm;
use super::keys::{Key, KeyReader};
use super::number::Number;
use super::shape::{Access, Field, List, Others, Presence, Record, Shape, Slot, Union};
use super::strictness::{self, Missing, Strictness};
use super::trace::{MAX_DEPTH, Step, Trace};
use super::union::{candidates, form_of};
use crate::dates;
use crate::error::shown;
use crate::reference::nearest::nearest;

/// Reads a value of a generated type: the implementation of its `Deserialize`.
///
/// # Errors
///
/// Says what is wrong and where: `status: runs[3]: runId: expected an integer`.
pub fn read<'de, T: Field, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    // In place, since every type has a copy of this.
    let mut read = Ok(T::blank());
    if let Ok(value) = &mut read
        && let Err(error) = fill_outermost(value, from)
    {
        read = Err(error);
    }
    read
}

/// Not inlined, so that it is not compiled again for each type.
#[inline(never)]
fn fill_outermost<'de, D: Deserializer<'de>>(
    value: &mut dyn Access,
    from: D,
) -> Result<(), D::Error> {
    let mut trace = Trace::new(strictness::current());
    let filled = fill(value.slot(), &mut trace, from);
    strictness::note(&trace.missing);
    filled.map_err(|error| trace.explain(error))
}

fn fill<'de, D: Deserializer<'de>>(
    slot: Slot<'_>,
    trace: &mut Trace,
    from: D,
) -> Result<(), D::Error> {
    Reader { slot, trace }.deserialize(from)
}

/// Fills one slot.
struct Reader<'s, 't> {
    slot: Slot<'s>,
    trace: &'t mut Trace,
}

impl Reader<'_, '_> {
    fn expected(&self) -> &'static str {
        match &self.slot {
            Slot::Text(_) | Slot::Choice(_) => "text",
            Slot::Integer(_) | Slot::Unsigned(_) => "an integer",
            Slot::Number(_) => "a number",
            Slot::Bool(_) => "true or false",
            Slot::Date(_) => "a date",
            Slot::Record(_) | Slot::Map(_) => "an object",
            Slot::List(_) => "a list",
            Slot::Union(_)
            | Slot::FreeForm(_)
            | Slot::Value(_)
            | Slot::Optional(..)
            | Slot::Nothing => "a value",
        }
    }

    fn wrong<E: Error>(self, found: &str) -> Result<(), E> {
        let message = format!("expected {}, found {found}", self.expected());
        Err(self.trace.fail(message))
    }

    /// The slot inside an optional one.
    #[inline]
    fn present(self) -> Self {
        match self.slot {
            Slot::Optional(optional, _) => Reader { slot: optional.fill(), trace: self.trace },
            _ => self,
        }
    }

    /// Fills a slot that is read from the text of a value, rather than from its parts.
    fn fill_from_text<E: Error>(self, text: FreeForm) -> Result<(), E> {
        let Self { slot, trace } = self;
        match slot {
            Slot::FreeForm(slot) => *slot = text,
            Slot::Value(_) if trace.depth + depth(text.text()) > MAX_DEPTH => {
                return Err(trace.fail("is nested too deeply".to_owned()));
            }
            Slot::Value(slot) => match text.to_value() {
                Ok(value) => *slot = value,
                Err(error) => return Err(trace.fail(error.message().to_owned())),
            },
            Slot::Number(number) => {
                let found = form_of(text.text());
                match Number::from_json(text) {
                    Some(read) => *number = read,
                    None => return Reader { slot: Slot::Number(number), trace }.wrong(found),
                }
            }
            Slot::Optional(slot, _) if text.text() == "null" => slot.set_null(),
            Slot::Optional(slot, _) => {
                return Reader { slot: slot.fill(), trace }.fill_from_text(text);
            }
            Slot::Union(slot) => return fill_union(slot, trace, &text),
            slot => {
                let mut json = serde_json::Deserializer::from_str(text.text());
                return fill(slot, trace, &mut json).map_err(E::custom);
            }
        }
        Ok(())
    }
}

fn fill_union<E: Error>(
    union: &mut dyn Union,
    trace: &mut Trace,
    text: &FreeForm,
) -> Result<(), E> {
    let is_outermost = trace.allowance.is_none();
    let filled = fill_best_branch(union, trace, text);
    if is_outermost {
        trace.allowance = None;
    }
    filled
}

/// Fills the branch that holds the value. Of several that hold it, this is the one that loses least.
fn fill_best_branch<E: Error>(
    union: &mut dyn Union,
    trace: &mut Trace,
    text: &FreeForm,
) -> Result<(), E> {
    let candidates = candidates(union, text.text()).map_err(|message| trace.fail(message))?;
    let mut best: Option<(usize, usize)> = None;
    if candidates.len() > 1 {
        for branch in &candidates {
            trace.spend(text.text().len())?;
            let mut trial = trace.trial();
            let filled = fill_branch::<E>(union, *branch, &mut trial, text);
            trace.allowance = trial.allowance;
            if filled.is_err() {
                continue;
            }
            let loss = trial.lost + trial.missing.len();
            if loss == 0 {
                return Ok(());
            }
            if best.is_none_or(|(least, _)| loss < least) {
                best = Some((loss, *branch));
            }
        }
    }
    // Of what no branch holds, a program that made it wants to know why, and a program that received it wants to have it.
    let likeliest = match candidates.as_slice() {
        [only] => Some(*only),
        [first, ..] if trace.strictness == Strictness::Program => Some(*first),
        _ => None,
    };
    match best.map(|(_, branch)| branch).or(likeliest) {
        Some(branch) => fill_branch(union, branch, trace, text),
        None => {
            if let Slot::FreeForm(slot) = union.choose(union.shape().branches.len()) {
                slot.clone_from(text);
            }
            Ok(())
        }
    }
}

fn fill_branch<E: Error>(
    union: &mut dyn Union,
    branch: usize,
    trace: &mut Trace,
    text: &FreeForm,
) -> Result<(), E> {
    let mut json = serde_json::Deserializer::from_str(text.text());
    trace.tag = union.shape().tag_of(branch).map(|(key, _)| key);
    fill(union.choose(branch), trace, &mut json).map_err(E::custom)
}

/// How deeply the objects and lists of a JSON text nest.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut quoted) = (0_usize, 0, false);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' => drop(bytes.next()),
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl<'de> DeserializeSeed<'de> for Reader<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        match self.slot {
            Slot::FreeForm(_)
            | Slot::Value(_)
            | Slot::Number(_)
            | Slot::Union(_)
            | Slot::Optional(_, true) => self.fill_from_text(FreeForm::deserialize(from)?),
            _ => from.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Reader<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let mut reader = self.present();
        match &mut reader.slot {
            Slot::Text(slot) => **slot = text.to_owned(),
            Slot::Choice(slot) => slot.choose(text),
            Slot::Date(slot) => match date(text, reader.trace.strictness) {
                Some(date) => **slot = date,
                None => return reader.wrong("other text"),
            },
            _ => return reader.wrong("text"),
        }
        Ok(())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<(), E> {
        let mut reader = self.present();
        match &mut reader.slot {
            Slot::Text(slot) => **slot = text,
            _ => return reader.visit_str(&text),
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        let mut reader = self.present();
        match &mut reader.slot {
            Slot::Integer(slot) => **slot = number,
            Slot::Unsigned(slot) => match u64::try_from(number) {
                Ok(number) => **slot = number,
                Err(_) => return reader.wrong("a negative number"),
            },
            _ => return reader.wrong("a number"),
        }
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        if let Ok(number) = i64::try_from(number) {
            return self.visit_i64(number);
        }
        let mut reader = self.present();
        match &mut reader.slot {
            Slot::Unsigned(slot) => **slot = number,
            Slot::Integer(_) => return reader.wrong("a number that is too large"),
            _ => return reader.wrong("a number"),
        }
        Ok(())
    }

    /// Accepts whole numbers such as `1.0` and `1e3`, as far as `serde_json` gets all of their digits right.
    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        const MAX_EXACT: f64 = 1e15;
        let reader = self.present();
        match reader.slot {
            #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
            Slot::Integer(_) | Slot::Unsigned(_) if number.fract() == 0.0 => {
                if number.abs() < MAX_EXACT {
                    reader.visit_i64(number as i64)
                } else {
                    reader.wrong("a number that is too large")
                }
            }
            Slot::Integer(_) | Slot::Unsigned(_) => reader.wrong("another number"),
            _ => reader.wrong("a number"),
        }
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        let mut reader = self.present();
        match &mut reader.slot {
            Slot::Bool(slot) => **slot = truth,
            _ => return reader.wrong("true or false"),
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match self.slot {
            Slot::Optional(slot, _) => slot.set_null(),
            _ => return self.wrong("null"),
        }
        Ok(())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.deserialize(from)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.deserialize(from)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Reader { slot, trace } = self.present();
        let Slot::List(list) = slot else { return Reader { slot, trace }.wrong("a list") };
        trace.descend()?;
        loop {
            let index = list.len();
            let reader = ItemReader { list: &mut *list, trace: &mut *trace };
            match items.next_element_seed(reader) {
                Ok(Some(())) => {}
                Ok(None) => break,
                Err(error) => return Err(trace.step(Step::Index(index), error)),
            }
        }
        trace.depth -= 1;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Reader { slot, trace } = self.present();
        trace.descend()?;
        match slot {
            Slot::Record(record) => read_record(record, trace, map)?,
            Slot::Map(entries) => {
                let mut index = 0;
                while let Some(key) = map.next_key()? {
                    let slot = entries.insert(key);
                    map.next_value_seed(Reader { slot, trace: &mut *trace })
                        .map_err(|error| trace.step(Step::Entry(index), error))?;
                    index += 1;
                }
            }
            slot => return Reader { slot, trace }.wrong("an object"),
        }
        trace.depth -= 1;
        Ok(())
    }
}

/// Parses a date. What services send counts as UTC if it has no time zone.
fn date(text: &str, strictness: Strictness) -> Option<DateTime<Utc>> {
    let date = match dates::read(text) {
        None if strictness != Strictness::Program => {
            text.parse::<NaiveDateTime>().ok().map(|date| date.and_utc())
        }
        date => date,
    };
    date.filter(dates::is_writable)
}

/// Adds a slot to a list and fills it, if there is another item.
struct ItemReader<'a> {
    list: &'a mut dyn List,
    trace: &'a mut Trace,
}

impl<'de> DeserializeSeed<'de> for ItemReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        fill(self.list.push(), self.trace, from)
    }
}

/// The fields read so far, of at most 256.
#[derive(Default)]
struct Seen([u64; 4]);

impl Seen {
    /// Marks a field as read; returns whether it was already.
    fn insert(&mut self, index: usize) -> bool {
        let bit = 1 << (index % 64);
        let Some(word) = self.0.get_mut(index / 64) else { return false };
        let seen = *word & bit != 0;
        *word |= bit;
        seen
    }

    fn contains(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word & (1 << (index % 64)) != 0)
    }
}

/// Not inlined, so that values that are no records do not take its space on the stack.
#[inline(never)]
fn read_record<'de, A: MapAccess<'de>>(
    record: &mut dyn Record,
    trace: &mut Trace,
    mut map: A,
) -> Result<(), A::Error> {
    let shape = record.shape();
    let mut seen = Seen::default();
    let mut previous = shape.fields.len();
    let mut others = 0;
    let tag = trace.tag.take();
    let keeps = match shape.others {
        Others::Ignored => false,
        Others::Kept => true,
        Others::Refused => trace.strictness == Strictness::Program,
    };
    loop {
        let likely = trace.order.after(shape, previous);
        let Some(key) = map.next_key_seed(KeyReader { shape, likely, keeps, tag })? else { break };
        let (slot, step) = match key {
            Key::Field(index) => {
                let key = shape.fields[index].key;
                if index != likely {
                    trace.order.note(shape, previous, index);
                }
                previous = index;
                if seen.insert(index) {
                    return Err(trace.fail(format!("`{key}` appears twice")));
                }
                (record.slot_of(index), Step::Field(key))
            }
            Key::Other(key) => {
                let Slot::Map(kept) = record.slot_of(shape.fields.len()) else {
                    return Err(trace.fail(unknown(shape, tag, &key)));
                };
                others += 1;
                (kept.insert(key), Step::Entry(others - 1))
            }
            Key::Tag | Key::Unknown => {
                trace.lost += usize::from(matches!(key, Key::Unknown));
                map.next_value::<IgnoredAny>()?;
                continue;
            }
        };
        map.next_value_seed(Reader { slot, trace: &mut *trace })
            .map_err(|error| trace.step(step, error))?;
    }
    for (index, field) in shape.fields.iter().enumerate() {
        if field.presence != Presence::Optional && !seen.contains(index) {
            if trace.strictness != Strictness::Corrected {
                return Err(trace.fail(format!("`{}` is missing", field.key)));
            }
            // The field is blank, which is the empty value of its type.
            let missing = Missing { of: shape.name, property: field.key };
            if !trace.missing.contains(&missing) {
                trace.missing.push(missing);
            }
        }
    }
    Ok(())
}

/// What is wrong with a property that the type does not have.
fn unknown(shape: &Shape, tag: Option<&'static str>, key: &str) -> String {
    let known = shape.fields.iter().map(|field| field.key).chain(tag);
    let hint = nearest(key, known).map(|near| format!("; did you mean `{near}`?"));
    format!("there is no property `{}`{}", shown(key, 80), hint.unwrap_or_default())
}
