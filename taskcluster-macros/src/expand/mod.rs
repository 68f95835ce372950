//! Writes Rust from the model.
//!
//! A service becomes a struct with a method for each endpoint; exchanges become a struct with a function for each. A module
//! next to the struct holds the facts as statics, and the types that the methods take and return. Generated code does no work
//! of its own: all of that is in the runtime crate, once.
//!
//! The module's types are named by the reference, so generated code refers to anything else by its full path.

mod camel_case;
mod categories;
mod context;
mod docs;
mod endpoint;
mod exchange;
mod facts;
mod paths;
mod requests;
mod rules;
mod types;

use std::path::Path;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Attribute;
use syn::ext::IdentExt as _;

use crate::expand::context::{Context, ident};
use crate::input::files::Files;
use crate::input::invocation::{Invocation, Item};
use crate::names;
use crate::reference::model::Reference;
use crate::reference::payloads::Payloads;

/// Expands all items of an invocation.
pub(crate) fn all(
    invocation: &Invocation,
    references: &[Reference],
    payloads: &Payloads,
) -> TokenStream {
    let names = invocation.items.iter().map(|item| item.name.unraw().to_string());
    let modules: Vec<_> = names.map(|name| names::module(&name)).collect();
    let items = invocation.items.iter().zip(references).enumerate();
    items
        .map(|(index, (item, reference))| {
            let context = Context {
                name: &item.name,
                module: &ident(&modules[index]),
                item: index,
                modules: &modules,
                types: payloads.of(index),
            };
            expand(&invocation.runtime, item, reference, &context)
        })
        .collect()
}

/// Expands a folder into a module. What is inside refers to the runtime crate by the path that it is given.
pub(crate) fn folder(
    folder: &Item,
    runtime: &syn::Path,
    inside: impl FnOnce(syn::Path) -> TokenStream,
) -> TokenStream {
    let Item { attributes, visibility, name, path, .. } = folder;
    let (import, runtime) = reachable(runtime, name);
    let cfgs = cfgs(attributes);
    let docs = (!has_docs(attributes)).then(|| {
        let docs = format!("The services whose API references are in `{}`.", path.value());
        quote!(#[doc = #docs])
    });
    let inside = inside(runtime);
    quote! {
        #(#cfgs)*
        #import

        #(#attributes)*
        #docs
        #[allow(dead_code, unreachable_pub)]
        #visibility mod #name {
            #inside
        }
    }
}

/// The attributes that decide whether anything is there at all.
fn cfgs(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
}

fn has_docs(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("doc"))
}

/// Expands one item.
fn expand(
    runtime: &syn::Path,
    item: &Item,
    reference: &Reference,
    context: &Context<'_>,
) -> TokenStream {
    let Item { attributes, visibility, name, .. } = item;
    let module = context.module;
    let (import, runtime) = reachable(runtime, module);
    let runtime = &runtime;
    // A `cfg` on the struct applies to everything generated for it.
    let cfgs = cfgs(attributes);
    let allow = quote!(#(#cfgs)* #[allow(clippy::manual_non_exhaustive, dead_code, deprecated, unreachable_pub, rustdoc::all)]);
    let categories = categories::all(&reference.endpoints);
    let docs = docs::reference(reference, &categories, has_docs(attributes));
    let facts = facts::reference(reference);
    let (body, methods, types) = if reference.of_exchanges {
        let (methods, types) = exchange::all(context, reference);
        (quote!(;), methods, types)
    } else {
        let (methods, types) = endpoint::all(context, reference, &categories);
        (quote!((#module::__runtime::Service);), methods, types)
    };
    let of_service = (!reference.of_exchanges).then(|| {
        quote! {
            #allow
            impl #name {
                /// Creates a handle to the service in the client's deployment. This is cheap: the client owns the connections.
                #[must_use]
                pub fn new(client: &#module::__runtime::Client) -> Self {
                    Self(#module::__runtime::Service::new(client, &Self::REFERENCE))
                }
            }

            #allow
            impl ::core::convert::From<#module::__runtime::Service> for #name {
                fn from(service: #module::__runtime::Service) -> Self {
                    Self(service)
                }
            }

            #allow
            impl ::core::convert::AsRef<#module::__runtime::Service> for #name {
                fn as_ref(&self) -> &#module::__runtime::Service {
                    &self.0
                }
            }
        }
    });
    let payload_types = types::all(context);
    let module_docs = format!("The types that the methods of [`{name}`] take and return.");
    quote! {
        #(#attributes)*
        #docs
        #[allow(rustdoc::all)]
        #[derive(Clone, Debug)]
        #visibility struct #name #body

        #of_service

        #allow
        impl #name {
            /// The reference that this type was generated from.
            pub const REFERENCE: #module::__runtime::Reference = #module::REFERENCE;

            #(#methods)*
        }

        #(#cfgs)*
        #import

        #[doc = #module_docs]
        #allow
        #visibility mod #module {
            #[doc(hidden)]
            pub(super) use #runtime as __runtime;
            #[doc(hidden)]
            pub(super) use __runtime::__private as __p;
            #[allow(unused_imports)]
            use __p::{Access as _, Extend as _, Field as _, Into as _, IntoIterator as _, Iterator as _};

            #facts
            #(#types)*
            #payload_types
        }
    }
}

/// The path of the runtime crate inside the module. A relative path goes through an import next to the module.
fn reachable(runtime: &syn::Path, module: &Ident) -> (Option<TokenStream>, syn::Path) {
    let is_absolute = runtime.leading_colon.is_some()
        || runtime.segments.first().is_some_and(|first| first.ident == "crate");
    if is_absolute {
        return (None, syn::parse_quote!(#runtime));
    }
    let alias = format_ident!("__runtime_of_{}", module);
    (Some(quote!(use #runtime as #alias;)), syn::parse_quote!(super::#alias))
}

/// Makes the compiler watch every file that was read.
pub(crate) fn tracking(files: &Files) -> TokenStream {
    let includes = files.paths().map(|path| {
        if Path::new(path).is_absolute() {
            quote!(include_bytes!(#path))
        } else {
            let path = format!("/{path}");
            quote!(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), #path)))
        }
    });
    quote!(#(const _: &[u8] = #includes;)*)
}
