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
    /// Whether schemas that are not to be had are free-form JSON: `#[schemas(missing = "free-form")]`.
    pub(crate) free_form_if_missing: bool,
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
        let mut free_form_if_missing = false;
        let mut others = Vec::with_capacity(attributes.len());
        for attribute in attributes {
            if attribute.path().is_ident("schemas") {
                attribute.parse_args_with(missing_is_free_form)?;
                free_form_if_missing = true;
            } else {
                others.push(attribute);
            }
        }
        Ok(Self { attributes: others, visibility, name, path, keep, free_form_if_missing })
    }
}

/// What is in the parentheses of `#[schemas(missing = "free-form")]`: this is all there is to say.
fn missing_is_free_form(input: ParseStream<'_>) -> syn::Result<()> {
    let expected = |span| syn::Error::new(span, "expected `#[schemas(missing = \"free-form\")]`");
    let key: Ident = input.parse().map_err(|error| expected(error.span()))?;
    input.parse::<Token![=]>().map_err(|error| expected(error.span()))?;
    let value: LitStr = input.parse().map_err(|error| expected(error.span()))?;
    match (key == "missing", value.value().as_str()) {
        (true, "free-form") => Ok(()),
        (true, _) => Err(expected(value.span())),
        _ => Err(expected(key.span())),
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
