//! What a schema requires besides types: patterns, lengths, ranges. Checked only on request, and only for payloads to send.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{LazyLock, PoisonError, RwLock};

use regex_lite::Regex;
use reqwest::Url;
use serde_json::Value;

use super::shape::{Format, Record, Rule, View};
use super::union::{is_same, parsed};
use crate::error::{Error, Result};

/// Validates a value against its schema.
///
/// # Errors
///
/// Lists everything that is wrong, each with its path.
pub fn validate(view: View<'_>) -> Result<()> {
    let mut checker = Checker { place: String::new(), problems: Vec::new() };
    checker.check(view, &[]);
    if checker.problems.is_empty() {
        return Ok(());
    }
    Err(Error::input(format!("the payload is not valid: {}", checker.problems.join("; "))))
}

/// Whether a text matches a pattern. An invalid pattern matches everything.
pub(crate) fn matches(pattern: &'static str, text: &str) -> bool {
    static COMPILED: LazyLock<RwLock<HashMap<&'static str, Option<Regex>>>> =
        LazyLock::new(RwLock::default);
    let fits = |regex: &Option<Regex>| regex.as_ref().is_none_or(|regex| regex.is_match(text));
    // Threads wait for each other only where a pattern is used for the first time.
    if let Some(regex) = COMPILED.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
        return fits(regex);
    }
    let mut compiled = COMPILED.write().unwrap_or_else(PoisonError::into_inner);
    fits(compiled.entry(pattern).or_insert_with(|| Regex::new(pattern).ok()))
}

struct Checker {
    /// The path to the current value, as shown in errors.
    place: String,
    problems: Vec<String>,
}

impl Checker {
    fn at(&mut self, step: &str, view: View<'_>, rules: &[Rule]) {
        let outside = self.place.len();
        if outside > 0 && !step.starts_with('[') {
            self.place.push_str(": ");
        }
        self.place.push_str(step);
        self.check(view, rules);
        self.place.truncate(outside);
    }

    fn report(&mut self, problem: &str) {
        let separator = if self.place.is_empty() { "" } else { ": " };
        self.problems.push(format!("{}{separator}{problem}", self.place));
    }

    fn check(&mut self, view: View<'_>, rules: &[Rule]) {
        let known_problems = self.problems.len();
        let own = match view {
            View::Record(record) => record.shape().rules,
            View::Union(union) => union.shape().rules,
            _ => &[],
        };
        let all = || rules.iter().chain(own);
        for rule in all() {
            if let Some(problem) = broken(*rule, view) {
                self.report(&problem);
            }
        }
        let each =
            all().find_map(|rule| if let Rule::Each(each) = rule { Some(*each) } else { None });
        let each = each.unwrap_or_default();
        match view {
            View::Ruled(payload) => self.check(payload.view, payload.rules),
            View::Choice(choice) if !choice.texts().contains(&choice.text()) => {
                self.report("is not a value that the schema has");
            }
            View::Record(record) => self.fields(record),
            View::Union(union) => match union.chosen().1 {
                View::Record(record) => self.check(View::Record(record), &[]),
                other if union.shape().is_open && !is_object(other) => {}
                _ => self.report("has none of the forms that the schema has"),
            },
            View::List(list) => {
                for index in 0..list.len() {
                    self.at(&format!("[{index}]"), list.view_of(index), each);
                }
            }
            View::Map(map) => {
                let keys = all().filter_map(|rule| match rule {
                    Rule::Keys(rules) => Some(*rules),
                    _ => None,
                });
                let keys: Vec<_> = keys.flatten().copied().collect();
                let mut index = 0;
                map.all(&mut |key, value| {
                    if !keys.is_empty() {
                        self.at(&format!("key of entry {index}"), View::Text(key), &keys);
                    }
                    self.at(&format!("entry {index}"), value, each);
                    index += 1;
                    true
                });
            }
            _ => {}
        }
        // A whole schema says again what the other rules say.
        if self.problems.len() == known_problems {
            let whole = all().filter_map(|rule| match rule {
                Rule::Whole(text) => misfit(text, view),
                _ => None,
            });
            for problem in whole {
                self.report(&problem);
            }
        }
    }

    fn fields(&mut self, record: &dyn Record) {
        for (index, field) in record.shape().fields.iter().enumerate() {
            match record.view_of(index) {
                View::Nothing => {}
                view => self.at(field.key, view, field.rules),
            }
        }
    }
}

#[cfg(feature = "validation")]
use super::schema::misfit;

/// Without the feature, it is for the service to say.
#[cfg(not(feature = "validation"))]
fn misfit(_: &'static str, _: View<'_>) -> Option<String> {
    None
}

/// What is wrong with a value according to a rule, without the value itself, which may be a secret, as keys may be.
fn broken(rule: Rule, view: View<'_>) -> Option<String> {
    let problem = |wrong: bool, problem: &dyn Fn() -> String| wrong.then(problem);
    match rule {
        Rule::AnyOf(groups) => problem(kept(groups, view) == 0, &|| alternatives(groups, view)),
        Rule::ExactlyOneOf(groups) => match kept(groups, view) {
            0 => Some(alternatives(groups, view)),
            1 => None,
            _ => Some("fits more than one of its alternatives".to_owned()),
        },
        Rule::Pattern(pattern) => broken(Rule::Translated(pattern, pattern), view),
        Rule::Translated(pattern, ours) => {
            let text = text(view)?;
            problem(!matches(ours, text), &|| format!("does not match `{pattern}`"))
        }
        Rule::NoMatch(pattern, ours) => {
            let text = text(view)?;
            problem(matches(ours, text), &|| format!("does not match `{pattern}`"))
        }
        Rule::MinLength(least) => {
            let text = text(view)?;
            problem(text.chars().count() < least, &|| match least {
                1 => "is empty".to_owned(),
                _ => format!("is shorter than {least} characters"),
            })
        }
        Rule::MaxLength(most) => {
            let text = text(view)?;
            problem(text.chars().count() > most, &|| format!("is longer than {most} characters"))
        }
        Rule::Format(format) => {
            let (is_one, name) = is_of_format(format, text(view)?);
            problem(!is_one, &|| format!("is not {name}"))
        }
        Rule::Minimum(least) => problem(number(view)? < least, &|| format!("is less than {least}")),
        Rule::Maximum(most) => problem(number(view)? > most, &|| format!("is more than {most}")),
        Rule::Above(bound) => {
            problem(number(view)? <= bound, &|| format!("is not more than {bound}"))
        }
        Rule::Below(bound) => {
            problem(number(view)? >= bound, &|| format!("is not less than {bound}"))
        }
        Rule::MultipleOf(divisor) => {
            problem(!is_multiple(view, divisor)?, &|| format!("is not a multiple of {divisor}"))
        }
        Rule::MinItems(least) => {
            let View::List(list) = view else { return None };
            problem(list.len() < least, &|| format!("has fewer than {least} items"))
        }
        Rule::MaxItems(most) => {
            let View::List(list) = view else { return None };
            problem(list.len() > most, &|| format!("has more than {most} items"))
        }
        Rule::UniqueItems => {
            let View::List(list) = view else { return None };
            let items = (0..list.len()).map(|index| serde_json::to_value(list.view_of(index)));
            let mut items: Vec<_> =
                items.map(|item| canonical(item.unwrap_or_default()).to_string()).collect();
            items.sort_unstable();
            problem(items.windows(2).any(|pair| pair[0] == pair[1]), &|| {
                "has duplicate items".to_owned()
            })
        }
        Rule::MinProperties(least) => {
            problem(properties(view)? < least, &|| format!("has fewer than {least} properties"))
        }
        Rule::MaxProperties(most) => {
            problem(properties(view)? > most, &|| format!("has more than {most} properties"))
        }
        Rule::Types(types) => {
            let value = value(view)?;
            problem(!types.iter().any(|name| is_of_type(&value, name)), &|| {
                format!("is not of type `{}`", types.join("` or `"))
            })
        }
        Rule::OneOf(values) => {
            let value = value(view)?;
            problem(!values.iter().any(|one| is_same(&parsed(one), &value)), &|| {
                format!("is not one of `{}`", values.join("`, `"))
            })
        }
        Rule::Each(_) | Rule::Keys(_) | Rule::Whole(_) => None,
    }
}

/// How many groups of rules a value keeps.
fn kept(groups: &[&[Rule]], view: View<'_>) -> usize {
    let kept = |rules: &&&[Rule]| rules.iter().all(|rule| broken(*rule, view).is_none());
    groups.iter().filter(kept).count()
}

/// What is wrong with a value that keeps none of them.
fn alternatives(groups: &[&[Rule]], view: View<'_>) -> String {
    let forms = groups.iter().map(|rules| {
        let forms: Vec<_> = rules.iter().filter_map(|rule| broken(*rule, view)).collect();
        forms.join(" and ")
    });
    forms.collect::<Vec<_>>().join(", or ")
}

fn text(view: View<'_>) -> Option<&str> {
    match view {
        View::Text(text) => Some(text),
        View::Choice(choice) => Some(choice.text()),
        _ => None,
    }
}

/// A value that is there, as JSON.
fn value(view: View<'_>) -> Option<Value> {
    match view {
        View::Nothing => None,
        // `null` is for the type to allow.
        View::Value(Value::Null) => None,
        view => serde_json::to_value(view).ok(),
    }
}

fn is_object(view: View<'_>) -> bool {
    matches!(view, View::FreeForm(json) if json.text().trim_start().starts_with('{'))
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => value.is_null(),
    }
}

/// How many properties an object has.
fn properties(view: View<'_>) -> Option<usize> {
    match view {
        View::Map(map) => Some(map.len()),
        View::Record(_) | View::FreeForm(_) | View::Value(_) => {
            Some(value(view)?.as_object()?.len())
        }
        _ => None,
    }
}

/// Numbers in the one notation that equal ones share.
#[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
fn canonical(value: Value) -> Value {
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < MAX_EXACT => (float as i64).into(),
            _ => number.into(),
        },
        Value::Array(items) => items.into_iter().map(canonical).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, canonical(value))).collect()
        }
        other => other,
    }
}

/// Whether a number is a multiple of another, by their decimals: as floating-point numbers, 0.3 is no multiple of 0.1.
fn is_multiple(view: View<'_>, divisor: f64) -> Option<bool> {
    let number = match view {
        View::Integer(number) => number.to_string(),
        View::Unsigned(number) => number.to_string(),
        View::Number(number) => number.to_string(),
        _ => return None,
    };
    let by_decimals = || {
        let (one, one_exponent) = decimals(&number)?;
        let (other, other_exponent) = decimals(&divisor.to_string())?;
        let least = one_exponent.min(other_exponent);
        let scaled = |digits: i128, exponent: i32| {
            let shift = u32::try_from(exponent.checked_sub(least)?).ok()?;
            digits.checked_mul(10_i128.checked_pow(shift)?)
        };
        scaled(one, one_exponent)?.checked_rem(scaled(other, other_exponent)?)
    };
    Some(match by_decimals() {
        Some(rest) => rest == 0,
        // Too many digits to tell them apart.
        None => (self::number(view)? / divisor).fract() == 0.0,
    })
}

/// The digits of a number, and the power of ten by which they are multiplied.
fn decimals(text: &str) -> Option<(i128, i32)> {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent: i32 = exponent.parse().ok()?;
    let length = i32::try_from(fraction.len()).ok()?;
    Some((format!("{whole}{fraction}").parse().ok()?, exponent.checked_sub(length)?))
}

/// A number of any type.
#[expect(clippy::cast_precision_loss, reason = "as precise as bounds are")]
fn number(view: View<'_>) -> Option<f64> {
    match view {
        View::Integer(number) => Some(number as f64),
        View::Unsigned(number) => Some(number as f64),
        View::Number(number) => Some(number.as_f64()),
        _ => None,
    }
}

fn is_of_format(format: Format, text: &str) -> (bool, &'static str) {
    match format {
        Format::Uri => (Url::parse(text).is_ok(), "a URI"),
        Format::Ipv4 => (text.parse::<Ipv4Addr>().is_ok(), "an IPv4 address"),
        Format::Ipv6 => (text.parse::<Ipv6Addr>().is_ok(), "an IPv6 address"),
        Format::Email => (is_email(text), "an e-mail address"),
        Format::Hostname => (is_hostname(text), "the name of a host"),
    }
}

fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// As much as can be checked without asking a server: a name, one `@`, a host.
fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(' ')
    })
}
