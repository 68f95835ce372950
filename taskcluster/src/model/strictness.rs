//! How strictly values are read, which depends on who reads them.
//!
//! serde passes no context to `Deserialize`, and a program's own types can contain generated ones. So the strictness is set
//! for the current thread while a response or message is decoded, which takes no `await`.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

/// What to do about properties that a schema does not have, or requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// The program reads JSON itself: unknown properties of closed types are refused, as the service would refuse them.
    Program,
    /// A service sent it: unknown properties are ignored.
    Answer,
    /// The same, and missing properties get the empty value of their type.
    Corrected,
}

/// A required property that an answer lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Missing {
    /// What should have it: the Rust name of a type, or the schema of a page.
    pub(crate) of: &'static str,
    /// Its name on the wire.
    pub(crate) property: &'static str,
}

thread_local! {
    static STRICTNESS: Cell<Strictness> = const { Cell::new(Strictness::Program) };
    static MISSING: RefCell<Vec<Missing>> = const { RefCell::new(Vec::new()) };
}

/// The strictness with which this thread reads.
pub(super) fn current() -> Strictness {
    STRICTNESS.get()
}

/// Adds to the properties that were missing.
pub(super) fn note(missing: &[Missing]) {
    MISSING.with_borrow_mut(|all| all.extend_from_slice(missing));
}

/// While it lives, this thread reads with another strictness.
pub(crate) struct Reading {
    before: Strictness,
    /// It belongs to its thread.
    thread: PhantomData<*const ()>,
}

impl Reading {
    pub(crate) fn begin(strictness: Strictness) -> Self {
        Self { before: STRICTNESS.replace(strictness), thread: PhantomData }
    }

    /// Returns what was missing in what was read meanwhile.
    pub(crate) fn end(self) -> Vec<Missing> {
        MISSING.take()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        STRICTNESS.set(self.before);
        MISSING.take();
    }
}
