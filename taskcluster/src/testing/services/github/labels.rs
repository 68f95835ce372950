//! `as_slugid` in templates: the slug id of a label, the same wherever the label occurs.
//!
//! json-e takes no functions from outside. Calls are therefore replaced by expressions that mark the label, and the marks in
//! the result by slug ids.

use serde_json::Value;

use crate::slugid::StableSlugids;

const NAME: &str = "as_slugid";

/// Before and after a label. Unicode has them for use within programs.
const BEGIN: char = '\u{fdd0}';
const END: char = '\u{fdd1}';

/// Follows the end, so that what cuts a slug id cuts the mark.
const TAIL: [char; 22] = ['\u{fdd2}'; 22];

/// Whether a text could be taken for one with marks.
pub(super) fn has_marks(text: &str) -> bool {
    text.contains([BEGIN, END, TAIL[0]])
}

/// Replaces the calls of a template by what marks the label.
pub(super) fn mark(template: &mut Value) {
    change_texts(template, &mut marked);
}

/// Replaces the marks of a result by slug ids. Returns `None` if a mark is not whole, because the template has cut it.
pub(super) fn resolve(result: &mut Value) -> Option<()> {
    let (mut ids, mut is_whole) = (StableSlugids::new(), true);
    let ((open, close), end) = (call(), end());
    change_texts(result, &mut |text| {
        // What was no expression is as it was.
        let text = text.replace(&open, &format!("{NAME}(")).replace(&close, ")");
        let text = text.replace(&end, &END.to_string());
        // The text outside, and the labels that have begun.
        let (mut outside, mut labels) = (String::new(), Vec::<String>::new());
        for character in text.chars() {
            match character {
                BEGIN => labels.push(String::new()),
                END => match labels.pop() {
                    Some(label) => {
                        labels.last_mut().unwrap_or(&mut outside).push_str(&ids.get(label))
                    }
                    None => is_whole = false,
                },
                other => labels.last_mut().unwrap_or(&mut outside).push(other),
            }
        }
        is_whole &= labels.is_empty() && !has_marks(&outside);
        outside
    });
    is_whole.then_some(())
}

/// What stands before and after the label in place of a call.
fn call() -> (String, String) {
    (format!("('{BEGIN}' + str("), format!(") + '{}')", end()))
}

fn end() -> String {
    [END].iter().chain(&TAIL).collect()
}

fn marked(text: &str) -> String {
    let (before, after) = call();
    // What to replace, and in calls: the brackets that are open, with where the call begins if it is that of a call.
    let (mut changes, mut open, mut quote) = (Vec::new(), Vec::new(), None);
    let mut place = 0;
    while let Some(character) = text[place..].chars().next() {
        let mut next = place + character.len_utf8();
        match (quote, character) {
            (Some(end), _) if character == end => quote = None,
            (Some(_), _) => {}
            (None, _) if let Some(argument) = argument_of_call(text, place) => {
                open.push(Some(place..argument));
                next = argument;
            }
            (None, _) if open.is_empty() => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '(' | '[' | '{') => open.push(None),
            (None, ')' | ']' | '}') => {
                if let Some(Some(begin)) = open.pop() {
                    changes.extend([(begin, &before), (place..next, &after)]);
                }
            }
            (None, _) => {}
        }
        place = next;
    }
    changes.sort_by_key(|(range, _)| range.start);
    let (mut marked, mut done) = (String::new(), 0);
    for (range, by) in changes {
        marked.extend([&text[done..range.start], by]);
        done = range.end;
    }
    marked + &text[done..]
}

/// Where the argument begins, if there is a call at this place.
fn argument_of_call(text: &str, place: usize) -> Option<usize> {
    let argument = text[place..].strip_prefix(NAME)?.trim_start().strip_prefix('(')?;
    let is_longer = text[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
    (!is_longer).then(|| text.len() - argument.len())
}

/// Changes all texts, also those that are keys.
fn change_texts(value: &mut Value, change: &mut impl FnMut(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| change_texts(item, change)),
        Value::Object(members) => {
            *members = std::mem::take(members)
                .into_iter()
                .map(|(name, mut value)| {
                    change_texts(&mut value, change);
                    (change(&name), value)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
