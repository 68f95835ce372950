//! Relative dates in words, such as `2 days 3 hours`, as Taskcluster's clients and its web interface accept them.
//!
//! The text is an optional sign followed by one or more numbers, each with a unit, from the largest unit to the smallest.
//! Whitespace and case do not matter. A year has 365 days, a month 30. Empty text means now.

use chrono::{DateTime, Datelike as _, NaiveDate, SecondsFormat, SubsecRound as _, TimeDelta, Utc};

use crate::error::{Error, Result};

/// The units, largest first: spellings and length in seconds.
const UNITS: &[(&[&str], i64)] = &[
    (&["years", "year", "yrs", "yr", "y"], 365 * 24 * 3600),
    (&["months", "month", "mo"], 30 * 24 * 3600),
    (&["weeks", "week", "wks", "wk", "w"], 7 * 24 * 3600),
    (&["days", "day", "d"], 24 * 3600),
    (&["hours", "hour", "hrs", "hr", "h"], 3600),
    (&["minutes", "minute", "mins", "min", "m"], 60),
    (&["seconds", "second", "secs", "sec", "s"], 1),
];

/// Returns the date that lies this far from now.
///
/// ```
/// use chrono::{TimeDelta, Utc};
///
/// let deadline = taskcluster::from_now("2 days 3 hours")?;
/// assert!(deadline > Utc::now() + TimeDelta::hours(50));
/// # Ok::<(), taskcluster::Error>(())
/// ```
///
/// # Errors
///
/// Returns an error if the text cannot be parsed, with the column of the mistake, or if the date is not within the
/// years 0 to 9999, the only ones that can be written in JSON.
pub fn from_now(text: &str) -> Result<DateTime<Utc>> {
    // Services count in milliseconds. Rounded up, since the result must not be before now.
    let now = Utc::now() + TimeDelta::nanoseconds(999_999);
    from_now_since(text, now.trunc_subsecs(3))
}

/// Returns the date that lies this far from `base`.
///
/// ```
/// let base = "2017-01-19T16:27:20.974Z".parse().unwrap();
/// let date = taskcluster::from_now_since("- 1 hour", base)?;
/// assert_eq!(taskcluster::dates::to_json(date), "2017-01-19T15:27:20.974Z");
/// # Ok::<(), taskcluster::Error>(())
/// ```
///
/// # Errors
///
/// Returns the errors of [`from_now`].
pub fn from_now_since(text: &str, base: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let beyond = || {
        Error::input(format!(
            "{text:?} from {base} is out of range: not within the years 0 to 9999"
        ))
    };
    base.checked_add_signed(parse(text, beyond)?).filter(is_writable).ok_or_else(beyond)
}

/// Returns the date that lies this far from now, formatted as in Taskcluster's JSON.
///
/// ```
/// assert!(taskcluster::from_now_json("1 year")?.ends_with('Z'));
/// # Ok::<(), taskcluster::Error>(())
/// ```
///
/// # Errors
///
/// Returns the errors of [`from_now`].
pub fn from_now_json(text: &str) -> Result<String> {
    from_now(text).map(to_json)
}

/// Formats a date as in Taskcluster's JSON: UTC, with milliseconds and `Z`.
///
/// JSON has no form for years before 0 and after 9999: they get a sign and more digits, which services cannot read. In
/// payloads, such dates are errors.
///
/// ```
/// let date = "2017-01-19T17:27:20.9749+01:00".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
/// assert_eq!(taskcluster::dates::to_json(date), "2017-01-19T16:27:20.974Z");
/// ```
#[must_use]
pub fn to_json(date: DateTime<Utc>) -> String {
    date.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Whether a date can be written so that it can be read: its year has four digits.
pub(crate) fn is_writable(date: &DateTime<Utc>) -> bool {
    matches!(date.year(), 0..=9999)
}

/// Reads a date of RFC 3339, such as services send.
pub(crate) fn read(text: &str) -> Option<DateTime<Utc>> {
    usual(text.as_bytes()).or_else(|| Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc()))
}

/// Reads a date in the form that nearly all have, `2026-01-31T23:59:59.999Z`, in a fraction of the time that one in any form takes.
/// `None` is no verdict: a leap second is left to the general parser, too.
fn usual(text: &[u8]) -> Option<DateTime<Utc>> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let is_separated = text[4] == b'-'
        && text[7] == b'-'
        && text[10] == b'T'
        && text[13] == b':'
        && text[16] == b':'
        && text[19] == b'.'
        && text[23] == b'Z';
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| 10 * number + u32::from(digit - b'0'))
        })
    };
    if !is_separated {
        return None;
    }
    let year = i32::try_from(number(&text[..4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&text[5..7])?, number(&text[8..10])?)?;
    let (hour, minute) = (number(&text[11..13])?, number(&text[14..16])?);
    let (second, milli) = (number(&text[17..19])?, number(&text[20..23])?);
    Some(date.and_hms_milli_opt(hour, minute, second, milli)?.and_utc())
}

/// Formats a date with all its digits, and at least milliseconds.
pub(crate) fn exact(date: DateTime<Utc>) -> String {
    let digits = match date.timestamp_subsec_nanos() % 1_000_000 {
        0 => SecondsFormat::Millis,
        _ => SecondsFormat::AutoSi,
    };
    date.to_rfc3339_opts(digits, true)
}

fn parse(text: &str, beyond: impl Fn() -> Error) -> Result<TimeDelta> {
    let trimmed = text.trim();
    let (negative, mut rest) = match trimmed.strip_prefix(['-', '+']) {
        Some(rest) => (trimmed.starts_with('-'), rest),
        None => (false, trimmed),
    };
    let fail = |rest: &str, expected: &str| {
        let column = text.trim_end().chars().count() - rest.chars().count() + 1;
        Error::input(format!("{text:?} is not a duration: at column {column}, expected {expected}"))
    };
    let mut seconds = 0_i64;
    let mut units = UNITS;
    rest = rest.trim_start();
    if rest.is_empty() && !trimmed.is_empty() {
        return Err(fail(rest, "a number"));
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            return Err(fail(rest, "a number"));
        }
        let (number, tail) = rest.split_at(digits);
        let tail = tail.trim_start();
        let letters = tail.len() - tail.trim_start_matches(char::is_alphabetic).len();
        let (unit, after) = tail.split_at(letters);
        let named = |units: &[(&[&str], i64)]| {
            units
                .iter()
                .position(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(unit)))
        };
        let Some(position) = named(units) else {
            return Err(match named(UNITS) {
                Some(_) => fail(tail, "a smaller unit than the one before"),
                None => fail(tail, "a unit: years, months, weeks, days, hours, minutes or seconds"),
            });
        };
        let part =
            number.parse::<i64>().ok().and_then(|number| number.checked_mul(units[position].1));
        seconds = part.and_then(|part| seconds.checked_add(part)).ok_or_else(&beyond)?;
        units = &units[position + 1..];
        rest = after.trim_start();
    }
    TimeDelta::try_seconds(if negative { -seconds } else { seconds }).ok_or_else(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `usual` reads is what the general parser reads.
    fn agree(text: &str) -> bool {
        let usual = usual(text.as_bytes());
        let general = DateTime::parse_from_rfc3339(text).ok().map(|date| date.to_utc());
        assert!(usual.is_none() || usual == general, "{text}: {usual:?}, {general:?}");
        usual.is_some()
    }

    #[test]
    fn usual_dates_are_read_as_all_others() {
        let first = "0000-01-01T00:00:00.000Z".parse::<DateTime<Utc>>().unwrap();
        // Steps of 11 days and some, so that all months, days and times of a day come.
        let step = TimeDelta::milliseconds(999_999_937);
        let mut dates = 0;
        for date in std::iter::successors(Some(first), |date| date.checked_add_signed(step))
            .take_while(is_writable)
        {
            assert!(agree(&to_json(date)), "{date}");
            dates += 1;
        }
        assert!(dates > 300_000, "{dates}");
    }

    #[test]
    fn one_wrong_character_is_no_date_for_either() {
        for date in
            ["2026-01-31T23:59:59.999Z", "2024-02-29T00:00:00.000Z", "9999-12-31T12:30:30.500Z"]
        {
            for place in 0..date.len() {
                for other in 0..=0x7f_u8 {
                    let mut text = date.as_bytes().to_vec();
                    text[place] = other;
                    agree(std::str::from_utf8(&text).unwrap());
                }
            }
        }
        for text in [
            "",
            "2026-01-31T23:59:59Z",
            "2026-01-31T23:59:59.9999Z",
            "2026-01-31T23:59:59+01:00",
            "2026-01-31T23:59:59.99é",
        ] {
            assert!(!agree(text), "{text}");
        }
        assert!(!agree("2016-12-31T23:59:60.000Z") && read("2016-12-31T23:59:60.000Z").is_some());
    }
}
