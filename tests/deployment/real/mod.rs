//! What real services answered (`tests/vectors/real`), asked of the embedded deployment: statuses, codes, and what answers
//! consist of.
//!
//! `left.json` lists the exchanges in which the deployment answers otherwise, with the reasons.

mod caller;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use regex_lite::{Captures, Regex};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::testing::Deployment;
use taskcluster::{Method, slugid};

use self::caller::Caller;
use crate::support::{plain, vectors};

/// The files, in which each exchange follows from those before it.
const FILES: [&str; 6] = ["auth", "hooks", "http", "index", "queue", "rest"];

/// How many of all exchanges may differ.
const MOST_LEFT: usize = 15;

/// Stands for any scalar, and after an item of a list for any number of such items.
const ANY: &str = "...";

/// Replays one file.
struct Replay {
    fake: Deployment,
    http: reqwest::Client,
    /// How much later than the exchanges this replay is.
    later: TimeDelta,
    /// Values of earlier answers.
    kept: BTreeMap<String, String>,
}

impl Replay {
    async fn new(began: &Value) -> Self {
        let fake = Deployment::start().await.unwrap();
        fake.client("root", "root-token", ["*"]);
        let began: DateTime<Utc> = began.as_str().unwrap().parse().unwrap();
        Self { fake, http: plain(), later: Utc::now() - began, kept: BTreeMap::new() }
    }

    /// Sends the request of an exchange, and returns how the answer differs.
    async fn difference(&mut self, exchange: &Value) -> Option<String> {
        let (method, resource) = exchange["request"].as_str().unwrap().split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let resource = self.fill(resource);
        let body = self.body(exchange);
        let content_type = match &exchange["type"] {
            Value::String(content_type) => Some(content_type.as_str()),
            Value::Null if exchange.get("type").is_some() || body.is_none() => None,
            _ => Some("application/json"),
        };
        let port = self.fake.root_url().rsplit_once(':').unwrap().1.parse().unwrap();
        let signed = (content_type.unwrap_or_default(), body.as_deref().unwrap_or_default());
        let by = self.filled(&exchange["by"]);
        let caller = Caller::new(&by, &self.kept);
        let (resource, header) = caller.sign(method.as_str(), &resource, port, signed);

        let url = format!("{}{resource}", self.fake.root_url());
        let mut request = self.http.request(method, url);
        if let Some(header) = header {
            request = request.header(AUTHORIZATION, header);
        }
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        let text = || json!(String::from_utf8_lossy(&body));
        let answer: Value = serde_json::from_slice(&body).unwrap_or_else(|_| text());

        if let Some(keep) = exchange["keep"].as_str() {
            let (name, place) = keep.split_once('=').unwrap_or((keep, keep));
            let value = answer[place].as_str().unwrap_or_default();
            self.kept.insert(name.to_owned(), value.to_owned());
        }
        if exchange.get("setup").is_some() {
            assert!((200..300).contains(&status), "{exchange}: {status} {answer}");
            return None;
        }
        let mut differences = String::new();
        if exchange["status"] != status {
            write!(differences, "{} became {status}; ", exchange["status"]).unwrap();
        }
        compare(&expected(exchange), &answer, "", &mut differences);
        (!differences.is_empty()).then(|| format!("{differences}{answer}"))
    }

    fn body(&self, exchange: &Value) -> Option<Vec<u8>> {
        if let Some(text) = exchange["text"].as_str() {
            return Some(text.as_bytes().to_vec());
        }
        if let Some(hex) = exchange["hex"].as_str() {
            let bytes =
                (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
            return Some(bytes.collect::<Result<_, _>>().unwrap());
        }
        let body = exchange.get("body")?;
        Some(self.filled(body).to_string().into_bytes())
    }

    /// Fills in the placeholders of a value's texts, and lets its dates be as far from now as they were then.
    fn filled(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match DateTime::parse_from_rfc3339(text) {
                Ok(date) if date.year() < 2029 => {
                    json!(to_json(date.to_utc() + self.later))
                }
                _ => json!(self.fill(text)),
            },
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Value::Object(members) => match members.get("$ids").and_then(Value::as_u64) {
                Some(count) => (0..count).map(|_| json!(slugid::nice())).collect(),
                None => {
                    let filled =
                        members.iter().map(|(name, value)| (name.clone(), self.filled(value)));
                    Value::Object(filled.collect())
                }
            },
            _ => value.clone(),
        }
    }

    /// Fills in `{x*3}`, which is `xxx`, and `{name}`, which is a kept value.
    fn fill(&self, text: &str) -> String {
        static REPEATED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{(.)\*(\d+)\}").unwrap());
        static KEPT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{([a-zA-Z]+)\}").unwrap());
        static DATE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"2026-11-2\d[^&]*?Z").unwrap());
        let text = REPEATED
            .replace_all(text, |found: &Captures<'_>| found[1].repeat(found[2].parse().unwrap()));
        let text = DATE.replace_all(&text, |found: &Captures<'_>| {
            let date: DateTime<Utc> = found[0].replace("%3A", ":").parse().unwrap();
            to_json(date + self.later).replace(':', "%3A")
        });
        let kept = |found: &Captures<'_>| {
            self.kept.get(&found[1]).cloned().unwrap_or_else(|| found[0].to_owned())
        };
        KEPT.replace_all(&text, kept).into_owned()
    }
}

/// What the answer to an exchange consists of.
fn expected(exchange: &Value) -> Value {
    let Some(refused) = exchange["refused"].as_array() else { return exchange["answer"].clone() };
    let params = refused[1..].iter().map(|name| (name.as_str().unwrap().to_owned(), json!(ANY)));
    json!({
        "code": exchange["code"], "message": ANY,
        "requestInfo": {
            "method": refused[0], "params": params.collect::<serde_json::Map<_, _>>(), "payload": "any",
            "time": "<date>",
        },
    })
}

/// Compares an answer with what it should consist of.
fn compare(expected: &Value, found: &Value, place: &str, differences: &mut String) {
    let mut differ = |what: String| write!(differences, "{place}: {what}; ").unwrap();
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for name in expected.keys().filter(|name| !found.contains_key(*name)) {
                differ(format!("no {name}"));
            }
            for name in found.keys().filter(|name| !expected.contains_key(*name)) {
                differ(format!("unknown {name}"));
            }
            for (name, expected) in expected {
                if let Some(found) = found.get(name) {
                    compare(expected, found, &format!("{place}.{name}"), differences);
                }
            }
        }
        (Value::Array(expected), Value::Array(found)) => {
            let repeated = expected.len() == 2 && expected[1] == ANY;
            if repeated && found.is_empty() || !repeated && expected.len() != found.len() {
                differ(format!("{} items", found.len()));
            }
            let of = if repeated {
                expected[..1].iter().cycle().take(found.len())
            } else {
                expected.iter().cycle().take(expected.len())
            };
            for (number, (expected, found)) in of.zip(found).enumerate() {
                compare(expected, found, &format!("{place}[{number}]"), differences);
            }
        }
        (Value::String(expected), found) => {
            let fits = match expected.as_str() {
                ANY => !found.is_object() && !found.is_array(),
                "any" => true,
                "<date>" => {
                    found.as_str().is_some_and(|date| date.parse::<DateTime<Utc>>().is_ok())
                }
                "html" => found.as_str().is_some_and(|page| page.contains("<html")),
                text => found == text,
            };
            if !fits {
                differ(format!("{expected:?} became {found}"));
            }
        }
        _ if expected == found => {}
        _ => differ(format!("{expected} became {found}")),
    }
}

#[tokio::test]
async fn the_deployment_answers_as_real_services_do() {
    let mut left: BTreeMap<String, String> = serde_json::from_value(vectors("real/left")).unwrap();
    assert!(left.len() <= MOST_LEFT, "{} exchanges are left", left.len());
    let (mut count, mut wrong) = (0, String::new());
    for file in FILES {
        let exchanges = vectors(&format!("real/{file}"));
        let mut replay = Replay::new(&exchanges["began"]).await;
        for exchange in exchanges["exchanges"].as_array().unwrap() {
            let difference = replay.difference(exchange).await;
            let Some(name) = exchange["name"].as_str() else { continue };
            count += 1;
            let name = format!("{file}: {name}");
            match (difference, left.remove(&name)) {
                (Some(difference), None) => writeln!(wrong, "{name}: {difference}").unwrap(),
                (None, Some(_)) => {
                    writeln!(wrong, "{name} agrees; remove it from left.json").unwrap()
                }
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
    }
    assert_eq!(count, 861);
    assert!(left.is_empty(), "left.json has what is no exchange: {left:?}");
    assert!(wrong.is_empty(), "{}\n{wrong}", wrong.lines().count());
}
