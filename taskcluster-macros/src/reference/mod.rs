//! API references: read, checked and completed with the types of their schemas.

mod check;
mod conversions;
pub(crate) mod folder;
mod keep;
pub(crate) mod model;
mod paging;
mod patterns;
pub(crate) mod payloads;
mod read;
mod routes;
mod scopes;
mod shapes;

use crate::input::files::Files;
use crate::input::invocation::{Invocation, Item};
use crate::input::problems::{Problems, ProblemsAt};
use crate::reference::model::Reference;
use crate::reference::payloads::Payloads;

/// Reads the references of all items. One that cannot be read is reported and empty.
pub(crate) fn all(
    invocation: &Invocation,
    files: &mut Files,
    problems: &mut Problems,
) -> (Vec<Reference>, Payloads) {
    let items = invocation.items.iter();
    let mut references: Vec<_> =
        items.map(|item| one(item, files, &mut problems.at(item.path.span()))).collect();
    let payloads = payloads::find(invocation, &mut references, files, problems);
    (references, payloads)
}

fn one(item: &Item, files: &mut Files, problems: &mut ProblemsAt<'_>) -> Reference {
    match files.read(&item.path.value()) {
        Ok(document) => {
            let mut reference = read::reference(&document, problems);
            check::reference(&mut reference, item, &document, files, problems);
            paging::find(&mut reference, &document, files);
            patterns::find(&mut reference, &document, files, problems);
            reference
        }
        Err(message) => {
            problems.report(message);
            Reference::default()
        }
    }
}
