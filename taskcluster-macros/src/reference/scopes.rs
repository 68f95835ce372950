//! Reads scope expressions.

use serde_json::Value;

use crate::input::locate::JsonPath;
use crate::input::problems::did_you_mean;
use crate::reference::check::placeholders;
use crate::reference::model::Scopes;
use crate::reference::shapes::{Object, Read, Reader};

impl Reader<'_, '_> {
    pub(super) fn scopes(&mut self, scopes: &Value, place: JsonPath) -> Read<Scopes> {
        match scopes {
            Value::String(scope) => {
                self.template(scope, &place)?;
                Ok(Scopes::Scope(scope.clone()))
            }
            // References of 2017 list alternative sets of scopes.
            Value::Array(sets) => {
                let mut any = Vec::with_capacity(sets.len());
                for (i, set) in sets.iter().enumerate() {
                    let place = place.index(i);
                    let Value::Array(set) = set else {
                        return self.fail(
                            &place,
                            "expected a list of scopes: `scopes` is a list of such lists, and a caller needs all scopes of one of them; \
                             for one list, write `{\"AllOf\": [...]}`",
                        );
                    };
                    any.push(Scopes::AllOf(self.all_scopes(set, &place)?));
                }
                Ok(Scopes::AnyOf(any))
            }
            Value::Object(members) => {
                let object = Object { members, place };
                if let Some(parts) = members.get("AllOf").or_else(|| members.get("AnyOf")) {
                    let key = if members.contains_key("AllOf") { "AllOf" } else { "AnyOf" };
                    let place = object.place.key(key);
                    let Value::Array(parts) = parts else {
                        return self
                            .fail(&place, &format!("`{key}` must be a list of scope expressions"));
                    };
                    let parts = self.all_scopes(parts, &place)?;
                    return Ok(if key == "AllOf" {
                        Scopes::AllOf(parts)
                    } else {
                        Scopes::AnyOf(parts)
                    });
                }
                if members.contains_key("for") {
                    let (var, list) = (self.text(&object, "for")?, self.text(&object, "in")?);
                    let each = self.text(&object, "each")?;
                    self.template(&each, &object.place.key("each"))?;
                    return Ok(Scopes::ForEach { var, list, each });
                }
                if members.contains_key("if") {
                    let condition = self.text(&object, "if")?;
                    let then = self.member(&object, "then")?;
                    let then = self.scopes(then, object.place.key("then"))?;
                    let otherwise = match members.get("else") {
                        Some(scopes) => {
                            Some(Box::new(self.scopes(scopes, object.place.key("else"))?))
                        }
                        None => None,
                    };
                    return Ok(Scopes::If { condition, then: Box::new(then), otherwise });
                }
                let known = ["AllOf", "AnyOf", "for", "if"];
                let hint =
                    members.keys().next().map(|key| did_you_mean(key, known)).unwrap_or_default();
                self.fail(
                    &object.place,
                    &format!(
                        "a scope expression needs one of `AllOf`, `AnyOf`, `for` and `if`{hint}"
                    ),
                )
            }
            _ => self.fail(&place, "expected a scope (a string) or a scope expression (an object)"),
        }
    }

    /// Checks the brackets of a scope.
    fn template(&mut self, scope: &str, place: &JsonPath) -> Read<()> {
        match placeholders(scope) {
            Some(_) => Ok(()),
            None => self.fail(place, &format!("the scope `{scope}` has unmatched angle brackets")),
        }
    }

    fn all_scopes(&mut self, parts: &[Value], place: &JsonPath) -> Read<Vec<Scopes>> {
        parts.iter().enumerate().map(|(i, part)| self.scopes(part, place.index(i))).collect()
    }
}
