//! Parses what the user writes between the braces of `taskcluster_api! { … }`.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, LitStr, Path, Token, Visibility, braced};

/// A whole invocation: an optional `crate = path;`, then items.
pub(crate) struct Invocation {
    /// The runtime crate.
    pub(crate) runtime: Path,
    pub(crate) items: Vec<Item>,
}

/// `pub struct Name = "reference.json" { endpoint, … }`, or with `;` instead of the list to keep all endpoints.
pub(crate) struct Item {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) path: LitStr,
    pub(crate) keep: Option<Vec<Ident>>,
}

impl Parse for Invocation {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let runtime = if input.peek(Token![crate]) && input.peek2(Token![=]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            let path = input.call(Path::parse_mod_style)?;
            input.parse::<Token![;]>()?;
            path
        } else {
            syn::parse_quote!(::taskcluster)
        };
        let mut items = Vec::new();
        while !input.is_empty() {
            items.push(input.parse()?);
        }
        if items.is_empty() {
            return Err(syn::Error::new(
                Span::call_site(),
                "expected `pub struct Name = \"path/to/reference.json\";`",
            ));
        }
        Ok(Self { runtime, items })
    }
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        input.parse::<Token![struct]>()?;
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        let path = input.parse()?;
        let keep = if input.peek(syn::token::Brace) {
            let list;
            braced!(list in input);
            let names =
                Punctuated::<Ident, Token![,]>::parse_terminated_with(&list, Ident::parse_any)?;
            input.parse::<Option<Token![;]>>()?;
            Some(names.into_iter().collect())
        } else {
            // The last item may omit it.
            if !input.is_empty() {
                input.parse::<Token![;]>()?;
            }
            None
        };
        Ok(Self { attributes, visibility, name, path, keep })
    }
}
