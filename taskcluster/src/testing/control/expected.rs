//! The calls that a test expects, and how they differ from those that were made.

use std::fmt::Write as _;

use reqwest::StatusCode;
use serde_json::Value;
use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices};

use crate::testing::http::call::RecordedCall;
use crate::{Error, Reference, Result};

/// A call that a test expects: an endpoint, and whatever else the test wants to assert. Created by [`called`].
///
/// ```
/// use taskcluster::testing::{Deployment, called};
/// use taskcluster::{Auth, StatusCode};
///
/// let fake = Deployment::start_blocking()?;
/// let auth = Auth::new(&fake.connect_as("tester", ["auth:list-clients"])?);
/// auth.list_clients().prefix("project/").send_blocking()?;
/// auth.current_scopes().send_blocking().unwrap_err();
///
/// fake.assert_calls([
///     called("auth.listClients").query("prefix", "project/").by("tester"),
///     called("auth.currentScopes").status(StatusCode::FORBIDDEN),
/// ]);
/// # Ok::<(), taskcluster::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExpectedCall {
    /// Service and endpoint, with a dot between them.
    name: String,
    args: Vec<(String, String)>,
    query: Vec<(String, String)>,
    payload: Option<Value>,
    client_id: Option<String>,
    status: Option<StatusCode>,
}

/// Expects a call of this endpoint, given as service and wire name: `queue.createTask`.
#[must_use]
pub fn called(endpoint: &str) -> ExpectedCall {
    ExpectedCall {
        name: endpoint.to_owned(),
        args: Vec::new(),
        query: Vec::new(),
        payload: None,
        client_id: None,
        status: None,
    }
}

impl ExpectedCall {
    /// Expects a path argument with this value.
    #[must_use]
    pub fn arg(mut self, name: &str, value: impl ToString) -> Self {
        self.args.push((name.to_owned(), value.to_string()));
        self
    }

    /// Expects a query option with this value.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Expects a payload with these members; objects may have others, too. All other values must be equal.
    #[must_use]
    pub fn payload(mut self, payload: Value) -> Self {
        self.payload = Some(payload);
        self
    }

    /// Expects the call to be made by this client.
    #[must_use]
    pub fn by(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Expects an answer with this status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Checks that the references have every name in it.
    pub(crate) fn check(&self, references: &[&'static Reference]) -> Result<()> {
        let (service, name) = self.name.split_once('.').unwrap_or_default();
        let of_service = references.iter().filter(|reference| reference.service == service);
        let endpoints: Vec<_> = of_service.map(|reference| reference.find_endpoint(name)).collect();
        let endpoint = match endpoints.iter().find_map(|found| found.as_ref().ok()) {
            Some(endpoint) => *endpoint,
            None => {
                return Err(endpoints.into_iter().find_map(Result::err).unwrap_or_else(|| {
                    Error::input(format!(
                        "{:?} is not of the form <service>.<endpoint>, or there is no such service",
                        self.name
                    ))
                }));
            }
        };
        let unknown = |names: &[(String, String)], known: &[&str]| {
            names
                .iter()
                .find(|(name, _)| !known.contains(&name.as_str()))
                .map(|(name, _)| name.clone())
        };
        if let Some(arg) = unknown(&self.args, endpoint.args) {
            return Err(Error::input(format!("{endpoint} has no argument `{arg}`")));
        }
        if let Some(option) = unknown(&self.query, endpoint.query) {
            return Err(Error::input(format!("{endpoint} has no query option `{option}`")));
        }
        Ok(())
    }

    fn is_of(&self, call: &RecordedCall) -> bool {
        self.name.split_once('.') == Some((call.service, call.endpoint.name))
    }

    pub(crate) fn matches(&self, call: &RecordedCall) -> bool {
        self.is_of(call) && self.lines() == self.lines_of(call)
    }

    /// Writes a line for each expected fact.
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.name.clone()];
        lines.extend(self.args.iter().map(|(name, value)| format!("  {name}: {value:?}")));
        lines.extend(self.query.iter().map(|(name, value)| format!("  ?{name}: {value:?}")));
        lines.extend(self.client_id.iter().map(|client_id| format!("  by: {client_id}")));
        lines.extend(self.payload.iter().flat_map(payload_lines));
        lines.extend(self.status.iter().map(|status| format!("  status: {status}")));
        lines
    }

    /// Writes the same facts of an actual call.
    fn lines_of(&self, call: &RecordedCall) -> Vec<String> {
        let mut lines = vec![format!("{}.{}", call.service, call.endpoint.name)];
        lines.extend(self.args.iter().filter_map(|(name, _)| {
            call.args.get(name.as_str()).map(|value| format!("  {name}: {value:?}"))
        }));
        lines.extend(self.query.iter().filter_map(|(name, _)| {
            call.query_value(name).map(|value| format!("  ?{name}: {value:?}"))
        }));
        if self.client_id.is_some() {
            lines.push(format!("  by: {}", call.client_id.as_deref().unwrap_or("nobody")));
        }
        if let (Some(expected), Some(payload)) = (&self.payload, &call.payload) {
            lines.extend(payload_lines(&like(expected, payload)));
        }
        if self.status.is_some() {
            lines.push(match call.status {
                Some(status) => format!("  status: {status}"),
                None => "  status: no answer".to_owned(),
            });
        }
        lines
    }
}

/// Expects a call of this endpoint and nothing else, as [`called`] does.
impl From<&str> for ExpectedCall {
    fn from(endpoint: &str) -> Self {
        called(endpoint)
    }
}

fn payload_lines(payload: &Value) -> Vec<String> {
    let text = format!("payload: {payload:#}");
    text.lines().map(|line| format!("  {line}")).collect()
}

/// Returns the part of a value that an expected value mentions.
fn like(expected: &Value, value: &Value) -> Value {
    match (expected, value) {
        (Value::Object(expected), Value::Object(value)) => expected
            .iter()
            .filter_map(|(name, expected)| Some((name.clone(), like(expected, value.get(name)?))))
            .collect(),
        _ => value.clone(),
    }
}

/// Returns a diff of the expected and the actual calls, if they differ.
pub(crate) fn difference(expected: &[ExpectedCall], calls: &[RecordedCall]) -> Option<String> {
    // The usual case; pairing calls takes quadratic time.
    if expected.len() == calls.len() && expected.iter().zip(calls).all(|(e, call)| e.matches(call))
    {
        return None;
    }
    let mut text = String::new();
    for pair in pairs(expected, calls) {
        let (was_expected, was_called) = match pair {
            (Some(expected), Some(call)) => (expected.lines(), expected.lines_of(call)),
            (Some(expected), None) => (expected.lines(), Vec::new()),
            (None, Some(call)) => (Vec::new(), vec![call.to_string()]),
            (None, None) => continue,
        };
        for op in capture_diff_slices(Algorithm::Myers, &was_expected, &was_called) {
            write_lines(&mut text, op, &was_expected, &was_called);
        }
    }
    Some(format!("the calls differ from those expected (- expected, + called):\n\n{text}"))
}

fn write_lines(text: &mut String, op: DiffOp, expected: &[String], called: &[String]) {
    for change in op.iter_changes(expected, called) {
        let sign = match change.tag() {
            ChangeTag::Equal => ' ',
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{sign} {}", change.value());
    }
}

/// The cost of leaving a call alone, and of pairing two that differ: less than leaving both alone.
const ALONE: usize = 2;
const DIFFERENT: usize = 3;

/// Pairs expected and actual calls in order, at the least cost.
fn pairs<'a>(
    expected: &'a [ExpectedCall],
    calls: &'a [RecordedCall],
) -> Vec<(Option<&'a ExpectedCall>, Option<&'a RecordedCall>)> {
    // The least cost from these two places on.
    let mut rest = vec![vec![0_usize; calls.len() + 1]; expected.len() + 1];
    let cost_of_pair = |i: usize, j: usize| {
        let (expected, call) = (&expected[i], &calls[j]);
        expected.is_of(call).then(|| if expected.matches(call) { 0 } else { DIFFERENT })
    };
    for i in (0..=expected.len()).rev() {
        for j in (0..=calls.len()).rev() {
            rest[i][j] = match (expected.len() - i, calls.len() - j) {
                (0, left) | (left, 0) => ALONE * left,
                _ => {
                    let apart = ALONE + rest[i + 1][j].min(rest[i][j + 1]);
                    cost_of_pair(i, j).map_or(apart, |cost| apart.min(cost + rest[i + 1][j + 1]))
                }
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < expected.len() || j < calls.len() {
        let both = i < expected.len() && j < calls.len();
        if both && cost_of_pair(i, j).is_some_and(|cost| rest[i][j] == cost + rest[i + 1][j + 1]) {
            pairs.push((Some(&expected[i]), Some(&calls[j])));
            (i, j) = (i + 1, j + 1);
        } else if i < expected.len() && (!both || rest[i][j] == ALONE + rest[i + 1][j]) {
            pairs.push((Some(&expected[i]), None));
            i += 1;
        } else {
            pairs.push((None, Some(&calls[j])));
            j += 1;
        }
    }
    pairs
}

/// Returns a message that shows how many of this many calls were made, and all calls if none was as expected.
pub(crate) fn too_few(expected: &ExpectedCall, count: usize, calls: &[RecordedCall]) -> String {
    let made = calls.iter().filter(|call| expected.matches(call)).count();
    let nearest = not_called(expected, calls).map(|text| format!("\n\n{text}"));
    let nearest = nearest.unwrap_or_default();
    format!("{made} of {count} calls of {} were as expected{nearest}", expected.name)
}

/// Returns a message that shows the nearest calls if none was as expected.
pub(crate) fn not_called(expected: &ExpectedCall, calls: &[RecordedCall]) -> Option<String> {
    if calls.iter().any(|call| expected.matches(call)) {
        return None;
    }
    let near: Vec<_> = calls.iter().filter(|call| expected.is_of(call)).collect();
    if near.is_empty() {
        let calls: Vec<_> = calls.iter().map(|call| format!("  {call}\n")).collect();
        return Some(format!(
            "{} was not called; these were:\n\n{}",
            expected.name,
            calls.concat()
        ));
    }
    let mut text = format!("{} was called differently (- expected, + called):\n", expected.name);
    let lines = expected.lines();
    for call in near {
        text.push('\n');
        let called = expected.lines_of(call);
        for op in capture_diff_slices(Algorithm::Myers, &lines, &called) {
            write_lines(&mut text, op, &lines, &called);
        }
    }
    Some(text)
}
