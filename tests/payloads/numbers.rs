//! Numbers: every way to write one, and none of their digits lost.

use serde_json::json;
use taskcluster::Number;
use taskcluster::index::{IndexedTaskResponse, InsertTaskRequest};
use taskcluster::queue::TaskStatusRun;

use crate::payloads::wire::Measurement;
use crate::payloads::{EXPIRES, read, refused};

fn measurement(count: &str) -> String {
    format!(r#"{{"count": {count}, "rank": 0}}"#)
}

#[test]
fn a_whole_number_is_an_integer_however_it_is_written() {
    for (text, count) in [
        ("1.0", 1),
        ("1e3", 1000),
        ("-2.50e1", -25),
        ("0.0", 0),
        ("-0", 0),
        ("999999999999999.0", 999_999_999_999_999),
        ("9007199254740993", 9_007_199_254_740_993),
        ("-9223372036854775808", i64::MIN),
    ] {
        assert_eq!(read::<Measurement>(&measurement(text)).count, count, "{text}");
    }
    for text in ["1.5", "1e-1", "0.1"] {
        assert_eq!(
            refused::<Measurement>(measurement(text)),
            "count: expected an integer, found another number"
        );
    }
    let run: TaskStatusRun = serde_json::from_value(json!({
        "runId": 1.0, "state": "running", "reasonCreated": "scheduled", "scheduled": EXPIRES,
    }))
    .unwrap();
    assert_eq!(run.run_id, 1);
}

#[test]
fn an_integer_that_does_not_fit_is_said_to_be_too_large() {
    for text in
        ["9223372036854775808", "18446744073709551616", "1e300", "-1e300", "9007199254740993.0"]
    {
        assert_eq!(
            refused::<Measurement>(measurement(text)),
            "count: expected an integer, found a number that is too large",
            "{text}"
        );
    }
}

#[test]
fn integers_that_a_schema_lets_be_larger_are_unsigned() {
    let text = r#"{"count":1,"digest":18446744073709551615,"rank":0,"size":9223372036854775808}"#;
    let read: Measurement = read(text);
    assert_eq!((read.digest, read.size), (Some(u64::MAX), Some(1 << 63)));
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    assert_eq!(read.clone(), read);
    let negative = r#"{"count": 1, "rank": 0, "parts": [], "size": -1}"#;
    assert_eq!(
        refused::<Measurement>(negative),
        "size: expected an integer, found a negative number"
    );
    assert_eq!(
        refused::<Measurement>(r#"{"count": 1, "rank": 0, "size": 18446744073709551616}"#),
        "size: expected an integer, found a number that is too large"
    );
}

#[test]
fn numbers_are_written_as_they_were_read() {
    for text in [
        "1",
        "1.0",
        "1.50",
        "-0",
        "-0.0",
        "1e3",
        "1E+3",
        "9007199254740993",
        "12345678901234567890",
        "123456789012345678901234567890",
        "0.12345678901234567890",
        "1e400",
    ] {
        let whole = format!(r#"{{"count":1,"rank":{text},"ratio":{text}}}"#);
        let read: Measurement = read(&whole);
        assert_eq!(serde_json::to_string(&read).unwrap(), whole);
        assert_eq!(serde_json::to_string(&read.clone()).unwrap(), whole);
        assert_eq!(format!("{}", read.rank), text);
        assert_eq!(read, read.clone());
    }
    for (wrong, found) in
        [("\"1\"", "text"), ("null", "null"), ("[]", "a list"), ("true", "true or false")]
    {
        assert_eq!(
            refused::<Measurement>(format!(r#"{{"count": 1, "rank": {wrong}}}"#)),
            format!("rank: expected a number, found {found}")
        );
    }
}

#[test]
fn a_program_sets_numbers_from_its_own() {
    let expires = EXPIRES.parse().unwrap();
    let mut entry = InsertTaskRequest::new("T", 1, json!({}), expires);
    assert_eq!(serde_json::to_value(&entry).unwrap()["rank"], json!(1));
    entry.rank = Number::try_from(0.5).unwrap();
    assert_eq!(serde_json::to_value(&entry).unwrap()["rank"], json!(0.5));
    for number in [f64::NAN, f64::INFINITY] {
        assert!(Number::try_from(number).is_err(), "JSON has no {number}");
    }

    let answer =
        json!({"namespace": "a", "taskId": "T", "rank": 3, "data": {}, "expires": EXPIRES});
    let answer: IndexedTaskResponse = serde_json::from_value(answer).unwrap();
    assert!(answer.rank == 3 && answer.rank == 3.0 && answer.rank != 4);
    assert_eq!((answer.rank.as_i64(), answer.rank.as_f64()), (Some(3), 3.0));
}

#[test]
fn numbers_are_equal_if_their_values_are() {
    let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
    for (a, b, equal) in [
        ("1", "1.0", true),
        ("1000", "1e3", true),
        ("0.5", "5e-1", true),
        ("1", "2", false),
        ("123456789012345678901", "123456789012345678902", false),
        ("123456789012345678901", "123456789012345678901", true),
        ("9007199254740993", "9007199254740992", false),
    ] {
        assert_eq!(number(a) == number(b), equal, "{a} {b}");
    }
    assert!(serde_json::from_str::<Number>("\"1\"").is_err());
}

#[test]
fn numbers_are_held_against_their_bounds() {
    let measurement = |rank| Measurement::new(1, Number::try_from(rank).unwrap());
    assert!(measurement(-1.0).validate().is_ok());
    let error = measurement(-1.5).validate().unwrap_err();
    assert!(error.message().ends_with("rank: is less than -1"), "{error}");
}
