//! Writes what the types that callers send have besides others: a constructor, setters and a check.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::expand::context::{Context, ident};
use crate::expand::paths::{Seen, of, path};
use crate::names;
use crate::schema::types::{Field, Kind, Record};

/// The field that no caller can set. The names of properties do not begin like this.
pub(super) const PRIVATE: &str = "_private";

/// The constructor, setters and check of a record that callers send.
pub(super) fn record(context: &Context<'_>, name: &Ident, record: &Record) -> TokenStream {
    let required = record.required.iter().map(|index| &record.fields[*index]);
    let required: Vec<_> = required.filter(|field| !field.nullable()).collect();
    let names: Vec<_> = required.iter().map(|field| ident(&field.name.rust)).collect();
    let (kinds, values): (Vec<_>, Vec<_>) = required
        .iter()
        .map(|field| argument(context, &field.kind, &ident(&field.name.rust)))
        .unzip();
    let is_open = record.others.field(true).is_some();
    let rest =
        (names.len() < record.fields.len() + usize::from(is_open)).then(|| quote!(..__p::blank()));
    let docs = constructor_docs(&required, rest.is_some());
    let private = ident(PRIVATE);
    let setters = setters(context, record);
    let validate = validate();
    quote! {
        impl #name {
            #[doc = #docs]
            #[inline]
            #[must_use]
            #[allow(clippy::too_many_arguments)]
            pub fn new(#(#names: #kinds),*) -> Self {
                Self { #(#names: #values,)* #private: (), #rest }
            }

            #setters

            #validate
        }
    }
}

/// Names the arguments of a constructor in their order.
fn constructor_docs(required: &[&Field], others: bool) -> String {
    let link = |field: &&Field| format!("[`{0}`](#structfield.{0})", field.name.rust);
    let links: Vec<_> = required.iter().map(link).collect();
    let arguments = match links.as_slice() {
        [] => "Creates an empty value.".to_owned(),
        [only] => format!("Creates a value with its required field, {only}."),
        [first @ .., last] => {
            format!("Creates a value with its required fields: {} and {last}.", first.join(", "))
        }
    };
    let rest = if others { " Other fields are left out unless they are set." } else { "" };
    arguments + rest
}

/// The setters of a record: one for each field that its constructor does not take. Those of lists and maps add to them, and
/// have a second one that adds a single item.
fn setters(context: &Context<'_>, record: &Record) -> TokenStream {
    let mut taken = Vec::new();
    for field in &record.fields {
        let mut setter = names::setter(&field.name.rust);
        while taken.contains(&setter) {
            setter.push('_');
        }
        taken.push(setter);
    }
    let mut setters = TokenStream::new();
    for (index, field) in record.fields.iter().enumerate() {
        let setter = taken[index].clone();
        let name = ident(&field.name.rust);
        let place = match field.required {
            true => quote!(self.#name),
            false => quote!(self.#name.get_or_insert_default()),
        };
        let mut setter_of = |setter: &str, verb: &str, takes: TokenStream, body: TokenStream| {
            let docs = format!("{verb} [`{name}`](#structfield.{name}).");
            let setter = ident(setter);
            setters.extend(quote! {
                #[doc = #docs]
                #[inline]
                #[must_use]
                pub fn #setter(mut self, #takes) -> Self {
                    #body;
                    self
                }
            });
        };
        let single = names::singular(&field.name.rust).map(|single| names::setter(&single));
        let single = single.filter(|single| !taken.contains(single));
        match &field.kind {
            Kind::List(kind) => {
                let (kind, converts) = item(context, kind);
                let (several, one) = match converts {
                    true => (quote!(#name.into_iter().map(__p::Into::into)), quote!(item.into())),
                    false => (quote!(#name), quote!(item)),
                };
                let items = quote!(#name: impl __p::IntoIterator<Item = #kind>);
                setter_of(&setter, "Adds to", items, quote!(#place.extend(#several)));
                if let Some(single) = &single {
                    let body = quote!(#place.push(#one));
                    setter_of(single, "Adds one to", quote!(item: #kind), body);
                }
            }
            Kind::Map(kind) => {
                let (kind, converts) = item(context, kind);
                let value = if converts { quote!(value.into()) } else { quote!(value) };
                let key = quote!(impl __p::Into<__p::String>);
                let entries = quote!(#name: impl __p::IntoIterator<Item = (#key, #kind)>);
                let several = quote!(#name.into_iter().map(|(key, value)| (key.into(), #value)));
                setter_of(&setter, "Adds to", entries, quote!(#place.extend(#several)));
                if let Some(single) = &single {
                    let body = quote!(#place.insert(key.into(), #value));
                    setter_of(single, "Adds one to", quote!(key: #key, value: #kind), body);
                }
            }
            _ if field.required && !field.nullable() => {}
            kind => {
                let (kind, value) = argument(context, kind.or_value(), &name);
                let some = match (field.required, field.nullable()) {
                    (false, true) => quote!(__p::Nullable::Value),
                    _ => quote!(__p::Option::Some),
                };
                setter_of(
                    &setter,
                    "Sets",
                    quote!(#name: #kind),
                    quote!(self.#name = #some(#value)),
                );
            }
        }
        taken.extend(single);
    }
    setters
}

/// The type that a setter takes for an item of a list or map, and whether that has to be converted.
fn item(context: &Context<'_>, kind: &Kind) -> (TokenStream, bool) {
    let item = of(context, kind, Seen::Inside);
    let converts = matches!(kind, Kind::Text | Kind::Number | Kind::FreeForm(_));
    (if converts { quote!(impl __p::Into<#item>) } else { item }, converts)
}

/// The check of a type that callers send.
pub(super) fn validate() -> TokenStream {
    quote! {
        /// Checks the value against its schema. The documentation of a field says what takes the feature `validation`, and what is not checked.
        ///
        /// # Errors
        ///
        /// Returns an error that lists everything that is wrong, each with its place.
        #[inline]
        pub fn validate(&self) -> __runtime::Result<()> {
            __p::validate(self.view())
        }
    }
}

/// The type of a constructor's argument, and the field's value that it makes.
fn argument(context: &Context<'_>, kind: &Kind, name: &Ident) -> (TokenStream, TokenStream) {
    match kind {
        Kind::Text => (quote!(impl __p::Into<__p::String>), quote!(#name.into())),
        Kind::Number => (quote!(impl __p::Into<__p::Number>), quote!(#name.into())),
        Kind::FreeForm(_) => (quote!(impl __p::Into<__p::FreeForm>), quote!(#name.into())),
        Kind::Boxed(id) => (path(context, *id, Seen::Inside), quote!(__p::Box::new(#name))),
        Kind::List(item) if **item == Kind::Text => (
            quote!(impl __p::IntoIterator<Item = impl __p::Into<__p::String>>),
            quote!(#name.into_iter().map(__p::Into::into).collect()),
        ),
        Kind::List(item) => {
            let item = of(context, item, Seen::Inside);
            (quote!(impl __p::IntoIterator<Item = #item>), quote!(#name.into_iter().collect()))
        }
        other => (of(context, other, Seen::Inside), quote!(#name)),
    }
}
