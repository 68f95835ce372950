//! The macro behind the `taskcluster` crate; use it from there.
//!
//! The way of the data: `invocation` parses what the user wrote, `files` reads and tracks the JSON files,
//! `read` makes the plain `model` of a reference out of them, `check` looks across its entries, and `expand`
//! writes Rust. Each of them reports to `problems`, which become compile errors all together; what is valid
//! is expanded all the same.
//!
//! The schemas that a reference names go beside it: `schema` follows their references, `understand` makes plain `types`
//! out of them, `type_names` gives these their names, and `expand::types` writes them.

mod expand;
mod input;
mod names;
mod reference;
mod schema;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::input::files::Files;
use crate::input::invocation::{Invocation, Item};
use crate::input::problems::{Problems, ProblemsAt};
use crate::reference::{check, model, paging, patterns, payloads, read};

/// Makes typed Rust of a Taskcluster API reference. See `taskcluster::taskcluster_api`.
#[proc_macro]
pub fn taskcluster_api(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    match syn::parse::<Invocation>(input) {
        Ok(invocation) => expand(&invocation).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

fn expand(invocation: &Invocation) -> TokenStream {
    let mut problems = Problems::default();
    let mut files = Files::in_this_crate();
    let mut output = TokenStream::new();
    let mut references: Vec<_> = invocation
        .items
        .iter()
        .map(|item| read_item(item, &mut files, &mut problems.at(item.path.span())))
        .collect();
    let payloads = payloads::find(invocation, &mut references, &mut files, &mut problems);
    output.extend(expand::all(invocation, &references, &payloads));
    output.extend(expand::tracking(&files));
    output.extend(problems.into_compile_errors());
    output
}

fn read_item(item: &Item, files: &mut Files, problems: &mut ProblemsAt<'_>) -> model::Reference {
    match files.read(&item.path.value()) {
        Ok(document) => {
            let mut reference = read::reference(&document, problems);
            check::reference(&mut reference, &document, files, problems);
            paging::find(&mut reference, &document, files, problems);
            patterns::find(&mut reference, &document, files);
            reference
        }
        Err(message) => {
            problems.report(message);
            model::Reference::default()
        }
    }
}
