//! What goes along with reading: how to read, where, what went wrong, and what was lost.

use serde_core::de::Error;

use super::keys::Order;
use super::strictness::{Missing, Strictness};

/// How to read, what went wrong, and the path to it, innermost step first.
pub(super) struct Trace {
    pub(super) strictness: Strictness,
    message: Option<String>,
    way: Vec<Step>,
    /// How many objects and lists enclose the current value.
    pub(super) depth: usize,
    /// The tag that accompanies the fields of the next record, which must not keep it as an unknown property.
    pub(super) tag: Option<&'static str>,
    /// What was filled with empty values.
    pub(super) missing: Vec<Missing>,
    /// How many properties were ignored.
    pub(super) lost: usize,
    /// How many more bytes may be read to find out which branch of a union holds them. Set within the outermost union.
    pub(super) allowance: Option<usize>,
    /// In which order keys were read before.
    pub(super) order: Order,
}

/// How often the text of a union may be read to find out which branch holds it, unions within unions together.
/// Unions may be nested 127 deep, and then their texts add up to half of that.
const MOST_TRIALS: usize = 128;

/// How deeply objects and lists may nest: as in `serde_json`, which counts anew in each text that is read from within
/// another, as unions are.
pub(super) const MAX_DEPTH: usize = 127;

pub(super) enum Step {
    Field(&'static str),
    Index(usize),
    /// The entry of a map, by its position: its key may be a secret.
    Entry(usize),
}

impl Trace {
    pub(super) fn new(strictness: Strictness) -> Self {
        Self {
            strictness,
            message: None,
            way: Vec::new(),
            depth: 0,
            tag: None,
            missing: Vec::new(),
            lost: 0,
            allowance: None,
            order: Order::default(),
        }
    }

    /// A trace to try something at the same place.
    pub(super) fn trial(&self) -> Self {
        Self { depth: self.depth, allowance: self.allowance, ..Self::new(self.strictness) }
    }

    /// Takes from the allowance, so that unions in unions do not multiply the time that reading takes.
    pub(super) fn spend<E: Error>(&mut self, bytes: usize) -> Result<(), E> {
        let allowance = self.allowance.unwrap_or(bytes.saturating_mul(MOST_TRIALS));
        match allowance.checked_sub(bytes) {
            Some(rest) => {
                self.allowance = Some(rest);
                Ok(())
            }
            None => Err(self.fail("has too many alternatives within alternatives".to_owned())),
        }
    }

    /// Enters an object or list.
    pub(super) fn descend<E: Error>(&mut self) -> Result<(), E> {
        if self.depth == MAX_DEPTH {
            return Err(self.fail("is nested too deeply".to_owned()));
        }
        self.depth += 1;
        Ok(())
    }

    /// Records an error at the current place. The text of the returned error is never seen.
    pub(super) fn fail<E: Error>(&mut self, message: String) -> E {
        self.message = Some(message);
        E::custom("")
    }

    /// The error with its path. An error of the format itself is returned unchanged.
    pub(super) fn explain<E: Error>(self, error: E) -> E {
        let Some(message) = self.message else { return error };
        let mut text = String::new();
        for step in self.way.iter().rev() {
            match step {
                Step::Field(name) if text.is_empty() => text.push_str(name),
                Step::Field(name) => text.extend([": ", name]),
                Step::Index(index) => text.push_str(&format!("[{index}]")),
                Step::Entry(index) if text.is_empty() => text.push_str(&format!("entry {index}")),
                Step::Entry(index) => text.push_str(&format!(": entry {index}")),
            }
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        E::custom(text + &message)
    }

    pub(super) fn step<E>(&mut self, step: Step, error: E) -> E {
        self.way.push(step);
        error
    }
}
