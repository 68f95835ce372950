//! The macro behind the `taskcluster` crate; use it from there.
//!
//! The way of the data: `invocation` parses what the user wrote, `files` reads and tracks the JSON files,
//! `read` makes the plain `model` of a reference out of them, `check` looks across its entries, and `expand`
//! writes Rust. Each of them reports to `problems`, which become compile errors all together; what is valid
//! is expanded all the same.

mod check;
mod expand;
mod files;
mod invocation;
mod locate;
mod model;
mod names;
mod paging;
mod problems;
mod read;

use proc_macro2::TokenStream;

use crate::files::Files;
use crate::invocation::{Invocation, Item};
use crate::problems::Problems;

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
    for item in &invocation.items {
        output.extend(expand_item(&invocation.runtime, item, &mut files, &mut problems));
    }
    output.extend(expand::tracking(&files));
    output.extend(problems.into_compile_errors());
    output
}

fn expand_item(
    runtime: &syn::Path,
    item: &Item,
    files: &mut Files,
    problems: &mut Problems,
) -> TokenStream {
    let mut problems = problems.at(item.path.span());
    let reference = match files.read(&item.path.value()) {
        Ok(document) => {
            let mut reference = read::reference(&document, &mut problems);
            check::reference(&mut reference, &document, files, &mut problems);
            paging::find(&mut reference, &document, files, &mut problems);
            check::keep_only(&mut reference, item, &mut problems);
            reference
        }
        Err(message) => {
            problems.report(message);
            model::Reference::default()
        }
    };
    expand::item(runtime, item, &reference)
}
