//! Tests that a schema that is none is an error at its place, with the nearest right word.

use serde_json::{Value, json};

use crate::tests::support::taking;

/// The errors about a schema of one line, without the file and line.
fn errors(schema: Value) -> Vec<String> {
    let errors = taking(schema).errors();
    let place = "schemas/builds/v1/build.json:1:";
    errors.iter().map(|error| error.strip_prefix(place).unwrap_or(error).to_owned()).collect()
}

/// What is said of the value of a property, without its place.
fn error_of(keyword: &str, value: Value) -> Option<String> {
    let schema = json!({"type": "object", "properties": {"x": {keyword: value}}});
    let errors = errors(schema);
    assert!(errors.len() < 2, "{errors:?}");
    let error = errors.first()?;
    Some(error.split_once(": ").unwrap_or_else(|| panic!("{error}")).1.to_owned())
}

#[test]
fn every_keyword_of_draft_7_has_its_form() {
    let size = "must be a whole number, 0 or more";
    let by_name = "must be an object with a schema for each name";
    let schema = "a schema must be an object, `true` or `false`";
    let some = "must be a list of at least one schema";
    let names = "must be a list of the names of properties";
    for (keyword, right, wrong, message) in [
        ("$comment", json!("x"), json!(1), "must be a string"),
        ("$schema", json!("x"), json!(1), "must be a string"),
        ("$id", json!("x"), json!(1), "must be a string"),
        ("$ref", json!("#/properties"), json!(1), "must be a string"),
        ("title", json!("x"), json!(["x"]), "must be a string"),
        ("description", json!("x"), Value::Null, "must be a string"),
        ("format", json!("uri"), json!(true), "must be a string"),
        ("contentEncoding", json!("base64"), json!(64), "must be a string"),
        ("contentMediaType", json!("text/html"), json!({}), "must be a string"),
        ("readOnly", json!(true), json!("yes"), "must be `true` or `false`"),
        ("writeOnly", json!(false), json!(0), "must be `true` or `false`"),
        ("uniqueItems", json!(true), json!("true"), "must be `true` or `false`"),
        ("examples", json!([1]), json!("x"), "must be a list of values"),
        ("enum", json!(["a"]), json!("a"), "must be a list of values"),
        ("minimum", json!(1.5), json!("1"), "must be a number"),
        ("maximum", json!(-1), json!(true), "must be a number"),
        ("exclusiveMinimum", json!(1), json!("1"), "must be a number"),
        // As draft 4 has it.
        ("exclusiveMaximum", json!(true), json!([1]), "must be a number"),
        ("multipleOf", json!(0.5), json!(0), "must be a number above 0"),
        ("minLength", json!(2.0), json!(-1), size),
        ("maxLength", json!(2), json!(1.5), size),
        ("minItems", json!(0), json!("0"), size),
        ("maxItems", json!(1e3), json!([]), size),
        ("minProperties", json!(1), json!(true), size),
        ("maxProperties", json!(1), json!({}), size),
        ("required", json!(["a", "b"]), json!("a"), names),
        ("required", json!([]), json!(true), names),
        ("items", json!({}), json!("string"), schema),
        ("items", json!([{}, true]), json!(7), schema),
        ("additionalItems", json!(false), json!([]), schema),
        ("contains", json!({}), json!([]), schema),
        ("additionalProperties", json!(true), json!("no"), schema),
        ("propertyNames", json!({}), Value::Null, schema),
        ("not", json!({}), json!([]), schema),
        ("if", json!({}), json!([]), schema),
        ("then", json!({}), json!(1), schema),
        ("else", json!(false), json!("x"), schema),
        ("allOf", json!([{}]), json!({}), some),
        ("anyOf", json!([true]), json!([]), some),
        ("oneOf", json!([{}]), json!("x"), some),
        ("definitions", json!({"a": {}}), json!([]), by_name),
        ("$defs", json!({"a": true}), json!("x"), by_name),
        ("properties", json!({"a": {}}), json!(["a"]), by_name),
        ("dependencies", json!({"a": ["b"], "b": {}}), json!(["a"]), by_name),
        (
            "patternProperties",
            json!({"^a": {}}),
            json!([]),
            "must be an object with a schema for each regular expression",
        ),
        ("pattern", json!("^a"), json!(["^a"]), "must be a string with a regular expression"),
        (
            "type",
            json!(["string", "null"]),
            json!({}),
            "must be the name of a type or a list of such names",
        ),
    ] {
        assert_eq!(error_of(keyword, right), None, "{keyword}");
        let message = match message {
            whole if whole == schema => whole.to_owned(),
            rest => format!("`{keyword}` {rest}"),
        };
        assert_eq!(error_of(keyword, wrong), Some(message));
    }
}

#[test]
fn a_misspelt_keyword_is_an_error_and_other_unknown_ones_are_not() {
    for (misspelt, right) in [
        ("requierd", "required"),
        ("propertis", "properties"),
        ("additionalproperties", "additionalProperties"),
        ("patern", "pattern"),
    ] {
        let message = format!("unknown keyword `{misspelt}`; did you mean `{right}`?");
        assert_eq!(error_of(misspelt, json!(1)), Some(message));
        // Beside the right one, it is something else.
        let both =
            json!({"type": "object", "properties": {}, misspelt: 1, right: keyword_value(right)});
        assert_eq!(errors(both), [""; 0]);
    }
    for other in [
        "id",
        "example",
        "nullable",
        "deprecated",
        "discriminator",
        "xml",
        "prefixItems",
        "minContains",
        "maxContains",
        "dependentRequired",
        "dependentSchemas",
        "unevaluatedItems",
        "unevaluatedProperties",
        "$anchor",
        "$dynamicRef",
        "$recursiveRef",
        "$vocabulary",
        "contentSchema",
        "divisibleBy",
        "disallow",
        "extends",
        "require",
        "x-type",
    ] {
        assert_eq!(error_of(other, json!(1)), None, "{other}");
    }
}

fn keyword_value(keyword: &str) -> Value {
    match keyword {
        "required" => json!([]),
        "pattern" => json!("x"),
        _ => json!({}),
    }
}

#[test]
fn a_wrong_word_has_its_place_and_the_nearest_right_one() {
    let all = "; expected `array`, `boolean`, `integer`, `null`, `number`, `object`, `string`";
    for (word, hint) in [
        ("strng", "; did you mean `string`?"),
        ("String", "; did you mean `string`?"),
        ("bool", "; did you mean `boolean`?"),
        ("matrix", all),
    ] {
        let error = error_of("type", json!(word));
        assert_eq!(error, Some(format!("unknown type `{word}`{hint}")));
    }
    assert_eq!(
        error_of("type", json!(["string", "nul"])).as_deref(),
        Some("unknown type `nul`; did you mean `null`?")
    );
    assert_eq!(
        error_of("type", json!(["null", "null"])).as_deref(),
        Some("`type` lists \"null\" twice")
    );
    assert_eq!(
        error_of("required", json!(["a", 1])).as_deref(),
        Some("`required` must contain only the names of properties")
    );
    assert_eq!(
        error_of("pattern", json!("^[a-z")).as_deref(),
        Some("the regular expression `^[a-z` has a class that is not closed")
    );
    assert_eq!(
        error_of("patternProperties", json!({"(": {}})).as_deref(),
        Some("the regular expression `(` has a group that is not closed")
    );
}

#[test]
fn all_mistakes_have_their_places_wherever_they_are() {
    // Members are written in the order of the alphabet.
    let schema = json!({
        "definitions": {
            "a": {"items": {"type": "arry"}, "type": "array"},
            "b": {"anyOf": [{"minLength": "1"}, {"not": {"enum": "all"}}]},
        },
        // Values are no schemas.
        "enum": [{"type": "strng"}], "const": {"type": "strng"}, "default": {"type": "strng"},
        "additionalProperties": {"$ref": "#/unknown/c"},
        "unknown": {"c": {"type": "nmber"}, "d": {"type": "what"}},
    });
    let text = schema.to_string();
    let at = |word: &str| text.find(word).unwrap() + 1;
    assert_eq!(
        errors(schema),
        [
            format!("{}: unknown type `arry`; did you mean `array`?", at("\"arry\"")),
            format!("{}: `minLength` must be a whole number, 0 or more", at("\"1\"")),
            format!("{}: `enum` must be a list of values", at("\"all\"")),
            format!("{}: unknown type `nmber`; did you mean `number`?", at("\"nmber\"")),
        ]
    );
}
