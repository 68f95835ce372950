//! The values of path arguments and query options.

use std::fmt::Display;

use crate::slugid;

/// An integer, such as the number of a run or the size of a page.
///
/// Methods take this where the argument or query option is an integer. All integer types implement it; text must be parsed first.
///
/// ```
/// # let client = taskcluster::Client::builder("https://tc.example.com").build()?;
/// # let queue = taskcluster::Queue::new(&client);
/// let run = "1".parse::<u32>()?;
/// let call = queue.list_artifacts("fN1SbArXTPSVFNUvaOlinQ", run).limit(100);
/// assert!(call.url()?.path().ends_with("/runs/1/artifacts"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an integer",
    label = "expected an integer, such as `0`",
    note = "parse text first: `text.parse::<u64>()?`"
)]
pub trait Integer: Display + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! integers {
    ($($name:ident)*) => {$(
        impl sealed::Sealed for $name {}
        impl sealed::Sealed for &$name {}
        impl Integer for $name {}
        impl Integer for &$name {}
    )*};
}

integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

/// The pattern of slug ids.
const SLUG_ID: &str =
    "^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$";

/// The patterns of integers.
const INTEGERS: [&str; 2] = ["^[0-9]+$", "^[1-9]*[0-9]+$"];

/// Whether a value matches a pattern; `None` if it takes a regular expression to know.
pub(super) fn fits(pattern: &str, value: &str) -> Option<bool> {
    if pattern == SLUG_ID {
        Some(slugid::is_valid(value))
    } else if INTEGERS.contains(&pattern) {
        Some(!value.is_empty() && value.bytes().all(|digit| digit.is_ascii_digit()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::matches;

    #[test]
    fn values_are_checked_as_regular_expressions_would() {
        let ids = [slugid::nice(), slugid::v4(), slugid::encode([0; 16])];
        let values = [
            "fN1SbArXTPSVFNUvaOlinQ",
            "fN1SbArXTPSVFNUvaOlinB",
            "fN1SbArX_PSVFNUvaOlinQ",
            "fN1SbArXTPBVFNUvaOlinQ",
            "fN1SbArXTPSVFNUvaOlin",
            "%N1SbArXTPSVFNUvaOlinQ",
            "0",
            "12",
            "-1",
            "1.0",
            "%2F",
            "",
        ];
        for value in ids.iter().map(String::as_str).chain(values) {
            for pattern in [SLUG_ID, INTEGERS[0], INTEGERS[1]] {
                assert_eq!(
                    fits(pattern, value),
                    Some(matches(pattern, value)),
                    "{pattern} {value}"
                );
            }
        }
        assert_eq!(fits("^[a-z]+$", "a"), None);
    }
}
