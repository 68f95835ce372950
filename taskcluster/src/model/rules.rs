//! What a schema requires besides types: patterns, lengths, ranges. Checked only on request, and only for payloads to send.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{LazyLock, Mutex, PoisonError};

use regex_lite::Regex;
use reqwest::Url;
use serde_json::Value;

use super::shape::{Format, Record, Rule, View};
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
    static COMPILED: LazyLock<Mutex<HashMap<&'static str, Option<Regex>>>> =
        LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let regex = compiled.entry(pattern).or_insert_with(|| Regex::new(pattern).ok());
    regex.as_ref().is_none_or(|regex| regex.is_match(text))
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

    fn check(&mut self, view: View<'_>, rules: &[Rule]) {
        for rule in rules {
            if let Some(problem) = broken(*rule, view) {
                let separator = if self.place.is_empty() { "" } else { ": " };
                self.problems.push(format!("{}{separator}{problem}", self.place));
            }
        }
        let each = rules
            .iter()
            .find_map(|rule| if let Rule::Each(rules) = rule { Some(*rules) } else { None })
            .unwrap_or_default();
        match view {
            View::Record(record) => self.fields(record),
            View::Union(union) => self.check(union.chosen().1, &[]),
            View::List(list) => {
                for index in 0..list.len() {
                    self.at(&format!("[{index}]"), list.view_of(index), each);
                }
            }
            View::Map(map) => {
                let mut index = 0;
                map.all(&mut |_, value| {
                    self.at(&format!("entry {index}"), value, each);
                    index += 1;
                    true
                });
            }
            _ => {}
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

/// What is wrong with a value according to a rule, without the value itself, which may be a secret, as keys may be.
fn broken(rule: Rule, view: View<'_>) -> Option<String> {
    let problem = |wrong: bool, problem: &dyn Fn() -> String| wrong.then(problem);
    match (rule, view) {
        (Rule::AnyOf(groups), view) => {
            let kept = |rules: &&[Rule]| rules.iter().all(|rule| broken(*rule, view).is_none());
            problem(!groups.iter().any(kept), &|| {
                let forms: Vec<_> = groups
                    .iter()
                    .map(|rules| {
                        rules.iter().filter_map(|rule| broken(*rule, view)).collect::<Vec<_>>()
                    })
                    .map(|forms| forms.join(" and "))
                    .collect();
                forms.join(", or ")
            })
        }
        (Rule::Pattern(pattern), View::Text(text)) => {
            problem(!matches(pattern, text), &|| format!("does not match `{pattern}`"))
        }
        (Rule::MinLength(least), View::Text(text)) => {
            problem(text.chars().count() < least, &|| match least {
                1 => "is empty".to_owned(),
                _ => format!("is shorter than {least} characters"),
            })
        }
        (Rule::MaxLength(most), View::Text(text)) => {
            problem(text.chars().count() > most, &|| format!("is longer than {most} characters"))
        }
        (Rule::Format(format), View::Text(text)) => {
            let (is_one, name) = match format {
                Format::Uri => (Url::parse(text).is_ok(), "a URI"),
                Format::Ipv4 => (text.parse::<Ipv4Addr>().is_ok(), "an IPv4 address"),
                Format::Ipv6 => (text.parse::<Ipv6Addr>().is_ok(), "an IPv6 address"),
                Format::Email => (is_email(text), "an e-mail address"),
            };
            problem(!is_one, &|| format!("is not {name}"))
        }
        (Rule::Minimum(least), view) => {
            problem(number(view).is_some_and(|number| number < least), &|| {
                format!("is less than {least}")
            })
        }
        (Rule::Maximum(most), view) => {
            problem(number(view).is_some_and(|number| number > most), &|| {
                format!("is more than {most}")
            })
        }
        (Rule::MinItems(least), View::List(list)) => {
            problem(list.len() < least, &|| format!("has fewer than {least} items"))
        }
        (Rule::MaxItems(most), View::List(list)) => {
            problem(list.len() > most, &|| format!("has more than {most} items"))
        }
        (Rule::UniqueItems, View::List(list)) => {
            let mut items: Vec<_> = (0..list.len())
                .map(|index| serde_json::to_value(list.view_of(index)).unwrap_or(Value::Null))
                .map(|item| item.to_string())
                .collect();
            items.sort_unstable();
            problem(items.windows(2).any(|pair| pair[0] == pair[1]), &|| {
                "has duplicate items".to_owned()
            })
        }
        _ => None,
    }
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

/// As much as can be checked without asking a server: a name, one `@`, a host.
fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(' ')
    })
}
