//! Reads YAML as JSON: one document, no key twice, keys merged by `<<`, and no more than fits into memory.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use yaml_rust2::Yaml;
use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::{ScanError, TScalarStyle};

/// How deep lists and mappings may be nested, those that aliases stand for included: no deeper than in JSON.
const DEEPEST: usize = 100;

/// The maximum size of a document whose aliases are replaced by what they stand for, in bytes of text and [`NODE`]s.
const LARGEST: usize = 16 << 20;

/// The size of a scalar, list or mapping beside its text.
const NODE: usize = 16;

/// Where the tags of YAML's own types are.
const CORE: &str = "tag:yaml.org,2002:";

/// Reads a document, or says why it cannot be read.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let mut parser = Parser::new_from_str(text);
    let mut document = Document::default();
    loop {
        let (event, place) = parser.next_token().map_err(|error: ScanError| error.to_string())?;
        if event == Event::StreamEnd {
            return document.root.ok_or_else(|| "there is no document".to_owned());
        }
        let place = || format!("line {} column {}", place.line(), place.col() + 1);
        document.add(event).map_err(|why| format!("{why} at {}", place()))?;
    }
}

/// The part of a document that has been read.
#[derive(Default)]
struct Document {
    root: Option<Value>,
    /// The lists and mappings that have not ended, from the outermost.
    open: Vec<(usize, Open)>,
    /// What aliases stand for.
    anchors: BTreeMap<usize, Value>,
    size: usize,
}

enum Open {
    List(Vec<Value>),
    Mapping {
        members: Map<String, Value>,
        /// The members that were merged and may be replaced.
        merged: BTreeSet<String>,
        /// The key whose value comes next.
        key: Option<Key>,
    },
}

enum Key {
    Name(String),
    Merge,
}

impl Document {
    fn add(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == TScalarStyle::Plain && tag.is_none();
                if is_plain && text == "<<" && self.expects_key() {
                    return self.start_member(Key::Merge);
                }
                self.grow(NODE + text.len())?;
                let value = scalar(text, is_plain, tag.as_ref())?;
                self.put(value, anchor)
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).ok_or("an alias of what has not ended")?;
                if self.open.len() + depth(value) > DEEPEST {
                    return Err("lists and mappings are nested too deeply".to_owned());
                }
                let value = value.clone();
                self.grow(size(&value))?;
                self.put(value, 0)
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(anchor, tag.as_ref(), "seq", Open::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let (members, merged) = (Map::new(), BTreeSet::new());
                let mapping = Open::Mapping { members, merged, key: None };
                self.start(anchor, tag.as_ref(), "map", mapping)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some((anchor, Open::List(items))) => self.put(Value::Array(items), anchor),
                Some((anchor, Open::Mapping { members, .. })) => {
                    self.put(Value::Object(members), anchor)
                }
                None => Ok(()),
            },
            Event::DocumentStart if self.root.is_some() => Err("a second document".to_owned()),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn grow(&mut self, by: usize) -> Result<(), String> {
        self.size = self.size.saturating_add(by);
        if self.size > LARGEST { Err("the document is too large".to_owned()) } else { Ok(()) }
    }

    fn start(
        &mut self,
        anchor: usize,
        tag: Option<&Tag>,
        kind: &str,
        open: Open,
    ) -> Result<(), String> {
        if let Some(tag) = tag.map(full).filter(|tag| *tag != format!("{CORE}{kind}")) {
            return Err(format!("the tag {tag} is not known for this"));
        }
        if self.open.len() == DEEPEST {
            return Err("lists and mappings are nested too deeply".to_owned());
        }
        if self.expects_key() {
            return Err("a key must be a scalar".to_owned());
        }
        self.grow(NODE)?;
        self.open.push((anchor, open));
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some((_, Open::Mapping { key: None, .. })))
    }

    fn start_member(&mut self, begun: Key) -> Result<(), String> {
        if let Some((_, Open::Mapping { members, merged, key })) = self.open.last_mut() {
            if let Key::Name(name) = &begun
                && members.contains_key(name)
                && !merged.remove(name)
            {
                return Err("a key occurs twice".to_owned());
            }
            *key = Some(begun);
        }
        Ok(())
    }

    /// Adds a whole value to where it belongs.
    fn put(&mut self, value: Value, anchor: usize) -> Result<(), String> {
        if anchor != 0 {
            self.grow(size(&value))?;
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some((_, Open::List(items))) => items.push(value),
            Some((_, Open::Mapping { members, merged, key })) => match key.take() {
                Some(Key::Name(name)) => {
                    members.insert(name, value);
                }
                Some(Key::Merge) => merge(value, members, merged)?,
                None => {
                    let name = match value {
                        Value::String(name) => name,
                        Value::Array(_) | Value::Object(_) => {
                            return Err("a key must be a scalar".to_owned());
                        }
                        other => other.to_string(),
                    };
                    return self.start_member(Key::Name(name));
                }
            },
        }
        Ok(())
    }
}

/// Adds the members of a mapping, or of a list of mappings, that are not there.
fn merge(
    from: Value,
    members: &mut Map<String, Value>,
    merged: &mut BTreeSet<String>,
) -> Result<(), String> {
    let sources = match from {
        Value::Array(sources) => sources,
        one => vec![one],
    };
    for source in sources {
        let Value::Object(source) = source else {
            return Err("`<<` merges mappings only".to_owned());
        };
        for (name, value) in source {
            if !members.contains_key(&name) {
                merged.insert(name.clone());
                members.insert(name, value);
            }
        }
    }
    Ok(())
}

fn scalar(text: String, is_plain: bool, tag: Option<&Tag>) -> Result<Value, String> {
    let Some(tag) = tag.map(full) else {
        return if is_plain { plain(text) } else { Ok(Value::String(text)) };
    };
    let kind = tag.strip_prefix(CORE);
    if tag == "!" || kind == Some("str") {
        return Ok(Value::String(text));
    }
    let value = plain(text)?;
    let fits = match kind {
        Some("null") => value.is_null(),
        Some("bool") => value.is_boolean(),
        Some("int") => value.is_i64(),
        Some("float") => value.is_number(),
        _ => return Err(format!("the tag {tag} is not known for this")),
    };
    if fits { Ok(value) } else { Err(format!("the tag {tag} does not fit")) }
}

/// The value of a scalar without quotes.
fn plain(text: String) -> Result<Value, String> {
    Ok(match Yaml::from_str(&text) {
        _ if matches!(text.as_str(), "Null" | "NULL") => Value::Null,
        Yaml::Null => Value::Null,
        Yaml::Boolean(boolean) => boolean.into(),
        Yaml::Integer(integer) => integer.into(),
        real @ Yaml::Real(_) => {
            let number = real.as_f64().and_then(serde_json::Number::from_f64);
            Value::Number(number.ok_or("JSON has no such number")?)
        }
        _ => Value::String(text),
    })
}

fn full(tag: &Tag) -> String {
    format!("{}{}", tag.handle, tag.suffix)
}

fn size(value: &Value) -> usize {
    let content: usize = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| name.len() + size(value)).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    NODE + content
}

/// How many lists and mappings are nested in a value, itself included.
fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return 0,
    };
    1 + inner.unwrap_or_default()
}
