//! Checks that the items of an invocation do not take each other's names.

use std::collections::HashMap;

use quote::ToTokens as _;
use syn::ext::IdentExt as _;

use crate::input::invocation::Item;
use crate::input::problems::Problems;
use crate::names;

/// Drops each item that has the name of an earlier one or needs the same module, and reports it. Items under different
/// conditions (`cfg`) may be alternatives.
pub(crate) fn items(structs: &mut Vec<Item>, folders: &mut Vec<Item>, problems: &mut Problems) {
    let mut by_module: HashMap<(String, String), String> = HashMap::new();
    let mut is_first = |item: &Item, module_of: fn(&str) -> String| {
        let name = item.name.unraw().to_string();
        let cfgs = item.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
        let cfgs = cfgs.map(|attribute| attribute.to_token_stream().to_string()).collect();
        let key = (module_of(&name), cfgs);
        let message = match by_module.get(&key) {
            Some(other) if *other == name => format!("two items are named `{name}`; rename one"),
            Some(other) => {
                format!("`{other}` and `{name}` both need a module `{}`; rename one", key.0)
            }
            None => {
                by_module.insert(key, name);
                return true;
            }
        };
        problems.at(item.name.span()).report(message);
        false
    };
    structs.retain(|item| is_first(item, names::module));
    folders.retain(|item| is_first(item, str::to_owned));
}
