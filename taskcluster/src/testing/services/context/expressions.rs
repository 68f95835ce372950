//! Limits the expressions of a template before json-e parses them.
//!
//! json-e parses the content of brackets up to four times on every level, and recurses for every operator. A few lines of a
//! template could take hours or abort the process.

use serde_json::Value;

/// The maximum number of operators and brackets in an expression. In a debug build, json-e takes 4 KiB of the stack for each.
const LONGEST: usize = 250;

/// The maximum number of operators and brackets to parse in a template, counted as often as json-e parses them.
const MOST: usize = 300_000;

/// Returns an error if json-e would take too long to render this template.
pub(super) fn check(template: &Value) -> Result<(), &'static str> {
    let mut expressions = Vec::new();
    collect(template, &mut expressions);
    let mut all: usize = 0;
    for expression in expressions {
        let (parts, work) = measure(expression);
        all = all.saturating_add(work);
        if parts > LONGEST {
            return Err("an expression is too long");
        }
        if all > MOST {
            return Err("its expressions are nested too deeply");
        }
    }
    Ok(())
}

/// Finds all expressions, each with the text after it.
fn collect<'a>(template: &'a Value, found: &mut Vec<&'a str>) {
    match template {
        Value::String(text) => interpolations(text, found),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => {
            for (key, value) in members {
                interpolations(key, found);
                // The operands of operators: `{"$eval": "1 + 1"}`, `{"$switch": {"a > 1": ...}}`.
                // Those of `each(x)` are only with `$find`.
                let finds = || key.starts_with("each(") && members.contains_key("$find");
                if key.starts_with('$') || key.starts_with("by(") || finds() {
                    found.extend(value.as_str());
                    found.extend(
                        value.as_object().iter().flat_map(|cases| cases.keys()).map(String::as_str),
                    );
                }
                collect(value, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Finds the text after each `${` that is not escaped as `$${`.
fn interpolations<'a>(text: &'a str, found: &mut Vec<&'a str>) {
    let starts = text.match_indices("${").filter(|(start, _)| !text[..*start].ends_with('$'));
    found.extend(starts.map(|(start, mark)| &text[start + mark.len()..]));
}

/// Counts the operators and brackets of an expression: once each, and as often as json-e parses them. The expression ends with
/// the text, or at the bracket that closes an interpolation.
fn measure(expression: &str) -> (usize, usize) {
    let (mut parts, mut work, mut depth) = (0, 0_usize, 0_u32);
    let mut rest = expression.chars();
    while let Some(character) = rest.next() {
        match character {
            '\'' | '"' => {
                rest.by_ref().find(|other| *other == character);
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => break,
            },
            '_' => continue,
            _ if character.is_alphanumeric() || character.is_whitespace() => continue,
            _ => {}
        }
        parts += 1;
        work = work.saturating_add(4_usize.saturating_pow(depth));
    }
    (parts, work)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(open: &str, levels: usize, close: &str) -> String {
        format!("{}1{}", open.repeat(levels), close.repeat(levels))
    }

    /// On a stack as tests and tokio's threads have it, 2 MiB.
    fn render(template: &Value) -> Option<Value> {
        check(template).ok()?;
        json_e::render(template, &json!({"x": [1, 2, 3]})).ok()
    }

    #[test]
    fn what_people_write_is_rendered() {
        let long = vec!["1"; LONGEST + 1].join("+");
        for (template, rendered) in [
            (json!({"$eval": nested("(", 7, ")")}), json!(1)),
            (json!({"$eval": "x[0:x[0:x[0:x[0]][0]][0]][0]"}), json!(1)),
            (json!({"$eval": long}), json!(LONGEST + 1)),
            (json!({"$eval": vec!["1"; LONGEST / 2].join("**")}), json!(1)),
            (
                json!("a ${x[0]} $${((((((((((((((((((((((((( ${x[1]}"),
                json!("a 1 ${((((((((((((((((((((((((( 2"),
            ),
            (json!({"$switch": {"x[0] == 1": "one", "$default": "many"}}), json!("one")),
            (json!(nested("(", 3_000, ")")), json!(nested("(", 3_000, ")"))),
        ] {
            assert_eq!(render(&template), Some(rendered), "{template}");
        }
    }

    #[test]
    fn what_would_take_for_ever_is_not_tried() {
        for expression in [
            nested("(", 24, ")"),
            nested("(", 3_000, ")"),
            nested("[", 24, "]"),
            nested("{a: ", 24, "}"),
            nested("x[", 24, "]"),
            nested("x[1:", 24, "]"),
            nested("f(", 24, ")"),
            nested("-(", 24, ")"),
            "(".repeat(3_000),
            vec!["1"; 3_000].join("+"),
            vec!["1"; 3_000].join("**"),
            format!("x{}", ".x".repeat(3_000)),
            vec!["\"a\""; 3_000].join("in"),
        ] {
            for template in [
                json!({"$eval": expression}),
                json!({"$if": expression, "then": 1}),
                json!({"$switch": {&expression: 1}}),
                json!({"$sort": [1, 2], "by(x)": expression}),
                json!({"$find": [1, 2], "each(x)": expression}),
                json!(format!("text ${{{expression}}} text")),
                json!({format!("${{{expression}}}"): 1}),
            ] {
                assert!(check(&json!([template])).is_err(), "{template}");
            }
        }
        let many = vec![json!({"$eval": nested("(", 7, ")")}); 10_000];
        assert!(check(&json!(many)).is_err());
    }
}
