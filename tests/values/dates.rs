//! Relative dates against the values of other clients.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use taskcluster::dates::to_json;
use taskcluster::{from_now, from_now_json, from_now_since};

use crate::support::vectors;

fn base() -> DateTime<Utc> {
    vectors("from_now")["base"].as_str().unwrap().parse().unwrap()
}

#[test]
fn dates_are_those_of_other_clients() {
    let vectors = vectors("from_now");
    let cases = vectors["cases"].as_object().unwrap();
    assert_eq!(cases.len(), 11);
    for (text, expected) in cases {
        assert_eq!(
            to_json(from_now_since(text, base()).unwrap()),
            expected.as_str().unwrap(),
            "{text}"
        );
    }
}

#[test]
fn every_spelling_of_every_unit_is_taken() {
    let vectors = vectors("from_now");
    let (units, _) = vectors["units"].as_str().unwrap().split_once(" (").unwrap();
    let seconds = [31_536_000, 2_592_000, 604_800, 86_400, 3600, 60, 1];
    for (spellings, seconds) in units.split("; ").zip(seconds) {
        for unit in spellings.split(' ') {
            for text in [
                format!("2{unit}"),
                format!("  + 2 {}  ", unit.to_uppercase()),
                format!("+2\t{unit}\n"),
            ] {
                let date = from_now_since(&text, base()).unwrap();
                assert_eq!(date - base(), TimeDelta::seconds(2 * seconds), "{text}");
            }
            let date = from_now_since(&format!("-2 {unit}"), base()).unwrap();
            assert_eq!(base() - date, TimeDelta::seconds(2 * seconds));
        }
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    for (text, problem) in [
        ("  -  ", "at column 4, expected a number"),
        ("soon", "at column 1, expected a number"),
        ("1", "at column 2, expected a unit"),
        ("3 dys", "at column 3, expected a unit"),
        ("2 hours 1 day", "at column 11, expected a smaller unit"),
        ("1 h 2 h", "at column 7, expected a smaller unit"),
        ("1 day ago", "at column 7, expected a number"),
        ("1.5 days", "at column 2, expected a unit"),
        ("--1 day", "at column 2, expected a number"),
        ("1 jähr", "at column 3, expected a unit"),
    ] {
        let error = from_now_since(text, base()).unwrap_err();
        assert!(error.message().contains(problem), "{text}: {error}");
    }
    for text in [
        "99999999999999999999 years",
        "9223372036854775807 years",
        "999999999 years",
        "8000 years",
        "-2030 years",
    ] {
        assert!(from_now(text).unwrap_err().message().contains("out of range"), "{text}");
    }
}

#[test]
fn no_date_leaves_the_years_that_can_be_written() {
    for (base, step) in [("9999-12-31T23:59:59.999Z", "1 s"), ("0000-01-01T00:00:00Z", "- 1 s")] {
        let base = base.parse().unwrap();
        let error = from_now_since(step, base).unwrap_err();
        assert!(error.message().contains("not within the years 0 to 9999"), "{error}");
        assert_eq!(from_now_since("0 s", base).unwrap(), base);
    }
}

#[test]
fn nothing_is_now_as_in_the_javascript_client() {
    for text in ["", " ", "\n"] {
        assert_eq!(from_now_since(text, base()).unwrap(), base(), "{text:?}");
    }
}

#[test]
fn now_is_the_default_and_json_has_milliseconds() {
    let (before, after) = (Utc::now(), from_now("1 s").unwrap());
    assert!(after >= before + TimeDelta::seconds(1));
    let json = from_now_json("1 year 2 months").unwrap();
    assert_eq!((json.len(), json.as_bytes()[19], json.as_bytes()[23]), (24, b'.', b'Z'));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,40}", parts in "[-+ 0-9ymowdhs]{0,30}") {
        let _ = from_now_since(&text, base());
        let _ = from_now_since(&parts, base());
    }
}
