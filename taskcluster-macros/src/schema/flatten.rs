//! Finds the forms of an object: what `allOf`, `oneOf` and `anyOf` say, together with what stands beside them.

use crate::schema::forms::{Form, both};
use crate::schema::resolve::Schema;
use crate::schema::types::Place;
use crate::schema::understand::Understanding;

/// How deeply alternatives and parts may be within each other.
const DEEPEST: usize = 32;

impl Understanding<'_, '_> {
    /// The forms of the objects that a schema describes.
    ///
    /// # Errors
    ///
    /// Returns a reason if it describes something else, or more than can be said.
    pub(super) fn forms(&mut self, schema: &Schema) -> Result<Vec<Form>, String> {
        let forms = self.forms_within(schema, &mut Vec::new())?;
        let (mut possible, mut reason) = (Vec::new(), String::new());
        for form in forms {
            match form.settle() {
                Ok(form) => possible.push(form),
                Err(why) => reason = why,
            }
        }
        if possible.is_empty() { Err(reason) } else { Ok(possible) }
    }

    fn forms_within(
        &mut self,
        schema: &Schema,
        open: &mut Vec<Place>,
    ) -> Result<Vec<Form>, String> {
        if open.contains(&schema.place) {
            return Err("a reference to itself that passes through no object".to_owned());
        }
        if open.len() == DEEPEST {
            return Err(format!("alternatives and parts more than {DEEPEST} deep"));
        }
        open.push(schema.place.clone());
        let own = Form::of(schema)?;
        let is_bare = own.is_bare();
        let mut forms = vec![own];
        for part in schema.list("allOf").unwrap_or_default() {
            let part = self.followed(part)?;
            let parts = self.forms_within(&part, open)?;
            forms = both(&forms, &parts)?;
        }
        for keyword in ["oneOf", "anyOf"] {
            let Some(branches) = schema.list(keyword) else { continue };
            if branches.iter().all(Schema::only_constrains) {
                forms.iter_mut().for_each(|form| form.is_whole = false);
                continue;
            }
            let mut alternatives = Vec::new();
            for (index, branch) in branches.into_iter().enumerate() {
                let here = schema.place.inside(&[keyword, &index.to_string()]);
                let branch = self.followed(branch)?;
                if branch.kinds() == ["null"] {
                    continue;
                }
                let mut of_branch = self.forms_within(&branch, open)?;
                if !is_bare || schema.json.get("allOf").is_some() {
                    // What stands beside the alternatives belongs to this place, not to where the branch is defined.
                    for (number, form) in of_branch.iter_mut().enumerate() {
                        form.place = match number {
                            0 => here.clone(),
                            number => here.inside(&[&number.to_string()]),
                        };
                    }
                }
                alternatives.extend(of_branch);
            }
            forms = both(&forms, &alternatives)?;
        }
        open.pop();
        Ok(forms)
    }

    fn followed(&mut self, schema: Schema) -> Result<Schema, String> {
        self.resolver.follow(schema).map_err(|lost| {
            self.lost(lost);
            "a schema that was not found".to_owned()
        })
    }
}
