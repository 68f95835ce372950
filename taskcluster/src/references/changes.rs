//! The differences between two sets of references, as values and as a table.

use std::fmt;

/// The differences between the references in a folder, or those a program was built with, and those that a deployment serves.
///
/// `Display` writes a table with a line for each change, or nothing if there is none.
///
/// ```
/// # use taskcluster::{Client, Result, references::Fetch};
/// # async fn f(client: &Client) -> Result<()> {
/// let changes = Fetch::new(client).services(["queue"]).diff("api/").await?;
/// print!("{changes}");
/// for change in changes.iter().filter(|change| change.can_break_callers) {
///     eprintln!("look at {} of {}", change.subject, change.service);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(Vec<Change>);

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The service's name, such as `worker-manager`.
    pub service: String,
    /// The version of its API, such as `v1`.
    pub version: String,
    /// What has changed.
    pub subject: Subject,
    /// How it has changed.
    pub kind: ChangeKind,
    /// Whether a program that worked before can fail now: because it sends something that is no longer accepted, reads
    /// something that is no longer returned, needs other scopes, or does not compile with the new files. Differences of
    /// schemas that cannot be judged count as breaking.
    pub can_break_callers: bool,
}

/// What a [`Change`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// The whole reference of the service's endpoints. If it was added or removed, everything in it was, and its schemas.
    Endpoints,
    /// The whole reference of the service's exchanges.
    Exchanges,
    /// An endpoint, by its wire name.
    Endpoint(String),
    /// A query option of an endpoint.
    Option {
        /// The endpoint's wire name.
        endpoint: String,
        /// The option's wire name.
        option: String,
    },
    /// An exchange, by its wire name.
    Exchange(String),
    /// A schema, by its path below the service's schemas, without the version.
    Schema(String),
}

/// How something has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// These facts of it differ, such as `route` or `scopes`, or these places of a schema.
    Changed(Vec<String>),
}

impl Changes {
    /// Iterates over all changes, sorted by service.
    pub fn iter(&self) -> std::slice::Iter<'_, Change> {
        self.0.iter()
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many changes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether any change [can break callers](Change::can_break_callers).
    #[must_use]
    pub fn can_break_callers(&self) -> bool {
        self.iter().any(|change| change.can_break_callers)
    }

    /// Iterates over what has been removed.
    pub fn removed(&self) -> impl Iterator<Item = &Change> {
        self.iter().filter(|change| change.kind == ChangeKind::Removed)
    }
}

impl FromIterator<Change> for Changes {
    fn from_iter<T: IntoIterator<Item = Change>>(changes: T) -> Self {
        Self(Vec::from_iter(changes))
    }
}

impl IntoIterator for Changes {
    type Item = Change;
    type IntoIter = std::vec::IntoIter<Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Changes {
    type Item = &'a Change;
    type IntoIter = std::slice::Iter<'a, Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoints => f.write_str("all endpoints"),
            Self::Exchanges => f.write_str("all exchanges"),
            // Names come from a server and may contain escape sequences, which must not reach a terminal.
            Self::Endpoint(name) => write!(f, "endpoint {}", name.escape_debug()),
            Self::Option { endpoint, option } => {
                write!(f, "option {} of {}", option.escape_debug(), endpoint.escape_debug())
            }
            Self::Exchange(name) => write!(f, "exchange {}", name.escape_debug()),
            Self::Schema(path) => write!(f, "schema {path}"),
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added => f.write_str("added"),
            Self::Removed => f.write_str("removed"),
            Self::Changed(facts) => write!(f, "changed: {}", facts.join(", ").escape_debug()),
        }
    }
}

/// Writes one line, such as `queue v1: option limit of listTaskGroup removed (can break callers)`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, version, subject, kind, .. } = self;
        write!(f, "{service} {version}: {subject} {kind}")?;
        f.write_str(if self.can_break_callers { " (can break callers)" } else { "" })
    }
}

/// Writes a table: service, subject, whether the change can break callers, and what changed.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.iter().map(|change| {
            let breaks = if change.can_break_callers { "can break callers" } else { "" };
            let service = format!("{} {}", change.service, change.version);
            [service, change.subject.to_string(), breaks.to_owned(), change.kind.to_string()]
        });
        let rows: Vec<_> = rows.collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let (first, second, third) = (width(0), width(1), width(2));
        for [service, subject, breaks, kind] in &rows {
            writeln!(f, "{service:first$}  {subject:second$}  {breaks:third$}  {kind}")?;
        }
        Ok(())
    }
}
