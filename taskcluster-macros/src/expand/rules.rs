//! Writes the constraints of schemas: as statics for the runtime, and in words.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens as _, quote};

use crate::expand::context::ident;
use crate::schema::types::Rule;

/// The static of some rules; `p` is where the runtime has their types.
pub(super) fn all(p: &TokenStream, rules: &[Rule]) -> TokenStream {
    let rules = rules.iter().filter_map(|rule| one(p, rule));
    quote!(&[#(#rules),*])
}

fn one(p: &TokenStream, rule: &Rule) -> Option<TokenStream> {
    let all = |rules: &[Rule]| all(p, rules);
    let size = |size: &usize| Literal::usize_unsuffixed(*size).into_token_stream();
    let number = |number: &f64| Literal::f64_suffixed(*number).into_token_stream();
    let texts = |texts: &[String]| quote!(&[#(#texts),*]);
    let groups = |groups: &[Vec<Rule>]| {
        let groups = groups.iter().map(|rules| all(rules));
        quote!(&[#(#groups),*])
    };
    let (name, value) = match rule {
        Rule::Pattern(pattern, ours) if pattern == ours => ("Pattern", pattern.to_token_stream()),
        Rule::Pattern(pattern, ours) => ("Translated", quote!(#pattern, #ours)),
        Rule::NoMatch(pattern, ours) => ("NoMatch", quote!(#pattern, #ours)),
        Rule::MinLength(least) => ("MinLength", size(least)),
        Rule::MaxLength(most) => ("MaxLength", size(most)),
        Rule::MinItems(least) => ("MinItems", size(least)),
        Rule::MaxItems(most) => ("MaxItems", size(most)),
        Rule::MinProperties(least) => ("MinProperties", size(least)),
        Rule::MaxProperties(most) => ("MaxProperties", size(most)),
        Rule::Minimum(least) => ("Minimum", number(least)),
        Rule::Maximum(most) => ("Maximum", number(most)),
        Rule::Above(bound) => ("Above", number(bound)),
        Rule::Below(bound) => ("Below", number(bound)),
        Rule::MultipleOf(divisor) => ("MultipleOf", number(divisor)),
        Rule::Format(format) => {
            let format = ident(format);
            ("Format", quote!(#p::Format::#format))
        }
        Rule::Types(types) => ("Types", texts(types)),
        Rule::OneOf(values) => ("OneOf", texts(values)),
        Rule::Each(rules) => ("Each", all(rules)),
        Rule::Keys(rules) => ("Keys", all(rules)),
        Rule::AnyOf(alternatives) => ("AnyOf", groups(alternatives)),
        Rule::ExactlyOneOf(alternatives) => ("ExactlyOneOf", groups(alternatives)),
        Rule::Whole(text) => ("Whole", text.to_token_stream()),
        Rule::UniqueItems => return Some(quote!(#p::Rule::UniqueItems)),
        Rule::Unchecked(_) => return None,
    };
    let name = ident(name);
    Some(quote!(#p::Rule::#name(#value)))
}

/// A constraint in words, if it takes only a few, or is not checked by this crate alone.
pub(super) fn in_words(rule: &Rule) -> Option<String> {
    Some(match rule {
        Rule::Pattern(pattern, _) => format!("matches `{pattern}`"),
        Rule::MinLength(1) => "not empty".to_owned(),
        Rule::MinLength(least) => format!("at least {least} characters"),
        Rule::MaxLength(most) => format!("at most {most} characters"),
        Rule::Minimum(least) => format!("at least {least}"),
        Rule::Maximum(most) => format!("at most {most}"),
        Rule::Above(bound) => format!("more than {bound}"),
        Rule::Below(bound) => format!("less than {bound}"),
        Rule::MultipleOf(divisor) => format!("a multiple of {divisor}"),
        Rule::MinItems(least) => format!("at least {least} items"),
        Rule::MaxItems(most) => format!("at most {most} items"),
        Rule::MinProperties(least) => format!("at least {least} properties"),
        Rule::MaxProperties(most) => format!("at most {most} properties"),
        Rule::OneOf(values) if values.len() == 1 => format!("always `{}`", values[0]),
        Rule::OneOf(values) => format!("one of `{}`", values.join("`, `")),
        Rule::Types(types) => format!("of type `{}`", types.join("` or `")),
        Rule::Each(rules) | Rule::Keys(rules) => return rules.iter().find_map(exception),
        Rule::Whole(_) | Rule::Unchecked(_) => return exception(rule),
        // Said with what must match.
        Rule::NoMatch(..) => return None,
        Rule::UniqueItems | Rule::Format(_) | Rule::AnyOf(_) | Rule::ExactlyOneOf(_) => {
            return None;
        }
    })
}

/// What is said of a rule that is not checked, or not always.
pub(super) fn exception(rule: &Rule) -> Option<String> {
    match rule {
        Rule::Whole(_) => {
            Some("`validate` checks its whole schema only with the feature `validation`".to_owned())
        }
        Rule::Unchecked(why) => Some(format!("`validate` does not check its whole schema: {why}")),
        Rule::Each(rules) | Rule::Keys(rules) => rules.iter().find_map(exception),
        _ => None,
    }
}
