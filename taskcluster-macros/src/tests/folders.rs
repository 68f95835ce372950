//! Tests that a folder becomes a module, whatever it is called and wherever the runtime crate is.

use crate::expansion;

#[test]
fn a_folder_may_be_called_as_a_keyword_and_the_runtime_may_be_anywhere() {
    for (runtime, alias) in [("client", true), ("::taskcluster", false), ("crate::client", false)] {
        let invocation = format!(
            "crate = {runtime}; pub(crate) mod r#mod = \"../tests/compile/api/company\" {{ Builds, People }};"
        );
        let expanded = expansion(syn::parse_str(&invocation).unwrap()).to_string();
        assert!(!expanded.contains("compile_error"), "{expanded}");
        assert!(expanded.contains("pub (crate) mod r#mod {"), "{expanded}");
        assert_eq!(expanded.contains("use client as __runtime_of_mod ;"), alias, "{expanded}");
        assert_eq!(expanded.matches("pub struct Builds ").count(), 1);
        assert_eq!(expanded.matches("pub struct BuildsV2").count(), 0);
    }
}
