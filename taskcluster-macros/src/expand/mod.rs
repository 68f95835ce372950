//! From the model to Rust.
//!
//! A service becomes a struct with a method for each endpoint, exchanges become a struct with a function for each; a
//! module beside it holds their facts as statics and the types that the methods take and return. Nothing here does any work at
//! run time: that is all in the runtime crate, once.
//!
//! The module's types have names from the reference, so everything else in it is written with its whole path.

mod docs;
mod endpoint;
mod exchange;
mod facts;
mod types;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;

use crate::input::files::Files;
use crate::input::invocation::{Invocation, Item};
use crate::names;
use crate::reference::model::{Name, Reference};
use crate::reference::payloads::Payloads;
use crate::schema::types::Types;

/// Everything that the items of an invocation become.
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

/// Everything that one item becomes.
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
    // What a `cfg` takes away, it must take away whole.
    let cfgs: Vec<_> =
        attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
    let allow = quote!(#(#cfgs)* #[allow(dead_code, deprecated, unreachable_pub, rustdoc::all)]);
    let has_own_docs = attributes.iter().any(|attribute| attribute.path().is_ident("doc"));
    let docs = docs::reference(reference, has_own_docs);
    let facts = facts::reference(reference);
    let (body, methods, types) = if reference.of_exchanges {
        let (methods, types) = exchange::all(context, &reference.exchanges);
        (quote!(;), methods, types)
    } else {
        let (methods, types) = endpoint::all(context, &reference.endpoints);
        (quote!((#module::__runtime::Service);), methods, types)
    };
    let of_service = (!reference.of_exchanges).then(|| {
        quote! {
            #allow
            impl #name {
                /// The service at its place in the client's deployment. Cheap: connections are the client's.
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
    let module_docs = format!("What the methods of [`{name}`] take and return.");
    quote! {
        #(#attributes)*
        #docs
        #[allow(rustdoc::all)]
        #[derive(Clone, Debug)]
        #visibility struct #name #body

        #of_service

        #allow
        impl #name {
            /// The facts of the reference that this was made from.
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
            use __p::Field as _;

            #facts
            #(#types)*
            #payload_types
        }
    }
}

/// The runtime crate's path as it is inside the module; a relative one takes a name beside the module on the way.
fn reachable(runtime: &syn::Path, module: &Ident) -> (Option<TokenStream>, syn::Path) {
    let is_absolute = runtime.leading_colon.is_some()
        || runtime.segments.first().is_some_and(|first| first.ident == "crate");
    if is_absolute {
        return (None, syn::parse_quote!(#runtime));
    }
    let alias = format_ident!("__runtime_of_{module}");
    (Some(quote!(use #runtime as #alias;)), syn::parse_quote!(super::#alias))
}

/// What the parts of an expansion refer to.
struct Context<'a> {
    /// The struct.
    name: &'a Ident,
    module: &'a Ident,
    /// Which of the items it is.
    item: usize,
    /// The modules of all items.
    modules: &'a [String],
    types: &'a Types,
}

impl Context<'_> {
    /// A method's name, where compiler and editors shall look for its definition: at the struct's name, since there is
    /// no other Rust source of it.
    fn method(&self, name: &Name) -> Ident {
        Ident::new(&name.rust, self.name.span())
    }
}

/// Makes the compiler watch every file that was read.
pub(crate) fn tracking(files: &Files) -> TokenStream {
    let includes = files.paths().map(|path| {
        if std::path::Path::new(path).is_absolute() {
            quote!(include_bytes!(#path))
        } else {
            let path = format!("/{path}");
            quote!(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), #path)))
        }
    });
    quote!(#(const _: &[u8] = #includes;)*)
}

/// An identifier of a name that was checked when it was read.
fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}
