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
    pub(crate) items: Vec<Item>,
    pub(crate) folders: Vec<Folder>,
}

/// `pub struct Name = "reference.json" { endpoint, … }`, or with `;` instead of the list to keep all endpoints.
pub(crate) struct Item {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) path: LitStr,
    pub(crate) keep: Option<Vec<Ident>>,
}

/// `pub mod name = "folder/" { Struct, … }`, or with `;` instead of the list to keep all structs.
pub(crate) struct Folder {
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
                items.push(Item::parse(attributes, visibility, input)?);
            } else if keyword.peek(Token![mod]) {
                folders.push(Folder::parse(attributes, visibility, input)?);
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

impl Folder {
    fn parse(
        attributes: Vec<Attribute>,
        visibility: Visibility,
        input: ParseStream<'_>,
    ) -> syn::Result<Self> {
        input.parse::<Token![mod]>()?;
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        let path = input.parse()?;
        let keep = list(input)?;
        Ok(Self { attributes, visibility, name, path, keep })
    }
}

impl Item {
    fn parse(
        attributes: Vec<Attribute>,
        visibility: Visibility,
        input: ParseStream<'_>,
    ) -> syn::Result<Self> {
        input.parse::<Token![struct]>()?;
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
