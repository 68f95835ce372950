//! What the parts of an expansion refer to.

use proc_macro2::{Ident, Span};

use crate::names::Name;
use crate::schema::types::Types;

/// The item that is expanded, and what it shares with the others.
pub(super) struct Context<'a> {
    /// The struct.
    pub(super) name: &'a Ident,
    pub(super) module: &'a Ident,
    /// Which of the items it is.
    pub(super) item: usize,
    /// The modules of all items.
    pub(super) modules: &'a [String],
    pub(super) types: &'a Types,
}

impl Context<'_> {
    /// The name of a method, with the span of the struct's name: compilers and editors point there, as there is no other
    /// Rust source for the method.
    pub(super) fn method(&self, name: &Name) -> Ident {
        Ident::new(&name.rust, self.name.span())
    }
}

/// An identifier from a name that was checked when it was read.
pub(super) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}
