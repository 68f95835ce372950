//! The types of fields besides generated ones: strings, numbers, dates, lists, maps.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::free_form::FreeForm;
use super::number::Number;
use super::shape::{Access, Field, List, Map, Optional, Slot, View};

/// A value to be filled.
pub fn blank<T: Field>() -> T {
    T::blank()
}

/// The types that a slot holds directly: type, blank value, kind of slot, view.
macro_rules! plain {
    ($($type:ty = $blank:expr, $kind:ident, |$value:ident| $view:expr;)*) => {$(
        impl Field for $type {
            fn blank() -> Self {
                $blank
            }
        }

        impl Access for $type {
            fn slot(&mut self) -> Slot<'_> {
                Slot::$kind(self)
            }

            fn view(&self) -> View<'_> {
                let $value = self;
                View::$kind($view)
            }
        }
    )*};
}

plain! {
    String = String::new(), Text, |value| value;
    i64 = 0, Integer, |value| *value;
    u64 = 0, Unsigned, |value| *value;
    bool = false, Bool, |value| *value;
    DateTime<Utc> = DateTime::UNIX_EPOCH, Date, |value| *value;
}

impl Field for Number {
    const FROM_TEXT: bool = true;

    fn blank() -> Self {
        Self::default()
    }
}

impl Access for Number {
    fn slot(&mut self) -> Slot<'_> {
        Slot::Number(self)
    }

    fn view(&self) -> View<'_> {
        View::Number(self)
    }
}

impl Field for FreeForm {
    const FROM_TEXT: bool = true;
    const HOLDS_NULL: bool = true;

    fn blank() -> Self {
        Self::default()
    }
}

impl Access for FreeForm {
    fn slot(&mut self) -> Slot<'_> {
        Slot::FreeForm(self)
    }

    fn view(&self) -> View<'_> {
        View::FreeForm(self)
    }
}

impl Field for Value {
    const FROM_TEXT: bool = true;
    const HOLDS_NULL: bool = true;

    fn blank() -> Self {
        Self::Null
    }
}

impl Access for Value {
    fn slot(&mut self) -> Slot<'_> {
        Slot::Value(self)
    }

    fn view(&self) -> View<'_> {
        View::Value(self)
    }
}

impl<T: Field> Field for Option<T> {
    const FROM_TEXT: bool = T::FROM_TEXT;

    fn blank() -> Self {
        None
    }
}

impl<T: Field> Access for Option<T> {
    fn slot(&mut self) -> Slot<'_> {
        Slot::Optional(self, T::FROM_TEXT)
    }

    fn view(&self) -> View<'_> {
        match self {
            Some(value) => value.view(),
            None => View::Nothing,
        }
    }
}

impl<T: Field> Optional for Option<T> {
    fn fill(&mut self) -> Slot<'_> {
        *self = Some(T::blank());
        match self {
            Some(value) => value.slot(),
            None => Slot::Nothing,
        }
    }

    fn clear(&mut self) {
        *self = None;
    }

    fn set_null(&mut self) {
        *self = None;
        if T::HOLDS_NULL {
            self.fill();
        }
    }
}

/// For types that contain themselves.
impl<T: Field> Field for Box<T> {
    const FROM_TEXT: bool = T::FROM_TEXT;

    fn blank() -> Self {
        Self::new(T::blank())
    }
}

impl<T: Field> Access for Box<T> {
    fn slot(&mut self) -> Slot<'_> {
        (**self).slot()
    }

    fn view(&self) -> View<'_> {
        (**self).view()
    }
}

impl<T: Field> Field for Vec<T> {
    fn blank() -> Self {
        Self::new()
    }
}

impl<T: Field> Access for Vec<T> {
    fn slot(&mut self) -> Slot<'_> {
        Slot::List(self)
    }

    fn view(&self) -> View<'_> {
        View::List(self)
    }
}

impl<T: Field> List for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn view_of(&self, index: usize) -> View<'_> {
        match self.get(index) {
            Some(value) => value.view(),
            None => View::Nothing,
        }
    }

    fn push(&mut self) -> Slot<'_> {
        self.push(T::blank());
        // It cannot be empty now. `Vec::push_mut` is newer than the oldest supported compiler.
        let last = self.len() - 1;
        self[last].slot()
    }

    fn clear(&mut self) {
        self.clear();
    }
}

impl<T: Field> Field for BTreeMap<String, T> {
    fn blank() -> Self {
        Self::new()
    }
}

impl<T: Field> Access for BTreeMap<String, T> {
    fn slot(&mut self) -> Slot<'_> {
        Slot::Map(self)
    }

    fn view(&self) -> View<'_> {
        View::Map(self)
    }
}

impl<T: Field> Map for BTreeMap<String, T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn all(&self, each: &mut dyn FnMut(&str, View<'_>) -> bool) -> bool {
        self.iter().all(|(key, value)| each(key, value.view()))
    }

    fn get(&self, key: &str) -> Option<View<'_>> {
        self.get(key).map(T::view)
    }

    fn insert(&mut self, key: String) -> Slot<'_> {
        let value = self.entry(key).or_insert_with(T::blank);
        *value = T::blank();
        value.slot()
    }

    fn clear(&mut self) {
        self.clear();
    }
}
