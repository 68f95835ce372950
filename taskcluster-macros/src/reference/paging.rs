//! Finds paginated endpoints: they take a continuation token, and their responses have one next to a list.

use crate::input::files::{Document, Files};
use crate::reference::model::{Paging, Reference};
use crate::schema::resolve::{Resolver, Schema};

/// The property of a page that names the next one.
const TOKEN: &str = "continuationToken";

/// The query options that take the token; `pulse.listNamespaces` of 2017 has the shorter one.
const OPTIONS: &[&str] = &[TOKEN, "continuation"];

pub(crate) fn find(reference: &mut Reference, document: &Document, files: &mut Files) {
    let service = reference.service.as_str();
    let mut resolver = Resolver { files, reference: &document.path, service };
    for endpoint in &mut reference.endpoints {
        let option = endpoint.query.iter().find(|option| OPTIONS.contains(&option.wire.as_str()));
        let (Some(option), Some(output)) = (option, &endpoint.output) else { continue };
        // A schema that cannot be had is reported where its type is needed.
        let page = resolver.named(output).and_then(|page| resolver.follow(page));
        if let Some(items) = page.ok().and_then(|page| items(&mut resolver, &page)) {
            let query = option.wire.clone();
            endpoint.paging = Some(Paging { query, token: TOKEN.to_owned(), items });
        }
    }
}

/// The name of the only list among the properties of a page.
fn items(resolver: &mut Resolver<'_>, page: &Schema) -> Option<String> {
    let properties = page.json["properties"].as_object()?;
    if !properties.contains_key(TOKEN) {
        return None;
    }
    let mut lists = properties.keys().filter(|name| {
        let property = page.part(&["properties", name]);
        let property = property.and_then(|property| resolver.follow(property).ok());
        property.is_some_and(|property| property.text("type") == Some("array"))
    });
    let first = lists.next()?.clone();
    lists.next().is_none().then_some(first)
}
