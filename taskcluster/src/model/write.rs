//! Writing: serializing views to any serde format. The mirror image of reading.

use serde_core::ser::{Error as _, Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use super::shape::{Others, Presence, Record, View};
use super::union::TagValue;
use crate::dates;

/// Writes a value of a generated type: the implementation of its `Serialize`.
///
/// # Errors
///
/// Returns an error if the format reports an error.
pub fn write<S: Serializer>(view: View<'_>, to: S) -> Result<S::Ok, S::Error> {
    view.serialize(to)
}

/// Serializes a value to JSON.
pub(crate) fn to_json(value: &(impl Serialize + ?Sized)) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::with_capacity(1024);
    serde_json::to_writer(&mut json, value)?;
    Ok(json)
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Nothing => to.serialize_none(),
            Self::Text(text) => to.serialize_str(text),
            Self::Integer(number) => to.serialize_i64(number),
            Self::Unsigned(number) => to.serialize_u64(number),
            Self::Number(number) => number.serialize(to),
            Self::Bool(truth) => to.serialize_bool(truth),
            Self::Date(date) if dates::is_writable(&date) => to.serialize_str(&dates::exact(date)),
            Self::Date(date) => {
                Err(S::Error::custom(format_args!("{date} is not within the years 0 to 9999")))
            }
            Self::Choice(choice) => to.serialize_str(choice.text()),
            Self::FreeForm(value) => value.serialize(to),
            Self::Value(value) => value.serialize(to),
            Self::Ruled(payload) => payload.view.serialize(to),
            Self::List(list) => {
                let mut items = to.serialize_seq(Some(list.len()))?;
                for index in 0..list.len() {
                    items.serialize_element(&list.view_of(index))?;
                }
                items.end()
            }
            Self::Map(map) => {
                let mut entries = to.serialize_map(Some(map.len()))?;
                let mut result = Ok(());
                map.all(&mut |key, value| {
                    result = entries.serialize_entry(key, &value);
                    result.is_ok()
                });
                result?;
                entries.end()
            }
            Self::Record(record) => write_record(record, None, to),
            Self::Union(union) => {
                let (branch, view) = union.chosen();
                match view {
                    View::Record(record) => write_record(record, union.shape().tag_of(branch), to),
                    other => other.serialize(to),
                }
            }
        }
    }
}

fn write_record<S: Serializer>(
    record: &dyn Record,
    tag: Option<(&str, TagValue)>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let shape = record.shape();
    let mut entries = to.serialize_map(None)?;
    if let Some((key, value)) = tag {
        entries.serialize_entry(key, &value)?;
    }
    for (index, field) in shape.fields.iter().enumerate() {
        match record.view_of(index) {
            View::Nothing if field.presence == Presence::Optional => {}
            view => entries.serialize_entry(field.key, &view)?,
        }
    }
    if shape.others == Others::Kept
        && let View::Map(others) = record.view_of(shape.fields.len())
    {
        let mut result = Ok(());
        others.all(&mut |key, value| {
            // A property with a field is written by the field, and the tag has already been written.
            let is_tag = tag.is_some_and(|(tag, _)| tag == key);
            if !is_tag && shape.fields.iter().all(|field| field.key != key) {
                result = entries.serialize_entry(key, &value);
            }
            result.is_ok()
        });
        result?;
    }
    entries.end()
}
