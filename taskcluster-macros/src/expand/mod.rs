//! From the model to Rust.
//!
//! A service becomes a struct with a method for each endpoint, exchanges become a struct with a function for each; a
//! module beside it holds their facts as statics and the types that the methods return. Nothing here does any work at
//! run time: that is all in the runtime crate, once.

mod docs;
mod endpoint;
mod exchange;
mod facts;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::files::Files;
use crate::invocation::Item;
use crate::model::{Name, Reference};
use crate::names;

/// Everything that one item of an invocation becomes.
pub(crate) fn item(runtime: &syn::Path, item: &Item, reference: &Reference) -> TokenStream {
    let Item { attributes, visibility, name, .. } = item;
    let module = ident(&names::snake_case(&name.to_string()));
    let docs = docs::reference(reference);
    let facts = facts::reference(reference);
    let context = Context { runtime, name, module: &module };
    let (body, methods, types) = if reference.of_exchanges {
        let (methods, types) = exchange::all(&context, &reference.exchanges);
        (quote!(;), methods, types)
    } else {
        let (methods, types) = endpoint::all(&context, &reference.endpoints);
        (quote!((#runtime::Service);), methods, types)
    };
    let constructor = (!reference.of_exchanges).then(|| {
        quote! {
            /// The service at its place in the client's deployment. Cheap: connections are the client's.
            #[must_use]
            pub fn new(client: &#runtime::Client) -> Self {
                Self(#runtime::Service::new(client, &Self::REFERENCE))
            }
        }
    });
    let conversions = (!reference.of_exchanges).then(|| {
        quote! {
            impl ::core::convert::From<#runtime::Service> for #name {
                fn from(service: #runtime::Service) -> Self {
                    Self(service)
                }
            }

            impl ::core::convert::AsRef<#runtime::Service> for #name {
                fn as_ref(&self) -> &#runtime::Service {
                    &self.0
                }
            }
        }
    });
    let module_docs =
        format!("What the methods of [`{name}`] return, and the facts of its reference.");
    quote! {
        #docs
        #(#attributes)*
        #[derive(Clone, Debug)]
        #visibility struct #name #body

        #[allow(dead_code, unreachable_pub, rustdoc::all)]
        impl #name {
            /// The facts of the reference that this was made from.
            pub const REFERENCE: #runtime::Reference = #module::REFERENCE;

            #constructor
            #(#methods)*
        }

        #conversions

        #[doc = #module_docs]
        #[allow(dead_code, unreachable_pub, rustdoc::all)]
        #visibility mod #module {
            use #runtime::__private::*;

            #facts
            #(#types)*
        }
    }
}

/// What the parts of an expansion refer to.
struct Context<'a> {
    runtime: &'a syn::Path,
    /// The struct.
    name: &'a Ident,
    module: &'a Ident,
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
