//! Finds paginated endpoints: they take a continuation token, and their responses have one next to a list.

use crate::input::files::{Document, Files};
use crate::input::problems::ProblemsAt;
use crate::reference::model::{Paging, Reference};
use crate::schema::resolve::{Resolver, Schema};

/// The property of a page that names the next one.
const TOKEN: &str = "continuationToken";

/// The query options that take the token; `pulse.listNamespaces` of 2017 has the shorter one.
const OPTIONS: &[&str] = &[TOKEN, "continuation"];

pub(crate) fn find(
    reference: &mut Reference,
    document: &Document,
    files: &mut Files,
    problems: &mut ProblemsAt<'_>,
) {
    for endpoint in &mut reference.endpoints {
        let option = endpoint.query.iter().find(|option| OPTIONS.contains(&option.wire.as_str()));
        let (Some(option), Some(output)) = (option, &endpoint.output) else { continue };
        // A missing schema has already been reported.
        let Ok(path) = files.find_schema(&document.path, &reference.service, output) else {
            continue;
        };
        let mut resolver =
            Resolver { files, reference: &document.path, service: &reference.service };
        match items(&mut resolver, &path) {
            Ok(Some(items)) => {
                let query = option.wire.clone();
                endpoint.paging = Some(Paging { query, token: TOKEN.to_owned(), items });
            }
            Ok(None) => {}
            Err(message) => problems.report(message),
        }
    }
}

/// The name of the only list among the properties of a page.
fn items(resolver: &mut Resolver<'_>, path: &str) -> Result<Option<String>, String> {
    let page = Schema::whole(resolver.files, path)?;
    let Some(properties) = page.json["properties"].as_object() else { return Ok(None) };
    if !properties.contains_key(TOKEN) {
        return Ok(None);
    }
    let mut lists = Vec::new();
    for name in properties.keys() {
        let Some(property) = page.part(&["properties", name]) else { continue };
        if resolver.follow(property)?.text("type") == Some("array") {
            lists.push(name);
        }
    }
    Ok(match lists.as_slice() {
        [only] => Some((*only).clone()),
        _ => None,
    })
}
