//! Writes the paths of types.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::context::{Context, ident};
use crate::schema::types::{Kind, TypeId};

/// Where a path is written: inside the module of the item, or beside it, next to the item itself.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Seen {
    Inside,
    Beside,
}

/// The runtime crate.
pub(super) fn runtime(context: &Context<'_>, seen: Seen) -> TokenStream {
    let module = context.module;
    match seen {
        Seen::Inside => quote!(__runtime),
        Seen::Beside => quote!(#module::__runtime),
    }
}

/// What the runtime crate has for expansions only.
pub(super) fn private(context: &Context<'_>, seen: Seen) -> TokenStream {
    let module = context.module;
    match seen {
        Seen::Inside => quote!(__p),
        Seen::Beside => quote!(#module::__p),
    }
}

/// The path of a generated type.
pub(super) fn path(context: &Context<'_>, id: TypeId, seen: Seen) -> TokenStream {
    let kind = &context.types.all[context.types.all[id].same_as.unwrap_or(id)];
    let name = ident(&kind.name);
    let module = ident(&context.modules[kind.item]);
    match seen {
        Seen::Inside if kind.item == context.item => quote!(#name),
        Seen::Inside => quote!(super::#module::#name),
        Seen::Beside => quote!(#module::#name),
    }
}

/// The Rust type of a kind.
pub(super) fn of(context: &Context<'_>, kind: &Kind, seen: Seen) -> TokenStream {
    let p = private(context, seen);
    let inner = |kind: &Kind| of(context, kind, seen);
    match kind {
        Kind::Text => quote!(#p::String),
        Kind::Integer => quote!(i64),
        Kind::Unsigned => quote!(u64),
        Kind::Number => quote!(#p::Number),
        Kind::Bool => quote!(bool),
        Kind::Date => quote!(#p::DateTime<#p::Utc>),
        Kind::FreeForm(_) => quote!(#p::FreeForm),
        Kind::Named(id) => path(context, *id, seen),
        Kind::Boxed(id) => {
            let path = path(context, *id, seen);
            quote!(#p::Box<#path>)
        }
        Kind::List(item) => {
            let item = inner(item);
            quote!(#p::Vec<#item>)
        }
        Kind::Map(value) => {
            let value = inner(value);
            quote!(#p::BTreeMap<#p::String, #value>)
        }
        Kind::Optional(some) => {
            let some = inner(some);
            quote!(#p::Option<#some>)
        }
    }
}
