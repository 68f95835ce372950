//! Scopes: what a caller holds, what a call requires, and whether the one satisfies the other.
//!
//! A scope that ends in `*` covers every scope that starts with the text before the `*`. Anywhere else, `*` is an ordinary
//! character. Expressions combine scopes with `AllOf` and `AnyOf`. References contain expressions as templates, with
//! `<arg>` in place of a call's argument. The rules are those of "Scope expression templates" in the Taskcluster
//! reference manual.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use crate::error::Error;

/// The scopes that an endpoint requires, as in the reference: an expression with placeholders for the call's arguments.
///
/// ```
/// use taskcluster::{Queue, scopes::{Params, satisfies}};
///
/// let template = Queue::REFERENCE.endpoint("listTaskGroup").scopes.as_ref().unwrap();
/// let params = Params::new().value("taskGroupId", "fN1SbArXTPSVFNUvaOlinQ");
/// let needed = template.expand(&params).unwrap();
/// assert!(satisfies(&["queue:list-task-group:*"], &needed));
/// ```
#[derive(Debug)]
pub enum ScopeTemplate {
    /// One scope, with `<arg>` in place of an argument.
    Scope(&'static str),
    /// All parts are required.
    AllOf(&'static [ScopeTemplate]),
    /// At least one part is required.
    AnyOf(&'static [ScopeTemplate]),
    /// One scope for each value of a list, spliced into the surrounding expression.
    ForEach {
        /// The name of the value inside `each`.
        var: &'static str,
        /// The list's name.
        list: &'static str,
        /// The scope for each value.
        each: &'static str,
    },
    /// One of two expressions, depending on a boolean of the call. If it is false and there is no `otherwise`, nothing is
    /// required.
    If {
        /// The boolean's name.
        condition: &'static str,
        /// Required if it is true.
        then: &'static ScopeTemplate,
        /// Required if it is false.
        otherwise: Option<&'static ScopeTemplate>,
    },
}

impl ScopeTemplate {
    /// Fills in a call's arguments.
    ///
    /// # Errors
    ///
    /// Returns an error if `params` lacks a parameter of the template; the error names the first one. Some parameters
    /// are known only to the service, such as the scheduler of a task.
    pub fn expand(&self, params: &Params<'_>) -> Result<Expression, MissingParam> {
        let mut parts = Vec::with_capacity(1);
        self.expand_into(params, &mut parts)?;
        // Only a loop or a condition can yield more or less than one part.
        Ok(match parts.pop() {
            Some(only) if parts.is_empty() => only,
            Some(last) => {
                parts.push(last);
                Expression::AllOf(parts)
            }
            None => Expression::AllOf(parts),
        })
    }

    fn expand_into(
        &self,
        params: &Params<'_>,
        out: &mut Vec<Expression>,
    ) -> Result<(), MissingParam> {
        let all = |parts: &[ScopeTemplate]| {
            let mut expanded = Vec::with_capacity(parts.len());
            parts.iter().try_for_each(|part| part.expand_into(params, &mut expanded))?;
            Ok(expanded)
        };
        match self {
            Self::Scope(text) => out.push(Expression::Scope(fill(text, params, None)?)),
            Self::AllOf(parts) => out.push(Expression::AllOf(all(parts)?)),
            Self::AnyOf(parts) => out.push(Expression::AnyOf(all(parts)?)),
            Self::ForEach { var, list, each } => {
                for value in params.get_list(list)? {
                    out.push(Expression::Scope(fill(each, params, Some((var, value)))?));
                }
            }
            Self::If { condition, then, otherwise } => {
                match (params.get_flag(condition)?, otherwise) {
                    (true, _) => then.expand_into(params, out)?,
                    (false, Some(otherwise)) => otherwise.expand_into(params, out)?,
                    (false, None) => {}
                }
            }
        }
        Ok(())
    }
}

/// Prints the template in the notation of the reference manual: `all of (a:<x>, for each route of routes: b:<route>)`.
impl fmt::Display for ScopeTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(text) => f.write_str(text),
            Self::AllOf(parts) => write_parts(f, "all of", parts),
            Self::AnyOf(parts) => write_parts(f, "any of", parts),
            Self::ForEach { var, list, each } => write!(f, "for each {var} of {list}: {each}"),
            Self::If { condition, then, otherwise } => {
                write!(f, "if {condition}: {then}")?;
                otherwise.map_or(Ok(()), |otherwise| write!(f, ", otherwise: {otherwise}"))
            }
        }
    }
}

fn write_parts(f: &mut fmt::Formatter<'_>, word: &str, parts: &[impl fmt::Display]) -> fmt::Result {
    write!(f, "{word} (")?;
    for (i, part) in parts.iter().enumerate() {
        write!(f, "{}{part}", if i == 0 { "" } else { ", " })?;
    }
    f.write_str(")")
}

/// Replaces every `<name>`. `bound` is the loop variable and its value.
fn fill(
    text: &str,
    params: &Params<'_>,
    bound: Option<(&str, &str)>,
) -> Result<String, MissingParam> {
    let mut filled = String::with_capacity(text.len() + 24);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((name, tail)) = after.split_once('>') else { break };
        filled.push_str(before);
        match bound {
            Some((var, value)) if var == name => filled.push_str(value),
            _ => filled.push_str(params.get(name)?),
        }
        rest = tail;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// A call's arguments by name, for [`ScopeTemplate::expand`].
#[derive(Clone, Debug, Default)]
pub struct Params<'a>(Vec<(Cow<'a, str>, Param<'a>)>);

#[derive(Clone, Debug)]
enum Param<'a> {
    Value(Cow<'a, str>),
    List(Vec<Cow<'a, str>>),
    Flag(bool),
}

impl<'a> Params<'a> {
    /// Creates an empty set of arguments.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a string. It replaces an earlier argument of the same name.
    #[must_use]
    pub fn value(self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.with(name.into(), Param::Value(value.into()))
    }

    /// Adds a list for `for … in`.
    #[must_use]
    pub fn list<V: Into<Cow<'a, str>>>(
        self,
        name: impl Into<Cow<'a, str>>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.with(name.into(), Param::List(values.into_iter().map(Into::into).collect()))
    }

    /// Adds a boolean for `if … then`.
    #[must_use]
    pub fn flag(self, name: impl Into<Cow<'a, str>>, value: bool) -> Self {
        self.with(name.into(), Param::Flag(value))
    }

    fn with(mut self, name: Cow<'a, str>, param: Param<'a>) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, param));
        self
    }

    fn find(&self, name: &str) -> Option<&Param<'a>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, param)| param)
    }

    fn get(&self, name: &str) -> Result<&str, MissingParam> {
        match self.find(name) {
            Some(Param::Value(value)) => Ok(value),
            _ => Err(MissingParam::new(name)),
        }
    }

    fn get_list(&self, name: &str) -> Result<impl Iterator<Item = &str>, MissingParam> {
        match self.find(name) {
            Some(Param::List(values)) => Ok(values.iter().map(AsRef::as_ref)),
            _ => Err(MissingParam::new(name)),
        }
    }

    /// A string or list counts as true if it is not empty.
    fn get_flag(&self, name: &str) -> Result<bool, MissingParam> {
        match self.find(name) {
            Some(Param::Flag(value)) => Ok(*value),
            Some(Param::Value(value)) => Ok(!value.is_empty()),
            Some(Param::List(values)) => Ok(!values.is_empty()),
            None => Err(MissingParam::new(name)),
        }
    }
}

/// The error for a scope template that needs a parameter which the call does not contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingParam {
    /// The parameter's name in the template.
    pub name: String,
}

impl MissingParam {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

impl fmt::Display for MissingParam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the required scopes depend on `{}`, which is not known", self.name)
    }
}

impl std::error::Error for MissingParam {}

/// A scope expression with every argument filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// This scope.
    Scope(String),
    /// All of these. An empty list is always satisfied.
    AllOf(Vec<Expression>),
    /// At least one of these. An empty list is never satisfied.
    AnyOf(Vec<Expression>),
}

impl From<&str> for Expression {
    fn from(scope: &str) -> Self {
        Self::Scope(scope.to_owned())
    }
}

/// Converts from JSON: a string, `{"AllOf": […]}` or `{"AnyOf": […]}`.
///
/// ```
/// use taskcluster::{json, scopes::{Expression, satisfies}};
///
/// let needed = Expression::try_from(&json!({"AnyOf": ["a", {"AllOf": ["b", "c"]}]}))?;
/// assert!(satisfies(&["b", "c"], &needed));
/// # Ok::<(), taskcluster::Error>(())
/// ```
impl TryFrom<&Value> for Expression {
    type Error = Error;

    fn try_from(json: &Value) -> Result<Self, Error> {
        let refuse = || {
            Error::input(
                "a scope expression must be a string, `{\"AllOf\": […]}` or `{\"AnyOf\": […]}`",
            )
        };
        let all = |parts: &Value| {
            let parts = parts.as_array().ok_or_else(refuse)?;
            parts.iter().map(Self::try_from).collect::<Result<Vec<_>, _>>()
        };
        match json {
            Value::String(scope) => Ok(Self::Scope(scope.clone())),
            Value::Object(members) if members.len() == 1 => match members.iter().next() {
                Some((key, parts)) if key == "AllOf" => Ok(Self::AllOf(all(parts)?)),
                Some((key, parts)) if key == "AnyOf" => Ok(Self::AnyOf(all(parts)?)),
                _ => Err(refuse()),
            },
            _ => Err(refuse()),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(scope) => f.write_str(scope),
            Self::AllOf(parts) => write_parts(f, "all of", parts),
            Self::AnyOf(parts) => write_parts(f, "any of", parts),
        }
    }
}

/// Whether a scope covers another: they are equal, or `held` ends in `*` and `needed` starts with the text before it.
///
/// ```
/// use taskcluster::scopes::covers;
///
/// assert!(covers("queue:*", "queue:create-task:low:p/w"));
/// assert!(!covers("queue:", "queue:x"));
/// ```
#[must_use]
pub fn covers(held: &str, needed: &str) -> bool {
    match held.strip_suffix('*') {
        Some(prefix) => needed.starts_with(prefix),
        None => held == needed,
    }
}

/// Whether the scopes in `held` satisfy an expression.
#[must_use]
pub fn satisfies<S: AsRef<str>>(held: &[S], needed: &Expression) -> bool {
    match needed {
        Expression::Scope(scope) => held.iter().any(|held| covers(held.as_ref(), scope)),
        Expression::AllOf(parts) => parts.iter().all(|part| satisfies(held, part)),
        Expression::AnyOf(parts) => parts.iter().any(|part| satisfies(held, part)),
    }
}

/// Returns the part of an expression that the scopes in `held` do not satisfy, or `None` if they satisfy all of it.
///
/// Satisfied parts of an `AllOf` are left out, so the result reads as what is missing.
#[must_use]
pub fn missing<S: AsRef<str>>(held: &[S], needed: &Expression) -> Option<Expression> {
    if satisfies(held, needed) {
        return None;
    }
    Some(match needed {
        Expression::AllOf(parts) => {
            let mut open: Vec<_> = parts.iter().filter_map(|part| missing(held, part)).collect();
            match open.pop() {
                Some(only) if open.is_empty() => only,
                Some(last) => {
                    open.push(last);
                    Expression::AllOf(open)
                }
                None => return None,
            }
        }
        open => open.clone(),
    })
}

/// Returns the scopes in `held` that help to satisfy an expression, or `None` if they do not satisfy it.
///
/// In an `AnyOf`, every satisfied part counts. For the scopes of the expression that `held` covers, use [`satisfied`].
///
/// ```
/// use taskcluster::scopes::{Expression, satisfying};
///
/// let needed = Expression::AllOf(vec!["a:1".into(), "b".into()]);
/// assert_eq!(satisfying(&["a:*", "b", "c"], &needed).unwrap(), ["a:*", "b"]);
/// assert_eq!(satisfying(&["a:*", "c"], &needed), None);
/// ```
#[must_use]
pub fn satisfying<'h, S: AsRef<str>>(held: &'h [S], needed: &Expression) -> Option<Vec<&'h str>> {
    let asked = satisfied(held, needed)?;
    let helps = |held: &&str| asked.iter().any(|asked| covers(held, asked));
    Some(held.iter().map(AsRef::as_ref).filter(helps).collect())
}

/// Returns the scopes of an expression that `held` covers, or `None` if they do not satisfy it. Other Taskcluster clients call
/// this `scopesSatisfying`.
///
/// In an `AnyOf`, every satisfied part counts. The result names what was asked for, each scope once; [`satisfying`] names
/// what is held:
///
/// ```
/// use taskcluster::scopes::{Expression, satisfied, satisfying};
///
/// let needed = Expression::AllOf(vec!["a:1".into(), "a:2".into()]);
/// assert_eq!(satisfied(&["a:*", "b"], &needed).unwrap(), ["a:1", "a:2"]);
/// assert_eq!(satisfying(&["a:*", "b"], &needed).unwrap(), ["a:*"]);
/// ```
#[must_use]
pub fn satisfied<'e, S: AsRef<str>>(held: &[S], needed: &'e Expression) -> Option<Vec<&'e str>> {
    if !satisfies(held, needed) {
        return None;
    }
    let mut found = Vec::new();
    each_satisfied(held, needed, &mut |scope| {
        if !found.contains(&scope) {
            found.push(scope);
        }
    });
    Some(found)
}

/// Calls `each` with the scopes of an expression that `held` covers, except those in parts that are not satisfied.
fn each_satisfied<'e, S: AsRef<str>>(
    held: &[S],
    needed: &'e Expression,
    each: &mut dyn FnMut(&'e str),
) {
    match needed {
        Expression::Scope(scope) => each(scope),
        Expression::AllOf(parts) | Expression::AnyOf(parts) => {
            for part in parts.iter().filter(|part| satisfies(held, part)) {
                each_satisfied(held, part, each);
            }
        }
    }
}

/// Returns the smallest equivalent set of scopes: sorted, without scopes that others cover.
///
/// ```
/// use taskcluster::scopes::normalize;
///
/// assert_eq!(normalize(["b", "a:x", "a:*", "a:y*", "b"]), ["a:*", "b"]);
/// ```
#[must_use]
pub fn normalize<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Vec<String> {
    let mut scopes: Vec<String> = scopes.into_iter().map(Into::into).collect();
    // A pattern sorts before all scopes that start with its text, so that it comes first.
    scopes.sort_unstable_by(|a, b| {
        let text = |scope: &'_ str| scope.strip_suffix('*').unwrap_or(scope).to_owned();
        text(a).cmp(&text(b)).then(b.ends_with('*').cmp(&a.ends_with('*')))
    });
    let mut kept: Vec<String> = Vec::with_capacity(scopes.len());
    for scope in scopes {
        if !kept.iter().any(|other| covers(other, &scope)) {
            kept.push(scope);
        }
    }
    kept.sort_unstable();
    kept
}

/// Returns all scopes of both sets, [`normalize`]d.
///
/// ```
/// use taskcluster::scopes::union;
///
/// assert_eq!(union(&["a:1", "b"], &["a:*"]), ["a:*", "b"]);
/// ```
#[must_use]
pub fn union<S: AsRef<str>, T: AsRef<str>>(one: &[S], other: &[T]) -> Vec<String> {
    normalize(one.iter().map(AsRef::as_ref).chain(other.iter().map(AsRef::as_ref)))
}

/// Whether the scopes in `held` cover all scopes of at least one set.
///
/// ```
/// use taskcluster::scope_match;
///
/// assert!(scope_match(&["c:*"], &[&["a", "b"], &["c:x"]]));
/// ```
#[must_use]
pub fn scope_match<S: AsRef<str>, T: AsRef<str>>(held: &[S], sets: &[&[T]]) -> bool {
    sets.iter().any(|set| {
        set.iter().all(|scope| held.iter().any(|held| covers(held.as_ref(), scope.as_ref())))
    })
}
