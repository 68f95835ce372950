//! The fuzz targets on a bounded number of inputs. `tests/fuzz/run` gives them to a fuzzer.

mod changes;
mod targets;

use std::path::Path;

use self::changes::{Choice, changed, inputs};
use self::targets::{Check, TARGETS};

/// How many changed inputs a target gets here.
const CASES: usize = 2000;

fn exercise(name: &str) {
    let (_, check): &(&str, Check) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let corpus = inputs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name));
    corpus.iter().for_each(|input| check(input));
    bolero::check!().with_iterations(CASES).with_type::<Choice>().for_each(|choice| {
        check(&changed(&corpus, choice));
    });
}

#[test]
fn answers_of_any_kind_are_read_or_refused() {
    exercise("answers");
}

#[test]
fn credentials_of_any_kind_are_read_or_refused() {
    exercise("credentials");
}

#[test]
fn dates_of_any_kind_are_read_or_refused() {
    exercise("dates");
}

#[test]
fn requests_of_any_kind_are_verified_or_refused() {
    exercise("hawk");
}

#[test]
fn routing_keys_of_any_kind_are_read_or_refused() {
    exercise("routing_keys");
}
