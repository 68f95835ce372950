//! The macro behind the `taskcluster` crate; use it from there.
//!
//! An expansion goes through four modules, each of which imports only those before it, and `names`:
//!
//! - `input` parses what the user wrote, reads and tracks JSON files, and collects problems with their places.
//! - `schema` resolves JSON schemas, understands them as types, and names these.
//! - `reference` reads and checks references, keeps the entries that the user lists, and gives them their types.
//! - `expand` writes Rust.
//!
//! All problems become compile errors together; whatever is valid is expanded all the same.

mod expand;
mod input;
mod names;
mod reference;
mod schema;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::input::distinct;
use crate::input::files::Files;
use crate::input::invocation::Invocation;
use crate::input::problems::Problems;

/// Generates typed Rust from a Taskcluster API reference. See `taskcluster::taskcluster_api`.
#[proc_macro]
pub fn taskcluster_api(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    match syn::parse::<Invocation>(input) {
        Ok(invocation) => expansion(invocation).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

fn expansion(mut invocation: Invocation) -> TokenStream {
    let mut problems = Problems::default();
    let mut files = Files::in_this_crate();
    distinct::items(&mut invocation.items, &mut invocation.folders, &mut problems);
    let mut output = items(&invocation, &mut files, &mut problems);
    for folder in &invocation.folders {
        let mut found = reference::folder::items(folder, &mut files, &mut problems);
        distinct::items(&mut found, &mut Vec::new(), &mut problems);
        output.extend(expand::folder(folder, &invocation.runtime, |runtime| {
            let inside = Invocation { runtime, items: found, folders: Vec::new() };
            items(&inside, &mut files, &mut problems)
        }));
    }
    output.extend(expand::tracking(&files));
    output.extend(problems.into_compile_errors());
    output
}

fn items(invocation: &Invocation, files: &mut Files, problems: &mut Problems) -> TokenStream {
    let (references, payloads) = reference::all(invocation, files, problems);
    expand::all(invocation, &references, &payloads)
}
