//! Writes the types of payloads: structs and enums that describe themselves and leave the work to the runtime.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use serde_json::Value;

use crate::expand::context::{Context, ident};
use crate::expand::docs::prose;
use crate::expand::paths::{Seen, of, path};
use crate::expand::requests::{self, validate};
use crate::expand::rules;
use crate::names;
use crate::schema::types::{Definition, Field, Kind, Others, Record, Type, UNKNOWN, Union};

/// The types of an item's module.
pub(super) fn all(context: &Context<'_>) -> TokenStream {
    let own = || {
        let all = context.types.all.iter().enumerate();
        all.filter(|(_, kind)| kind.item == context.item && kind.same_as.is_none())
    };
    let types = own().map(|(_, kind)| match &kind.definition {
        Definition::Record(fields) => record(context, kind, fields),
        Definition::Choice(_) => choice(context, kind),
        Definition::Union(branches) => union(context, kind, branches),
    });
    let records = own()
        .filter(|(_, kind)| matches!(kind.definition, Definition::Record(_)))
        .map(|(_, kind)| ident(&kind.name));
    let choices = own().filter_map(|(_, kind)| {
        let Definition::Choice(values) = &kind.definition else { return None };
        let name = ident(&kind.name);
        // Values that are left to the variant for unknown ones.
        let left = values.iter().filter(|value| value.rust == UNKNOWN).map(|value| &value.wire);
        Some(quote!(#name #(#left)*))
    });
    // What may be something else than an object may be `null`, too.
    let unions = [false, true].map(|is_open| {
        let unions = own().filter_map(|(_, kind)| match &kind.definition {
            Definition::Union(union) if union.is_open == is_open => Some(ident(&kind.name)),
            _ => None,
        });
        quote!(__runtime::__union!(#is_open: #(#unions)*);)
    });
    let credentials = own()
        .filter(|(_, kind)| matches!(&kind.definition, Definition::Record(record) if is_credentials(record)))
        .map(|(_, kind)| ident(&kind.name))
        .collect::<Vec<_>>();
    let credentials =
        (!credentials.is_empty()).then(|| quote!(__runtime::__credentials!(#(#credentials)*);));
    quote! {
        #(#types)*
        __runtime::__record!(#(#records)*);
        __runtime::__choice!(#(#choices)*);
        #(#unions)*
        #credentials
    }
}

/// Whether a record always has what credentials consist of.
fn is_credentials(record: &Record) -> bool {
    let always = |field: &Field| field.required && field.kind == Kind::Text;
    ["clientId", "accessToken"]
        .iter()
        .all(|name| record.fields.iter().any(|field| field.name.wire == *name && always(field)))
}

fn field_type(context: &Context<'_>, field: &Field) -> TokenStream {
    match &field.kind {
        Kind::Optional(some) if !field.required => {
            let some = of(context, some, Seen::Inside);
            quote!(__p::Nullable<#some>)
        }
        kind => {
            let kind = of(context, kind, Seen::Inside);
            if field.required { kind } else { quote!(__p::Option<#kind>) }
        }
    }
}

fn record(context: &Context<'_>, kind: &Type, record: &Record) -> TokenStream {
    let docs = type_docs(context, kind);
    let name = ident(&kind.name);
    let fields: Vec<_> = record.fields.iter().map(|field| ident(&field.name.rust)).collect();
    let types = record.fields.iter().map(|field| field_type(context, field));
    let field_docs = record.fields.iter().map(|field| field_docs(field, kind.sent));
    let shapes = record.fields.iter().map(|field| shape(field, kind));
    let open: Vec<_> = record.others.field(kind.sent).into_iter().map(ident).collect();
    let others = ident(match &record.others {
        _ if !open.is_empty() => "Kept",
        Others::Refused if kind.sent => "Refused",
        _ => "Ignored",
    });
    let all: Vec<_> = fields.iter().chain(&open).collect();
    let index: Vec<_> = (0..all.len()).map(Literal::usize_unsuffixed).collect();
    let rust_name = &kind.name;
    let rules = rules::all(&quote!(__p), if kind.sent { &record.rules } else { &[] });
    // A type may get more fields. Of one with a constructor, a private field makes the compiler say so to who writes a literal.
    let private: Vec<_> = kind.sent.then(|| ident(requests::PRIVATE)).into_iter().collect();
    let non_exhaustive = (!kind.sent).then(|| quote!(#[non_exhaustive]));
    let sent = kind.sent.then(|| requests::record(context, &name, record));
    let sources = kind.made_of.iter().map(|source| path(context, source.answer, Seen::Inside));
    let nothing_required = record.fields.iter().all(|field| !field.required || field.nullable());
    let default = (kind.sent && nothing_required).then(|| {
        quote! {
            impl ::core::default::Default for #name {
                fn default() -> Self {
                    __p::blank()
                }
            }
        }
    });
    quote! {
        #[doc = #docs]
        #non_exhaustive
        pub struct #name {
            #(#[doc = #field_docs] pub #fields: #types,)*
            #(
                /// The properties that have no field of their own.
                pub #open: __p::BTreeMap<__p::String, __p::FreeForm>,
            )*
            #(#private: (),)*
        }

        #sent

        impl __p::Field for #name {
            fn blank() -> Self {
                Self { #(#all: __p::blank(),)* #(#private: ())* }
            }

            fn slot(&mut self) -> __p::Slot<'_> {
                __p::Slot::Record(self)
            }

            fn view(&self) -> __p::View<'_> {
                __p::View::Record(self)
            }
        }

        #default

        #(
            impl __p::From<&#sources> for #name {
                fn from(answer: &#sources) -> Self {
                    __p::convert(answer)
                }
            }
        )*

        impl __p::Record for #name {
            fn shape(&self) -> &'static __p::Shape {
                static SHAPE: __p::Shape =
                    __p::Shape { name: #rust_name, fields: &[#(#shapes),*], others: __p::Others::#others, rules: #rules };
                &SHAPE
            }

            fn slot_of(&mut self, index: usize) -> __p::Slot<'_> {
                match index {
                    #(#index => self.#all.slot(),)*
                    _ => __p::Slot::Nothing,
                }
            }

            fn view_of(&self, index: usize) -> __p::View<'_> {
                match index {
                    #(#index => self.#all.view(),)*
                    _ => __p::View::Nothing,
                }
            }
        }
    }
}

fn shape(field: &Field, of: &Type) -> TokenStream {
    let key = &field.name.wire;
    let name = &field.name.rust;
    let presence = ident(match (field.required, field.nullable()) {
        (true, true) => "nullable",
        (true, false) => "required",
        (false, _) => "optional",
    });
    let rules = rules::all(&quote!(__p), if of.sent { &field.rules } else { &[] });
    let hidden = is_secret(field, of).then(|| quote!(.hidden()));
    quote!(__p::#presence(#key, #name, #rules)#hidden)
}

/// Whether `Debug` hides a field: because of its name, because it is free-form JSON or a map and the field or its file is
/// called a secret, or because it is the `resource` of a request that may be signed there rather than in `authorization`.
fn is_secret(field: &Field, of: &Type) -> bool {
    let name = field.name.wire.as_str();
    let file = of.place.path.rsplit('/').next().unwrap_or_default();
    let is_beside = |other: &str| match &of.definition {
        Definition::Record(record) => record.fields.iter().any(|field| field.name.wire == other),
        _ => false,
    };
    names::is_secret(name)
        || (matches!(field.kind.or_value(), Kind::FreeForm(_) | Kind::Map(_))
            && [name, file].iter().any(|name| name.contains("secret")))
        || (name == "resource" && is_beside("authorization"))
}

fn choice(context: &Context<'_>, kind: &Type) -> TokenStream {
    let Definition::Choice(values) = &kind.definition else { return TokenStream::new() };
    let values: Vec<_> = values.iter().filter(|value| value.rust != UNKNOWN).collect();
    let docs = type_docs(context, kind);
    let name = ident(&kind.name);
    let texts: Vec<_> = values.iter().map(|value| &value.wire).collect();
    let variants: Vec<_> = values.iter().map(|value| ident(&value.rust)).collect();
    let value_docs = values.iter().map(|value| match value.description.as_str() {
        "" => format!("`{}`", value.wire),
        description => format!("{}\n\n`{}`.", prose(description), value.wire),
    });
    quote! {
        #[doc = #docs]
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum #name {
            #(#[doc = #value_docs] #variants,)*
            /// A value that this version does not know.
            Unknown(__p::String),
        }

        impl #name {
            /// Returns the value as it is sent on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#variants => #texts,)*
                    Self::Unknown(text) => text,
                }
            }
        }

        impl __p::From<&str> for #name {
            fn from(text: &str) -> Self {
                match text {
                    #(#texts => Self::#variants,)*
                    _ => Self::Unknown(text.into()),
                }
            }
        }
    }
}

fn union(context: &Context<'_>, kind: &Type, union: &Union) -> TokenStream {
    let docs = type_docs(context, kind);
    let name = ident(&kind.name);
    let variants: Vec<_> = union.branches.iter().map(|branch| ident(&branch.name)).collect();
    let records: Vec<_> =
        union.branches.iter().map(|branch| path(context, branch.record, Seen::Inside)).collect();
    let variant_docs = union.branches.iter().map(|branch| match (&union.tag, &branch.tags) {
        (Some(tag), tags) if !tags.is_empty() => {
            let tags: Vec<_> = tags.iter().map(tag_text).collect();
            format!("Chosen if `{tag}` is `{}`.", tags.join("` or `"))
        }
        _ if union.is_open && union.branches.len() == 1 => "Chosen if it is an object.".to_owned(),
        _ if branch.required.is_empty() => "Chosen if nothing else fits.".to_owned(),
        _ => format!("Chosen if it has `{}`.", branch.required.join("` and `")),
    });
    let of_texts = union.has_text_tags();
    let tag = match &union.tag {
        Some(tag) if of_texts => quote!(__p::Tag::Text(#tag)),
        Some(tag) => quote!(__p::Tag::Json(#tag)),
        None => quote!(__p::Tag::None),
    };
    let branches = union.branches.iter().map(|branch| {
        let tags = branch.tags.iter().map(|tag| {
            if of_texts { tag_text(tag) } else { tag.to_string() }
        });
        let required = &branch.required;
        let only = branch.leaves_tag_out;
        quote!(__p::Branch { tags: &[#(#tags),*], required: &[#(#required),*], leaves_tag_out: #only })
    });
    let is_open = union.is_open;
    let rules = rules::all(&quote!(__p), if kind.sent { &union.rules } else { &[] });
    let unknown_docs = if is_open {
        "Anything else, as it is."
    } else {
        "An alternative that this version does not know, as it is."
    };
    let index: Vec<_> = (0..variants.len()).map(Literal::usize_unsuffixed).collect();
    let beyond = Literal::usize_unsuffixed(variants.len());
    let validate = kind.sent.then(|| {
        let validate = validate();
        quote!(impl #name { #validate })
    });
    // Two variants of one record have no `From`.
    let froms = variants.iter().zip(&union.branches).zip(&records).filter_map(
        |((variant, branch), record)| {
            let alike = union.branches.iter().filter(|other| other.record == branch.record);
            (alike.count() == 1).then(|| {
                quote! {
                    impl __p::From<#record> for #name {
                        fn from(record: #record) -> Self {
                            Self::#variant(record)
                        }
                    }
                }
            })
        },
    );
    quote! {
        #[doc = #docs]
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub enum #name {
            #(#[doc = #variant_docs] #variants(#records),)*
            #[doc = #unknown_docs]
            Unknown(__p::FreeForm),
        }

        #validate

        impl __p::Union for #name {
            fn shape(&self) -> &'static __p::UnionShape {
                static SHAPE: __p::UnionShape =
                    __p::UnionShape { tag: #tag, branches: &[#(#branches),*], is_open: #is_open, rules: #rules };
                &SHAPE
            }

            fn choose(&mut self, branch: usize) -> __p::Slot<'_> {
                *self = match branch {
                    #(#index => Self::#variants(__p::blank()),)*
                    _ => Self::Unknown(__p::blank()),
                };
                match self {
                    #(Self::#variants(record) => record.slot(),)*
                    Self::Unknown(value) => value.slot(),
                }
            }

            fn chosen(&self) -> (usize, __p::View<'_>) {
                match self {
                    #(Self::#variants(record) => (#index, record.view()),)*
                    Self::Unknown(value) => (#beyond, value.view()),
                }
            }
        }

        #(#froms)*
    }
}

/// The value of a tag: a text by itself, others as JSON.
fn tag_text(tag: &Value) -> String {
    tag.as_str().map_or_else(|| tag.to_string(), str::to_owned)
}

/// Documents a type: what it is, what it can be made of, and where it comes from.
fn type_docs(context: &Context<'_>, kind: &Type) -> String {
    let file = kind.place.path.as_str();
    let file = file.rfind("schemas/").map_or(file, |start| &file[start..]);
    let hash = if kind.place.pointer.is_empty() { "" } else { "#" };
    let line = kind.line.map_or(String::new(), |line| format!(", line {line}"));
    let place = format!("Defined in `{file}{hash}{}`{line}.", kind.place.pointer);
    let sources = kind.made_of.iter().map(|source| {
        let answer = path(context, source.answer, Seen::Inside).to_string().replace(' ', "");
        let (name, endpoint) = (&kind.name, &source.endpoint);
        format!(
            "To change what `{endpoint}` returned and send it back, use `{name}::from(&response)`. It copies all that a \
             [`{answer}`] has in common with the request."
        )
    });
    let rules = match &kind.definition {
        Definition::Record(record) => record.rules.as_slice(),
        Definition::Union(union) => &union.rules,
        Definition::Choice(_) => &[],
    };
    let exceptions = rules.iter().filter(|_| kind.sent).filter_map(rules::exception);
    let exceptions = exceptions.map(|exception| format!("{exception}."));
    let credentials =
        matches!(&kind.definition, Definition::Record(record) if is_credentials(record))
            .then(|| "To sign calls with it, use `Credentials::from(&value)`.".to_owned());
    let description = (!kind.description.is_empty()).then(|| prose(&kind.description));
    description
        .into_iter()
        .chain(sources)
        .chain(exceptions)
        .chain(credentials)
        .chain([place])
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// Documents a field: what it means, and if callers send it, the constraints of its schema.
fn field_docs(field: &Field, sent: bool) -> String {
    let mut docs = prose(&field.description);
    let mut facts = vec![format!("`{}`", field.name.wire)];
    if sent {
        facts.extend(field.rules.iter().filter_map(rules::in_words));
    }
    if let Some(why) = field.kind.not_understood() {
        facts.push(format!("free-form JSON because its schema {why}"));
    }
    if let Some(default) = field.default.as_ref().filter(|_| sent && !field.required) {
        facts.push(format!("defaults to `{default}`"));
    }
    if facts.len() > 1 || docs.is_empty() {
        let separator = if docs.is_empty() { "" } else { "\n\n" };
        docs.push_str(&format!("{separator}{}.", facts.join(", ")));
    }
    docs
}
