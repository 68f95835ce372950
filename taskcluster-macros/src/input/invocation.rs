//! Parses what the user writes between the braces of `taskcluster_api! { … }`.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, LitStr, Path, Token, Visibility, braced};

/// A whole invocation: an optional `crate = path;`, then items and folders.
pub(crate) struct Invocation {
    /// The runtime crate.
    pub(crate) runtime: Path,
    /// `pub struct Name = "reference.json" { endpoint, … }`.
    pub(crate) items: Vec<Item>,
    /// `pub mod name = "folder/" { Struct, … }`.
    pub(crate) folders: Vec<Item>,
}

/// A struct of a reference, or a module of a folder. Without a list in braces, everything in it is kept.
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
        let (mut items, mut folders) = (Vec::new(), Vec::new());
        while !input.is_empty() {
            let attributes = input.call(Attribute::parse_outer)?;
            let visibility = input.parse()?;
            let keyword = input.lookahead1();
            if keyword.peek(Token![struct]) {
                input.parse::<Token![struct]>()?;
                items.push(Item::parse(attributes, visibility, input)?);
            } else if keyword.peek(Token![mod]) {
                input.parse::<Token![mod]>()?;
                folders.push(Item::parse(attributes, visibility, input)?);
            } else {
                return Err(keyword.error());
            }
        }
        if items.is_empty() && folders.is_empty() {
            return Err(syn::Error::new(
                Span::call_site(),
                "expected `pub struct Name = \"path/to/reference.json\";` or `pub mod name = \"path/to/folder/\";`",
            ));
        }
        Ok(Self { runtime, items, folders })
    }
}

impl Item {
    /// Parses what follows the keyword.
    fn parse(
        attributes: Vec<Attribute>,
        visibility: Visibility,
        input: ParseStream<'_>,
    ) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        let path = input.parse()?;
        let keep = list(input)?;
        Ok(Self { attributes, visibility, name, path, keep })
    }
}

/// The list in braces that ends an item, or the semicolon instead of it, which the last item may omit.
fn list(input: ParseStream<'_>) -> syn::Result<Option<Vec<Ident>>> {
    if input.peek(syn::token::Brace) {
        let list;
        braced!(list in input);
        let names = Punctuated::<Ident, Token![,]>::parse_terminated_with(&list, Ident::parse_any)?;
        input.parse::<Option<Token![;]>>()?;
        return Ok(Some(names.into_iter().collect()));
    }
    if !input.is_empty() {
        input.parse::<Token![;]>()?;
    }
    Ok(None)
}
