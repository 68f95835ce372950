//! Tests of references whose schemas are not to be had.

use serde_json::json;

use crate::input::invocation::Invocation;
use crate::tests::support::{Folder, builds, endpoint, errors};

const OPTION: &str = "#[schemas(missing = \"free-form\")]";

fn folder() -> Folder {
    let mut put = endpoint("put", "put", "/", &[]);
    put["input"] = json!("v1/none.json#");
    put["output"] = json!("v1/some.json#");
    let some = json!({
        "type": "object",
        "properties": {"a": {"$ref": "gone.json#"}, "b": {"$ref": "#/definitions/gone"}, "c": {"type": "string"}},
    });
    Folder::of(&builds([put]), &[("some.json", some)])
}

#[test]
fn without_the_option_each_missing_schema_is_an_error_that_names_it() {
    let mut put = endpoint("put", "put", "/", &[]);
    put["output"] = json!("v1/some.json#");
    let some = json!({"type": "object", "properties": {"a": {"$ref": "gone.json#"}}});
    for (folder, missing) in [
        (folder(), "cannot find the schema `v1/none.json#`; looked for `"),
        (
            Folder::of(&builds([put]), &[("some.json", some)]),
            "cannot resolve `$ref` to `gone.json#`: there is no `",
        ),
    ] {
        let errors = folder.errors();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(missing), "{errors:?}");
        assert!(
            errors[0].ends_with(&format!("; to do without it, write `{OPTION}` above the item"))
        );
    }
}

#[test]
fn with_the_option_what_is_missing_is_free_form_json_and_says_so() {
    let rust = folder().expansion_with(OPTION);
    assert_eq!(errors(&rust), [""; 0]);
    assert!(
        rust.contains(
            "payload : impl :: core :: convert :: Into :: < builds :: __runtime :: FreeForm >"
        ),
        "{rust}"
    );
    for field in ["a : __p :: Option < __p :: FreeForm >", "b : __p :: Option < __p :: FreeForm >"]
    {
        assert!(rust.contains(field), "{rust}");
    }
    assert!(rust.contains("c : __p :: Option < __p :: String >"));
    for why in [
        "- Payload: schema `v1/none.json#`, free-form JSON because the schema is missing: `v1/none.json#`.",
        "`a`, free-form JSON because its schema is missing: `gone.json#`.",
        "`b`, free-form JSON because its schema is missing: `#/definitions/gone`.",
    ] {
        assert!(rust.contains(why), "{why}\n{rust}");
    }
    // The attribute is the macro's own.
    assert!(!rust.contains("# [schemas"));
}

#[test]
fn a_file_that_is_there_and_wrong_is_an_error_with_the_option_too() {
    let folder = folder();
    std::fs::write(folder.0.join("schemas/builds/v1/none.json"), "{").unwrap();
    let errors = errors(&folder.expansion_with(OPTION));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("none.json:1:1: invalid JSON"), "{errors:?}");
}

#[test]
fn the_option_has_one_spelling() {
    for wrong in [
        "#[schemas]",
        "#[schemas()]",
        "#[schemas(missing)]",
        "#[schemas(mising = \"free-form\")]",
        "#[schemas(missing = \"none\")]",
    ] {
        let item = format!("{wrong} pub struct A = \"a.json\";");
        let error = syn::parse_str::<Invocation>(&item).err().unwrap().to_string();
        assert!(
            error.contains(OPTION) || error.contains("expected attribute arguments"),
            "{wrong}: {error}"
        );
    }
}
