//! JSON numbers with all their digits.

use std::fmt;

use serde_core::de::Error as _;
use serde_core::{Deserialize, Deserializer, Serialize, Serializer};

use super::free_form::FreeForm;
use crate::error::{Error, Result};

/// A JSON number, exactly as it was written: `1` stays `1`, `1.0` stays `1.0`, and no digit is lost.
///
/// Create one from an integer, or from an `f64` with `try_from`. Compare it with integers and `f64`s directly; to calculate
/// with it, use [`as_f64`](Self::as_f64).
///
/// ```
/// use taskcluster::Number;
///
/// let rank = Number::from(4);
/// assert!(rank == 4 && rank == 4.0);
/// assert_eq!(rank.as_f64() / 8.0, 0.5);
/// assert_eq!(Number::try_from(0.5)?.to_string(), "0.5");
///
/// let exact: Number = taskcluster::serde_json::from_str("12345678901234567890.10")?;
/// assert_eq!(exact.to_string(), "12345678901234567890.10");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Number(Digits);

#[derive(Clone)]
enum Digits {
    Integer(i64),
    /// Any other number, as text.
    Text(FreeForm),
}

impl Number {
    /// Takes JSON text, if it is a number.
    pub(super) fn from_json(json: FreeForm) -> Option<Self> {
        let text = json.text();
        match text.parse() {
            // `-0` is a number of its own.
            Ok(integer) if text != "-0" => Some(Self(Digits::Integer(integer))),
            _ if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                Some(Self(Digits::Text(json)))
            }
            _ => None,
        }
    }

    /// Returns the nearest `f64`; infinity if the number is too large for any.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the nearest is asked for")]
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Digits::Integer(number) => *number as f64,
            // JSON's numbers are a subset of what Rust parses.
            Digits::Text(text) => text.text().parse().unwrap_or(f64::NAN),
        }
    }

    /// Returns the number as an integer, if it is written as one and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Digits::Integer(number) => Some(number),
            Digits::Text(_) => None,
        }
    }

    /// Whether it is written without a fraction and an exponent, so that `f64` cannot hold all of its digits.
    fn is_long_integer(&self) -> bool {
        matches!(&self.0, Digits::Text(text) if !text.text().contains(['.', 'e', 'E']))
    }
}

impl Default for Number {
    fn default() -> Self {
        Self::from(0)
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Number {
            fn from(integer: $integer) -> Self {
                Self(Digits::Integer(integer.into()))
            }
        }
    )*};
}

from_integers!(i8 i16 i32 i64 u8 u16 u32);

/// Fails for infinities and for what is not a number: JSON has neither.
impl TryFrom<f64> for Number {
    type Error = Error;

    fn try_from(number: f64) -> Result<Self> {
        if !number.is_finite() {
            return Err(Error::input(format!("{number} cannot be written as JSON")));
        }
        let json = FreeForm::new(&number)?;
        Self::from_json(json).ok_or_else(|| Error::input("not a number"))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Digits::Integer(a), Digits::Integer(b)) => a == b,
            (Digits::Text(a), Digits::Text(b)) if a.text() == b.text() => true,
            _ if self.is_long_integer() && other.is_long_integer() => false,
            _ => self.as_f64() == other.as_f64(),
        }
    }
}

impl PartialEq<f64> for Number {
    fn eq(&self, other: &f64) -> bool {
        self.as_f64() == *other
    }
}

impl PartialEq<i64> for Number {
    fn eq(&self, other: &i64) -> bool {
        let other = Self::from(*other);
        *self == other
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Digits::Integer(number) => number.fmt(f),
            Digits::Text(text) => f.pad(text.text()),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Digits::Integer(number) => to.serialize_i64(*number),
            Digits::Text(text) => text.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = FreeForm::deserialize(from)?;
        Self::from_json(json).ok_or_else(|| D::Error::custom("expected a number"))
    }
}
