//! Writes a method for each endpoint. If an endpoint has query options, its method returns a type with a setter for each.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use crate::expand::camel_case::misleads;
use crate::expand::categories::Category;
use crate::expand::context::{Context, ident};
use crate::expand::docs;
use crate::expand::paths::{self, Seen};
use crate::expand::rules;
use crate::names;
use crate::reference::model::{Endpoint, Reference, Stability};
use crate::schema::types::Kind;

/// The methods of all endpoints, in the order of their categories, and the types that they return.
pub(super) fn all(
    context: &Context<'_>,
    reference: &Reference,
    categories: &[Category<'_>],
) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let ordered = categories.iter().flat_map(|category| &category.endpoints);
    let methods = ordered.map(|(index, endpoint)| method(context, reference, *index, endpoint));
    let types = reference.endpoints.iter().filter_map(|endpoint| call_type(context, endpoint));
    (methods.collect(), types.collect())
}

fn method(
    context: &Context<'_>,
    reference: &Reference,
    index: usize,
    endpoint: &Endpoint,
) -> TokenStream {
    let module = context.module;
    let docs = docs::endpoint(reference, endpoint);
    let alias = docs::alias(&endpoint.name);
    let deprecated = (endpoint.stability == Stability::Deprecated).then(
        || quote!(#[deprecated = "the service will remove this endpoint; see its documentation"]),
    );
    let name = context.method(&endpoint.name);
    let args: Vec<_> = endpoint.args.iter().map(|arg| ident(&arg.rust)).collect();
    let runtime = paths::runtime(context, Seen::Beside);
    let arg_types: Vec<_> =
        endpoint.patterns.iter().map(|pattern| value_type(&runtime, pattern.as_deref())).collect();
    let index = Literal::usize_unsuffixed(index);
    let facts = quote!(&#module::ENDPOINTS[#index]);
    let (payload_arg, payload) = match &endpoint.payload {
        Some(Kind::FreeForm(_)) => {
            let into = quote!(::core::convert::Into::<#module::__runtime::FreeForm>);
            let view = quote!(#module::__p::Access::view(&#into::into(payload)));
            let view = ruled(context, endpoint, &view);
            (Some(quote!(, payload: impl #into)), Some(quote!(, #view)))
        }
        Some(kind) => {
            let kind = paths::of(context, kind, Seen::Beside);
            let payload = quote!(#runtime::Payload<#kind>);
            let view = ruled(context, endpoint, &quote!(<_ as #payload>::view(&payload)));
            (Some(quote!(, payload: impl #payload)), Some(quote!(, #view)))
        }
        None => (None, None),
    };
    let call = ident(if endpoint.paging.is_some() { "Paged" } else { "Call" });
    let constructor = ident(if payload.is_some() { "with_payload" } else { "of" });
    let call = quote! {
        #module::__runtime::#call::#constructor(&self.0, #facts, &[#(&#args),*] #payload)
    };
    let (result, call) = if endpoint.query.is_empty() {
        (plain_call(context, endpoint, Seen::Beside), call)
    } else {
        let wrapper = call_type_name(endpoint);
        (quote!(#module::#wrapper), quote!(#module::#wrapper(#call)))
    };
    let in_camel_case = misleads(endpoint, reference).then(|| {
        let camel_case = ident(&endpoint.name.wire);
        let note = format!("it is called `{name}`");
        let payload = payload_arg.is_some().then(|| quote!(payload));
        quote! {
            #[doc(hidden)]
            #[deprecated = #note]
            #[allow(non_snake_case)]
            #[inline]
            pub fn #camel_case(&self #(, #args: #arg_types)* #payload_arg) -> #result {
                self.#name(#(#args,)* #payload)
            }
        }
    });
    quote! {
        #docs
        #alias
        #deprecated
        pub fn #name(&self #(, #args: #arg_types)* #payload_arg) -> #result {
            #call
        }

        #in_camel_case
    }
}

/// The type of an argument's or query option's value.
fn value_type(runtime: &TokenStream, pattern: Option<&str>) -> TokenStream {
    match pattern {
        Some("^[0-9]+$" | "^[1-9]*[0-9]+$" | "^([0-9]*)$") => quote!(impl #runtime::Integer),
        Some("^(true|false)$") => quote!(bool),
        _ => quote!(impl ::core::fmt::Display),
    }
}

/// A payload's view with the rules that are not those of its type.
fn ruled(context: &Context<'_>, endpoint: &Endpoint, view: &TokenStream) -> TokenStream {
    if endpoint.payload_rules.is_empty() {
        return view.clone();
    }
    let p = paths::private(context, Seen::Beside);
    let rules = rules::all(&p, &endpoint.payload_rules);
    quote!(#p::View::Ruled(&#p::Ruled { view: #view, rules: #rules }))
}

/// The runtime's type of calls to this endpoint.
fn plain_call(context: &Context<'_>, endpoint: &Endpoint, seen: Seen) -> TokenStream {
    let runtime = paths::runtime(context, seen);
    let answer = answer_type(context, &endpoint.answer, seen);
    match endpoint.paging {
        Some(_) => {
            let item = answer_type(context, &endpoint.item, seen);
            quote!(#runtime::Paged<#answer, #item>)
        }
        None => quote!(#runtime::Call<#answer>),
    }
}

/// The type of a response, or of an item in it.
fn answer_type(context: &Context<'_>, kind: &Option<Kind>, seen: Seen) -> TokenStream {
    match kind {
        Some(kind) => paths::of(context, kind, seen),
        None => {
            let runtime = paths::runtime(context, seen);
            quote!(#runtime::Value)
        }
    }
}

fn call_type_name(endpoint: &Endpoint) -> Ident {
    ident(&names::type_name(&endpoint.name.wire, "Call"))
}

fn call_type(context: &Context<'_>, endpoint: &Endpoint) -> Option<TokenStream> {
    if endpoint.query.is_empty() {
        return None;
    }
    let service = context.name;
    let name = call_type_name(endpoint);
    let inner = plain_call(context, endpoint, Seen::Inside);
    let answer = answer_type(context, &endpoint.answer, Seen::Inside);
    let runtime = paths::runtime(context, Seen::Inside);
    let docs = format!(
        "A call to [`{service}::{}`](super::{service}::{0}), with a setter for each query option.",
        endpoint.name.rust
    );
    let setters = endpoint.query.iter().zip(&endpoint.query_patterns).map(|(option, pattern)| {
        let wire = &option.wire;
        let alias = docs::alias(option);
        let docs = format!("Sets the `{wire}` query option.");
        let setter = ident(&option.rust);
        let value = value_type(&runtime, pattern.as_deref());
        quote! {
            #[doc = #docs]
            #alias
            pub fn #setter(mut self, value: #value) -> Self {
                self.0.set_query(#wire, &value);
                self
            }
        }
    });
    Some(quote! {
        #[doc = #docs]
        #[derive(Clone, Debug)]
        #[must_use = "nothing is sent until the call is awaited or sent"]
        pub struct #name(pub(super) #inner);

        impl #name {
            #(#setters)*
        }

        #runtime::__forward!([] #name, 0, #answer);

        impl ::core::ops::Deref for #name {
            type Target = #inner;

            fn deref(&self) -> &#inner {
                &self.0
            }
        }

        impl ::core::future::IntoFuture for #name {
            type Output = <#inner as ::core::future::IntoFuture>::Output;
            type IntoFuture = <#inner as ::core::future::IntoFuture>::IntoFuture;

            fn into_future(self) -> Self::IntoFuture {
                self.send()
            }
        }
    })
}
