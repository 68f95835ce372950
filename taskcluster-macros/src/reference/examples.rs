//! Finds examples of endpoints, which references lack.
//!
//! They are in a Markdown file beside the reference: `api.examples.md` beside `api.json`. Each example is below a heading that is
//! the wire name of its endpoint.

use std::collections::BTreeMap;

use crate::input::files::{Document, Files};
use crate::input::problems::{ProblemsAt, did_you_mean};
use crate::reference::model::Reference;

/// The end of the file's name, in place of that of the reference.
const SUFFIX: &str = ".examples.md";

pub(crate) fn find(
    reference: &mut Reference,
    document: &Document,
    files: &mut Files,
    problems: &mut ProblemsAt<'_>,
) {
    let stem = document.path.strip_suffix(".json").unwrap_or(&document.path);
    let path = format!("{stem}{SUFFIX}");
    let text = match files.read_text(&path) {
        Ok(None) => return,
        Ok(Some(text)) => text,
        Err(message) => return problems.report(message),
    };
    let entries = document.json["entries"].as_array();
    let names: Vec<_> =
        entries.into_iter().flatten().filter_map(|entry| entry["name"].as_str()).collect();
    let mut examples = BTreeMap::new();
    for Example { line, name, text } in sections(&text) {
        if !names.contains(&name) {
            let hint = did_you_mean(name, names.iter().copied());
            problems.report(format!("{path}:{line}: no endpoint is called `{name}`{hint}"));
        } else if examples.insert(name, text).is_some() {
            problems.report(format!("{path}:{line}: `{name}` has two examples"));
        }
    }
    for endpoint in &mut reference.endpoints {
        endpoint.example = examples.remove(endpoint.name.wire.as_str());
    }
}

struct Example<'a> {
    line: usize,
    name: &'a str,
    text: String,
}

/// The sections of a Markdown file. What is before the first heading is for who writes examples.
fn sections(text: &str) -> Vec<Example<'_>> {
    let mut sections: Vec<Example<'_>> = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        let heading = line.strip_prefix("# ").filter(|_| !in_code);
        if let Some(name) = heading {
            sections.push(Example { line: index + 1, name: name.trim(), text: String::new() });
        } else if let Some(section) = sections.last_mut() {
            section.text.push_str(line);
            section.text.push('\n');
        }
    }
    sections
}
