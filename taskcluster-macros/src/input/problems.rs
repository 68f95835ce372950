//! Collects everything that is wrong, to report all of it at once.

use proc_macro2::{Span, TokenStream};

use crate::input::files::Document;
use crate::input::locate::{JsonPath, locate};

/// Messages with their places in the Rust source.
#[derive(Default)]
pub(crate) struct Problems(Vec<(Span, String)>);

impl Problems {
    /// Reports problems at this place in the Rust source.
    pub(crate) fn at(&mut self, span: Span) -> ProblemsAt<'_> {
        ProblemsAt { all: self, span }
    }

    pub(crate) fn into_compile_errors(self) -> Option<TokenStream> {
        self.0
            .into_iter()
            .map(|(span, message)| syn::Error::new(span, message))
            .reduce(|mut all, error| {
                all.combine(error);
                all
            })
            .map(syn::Error::into_compile_error)
    }
}

/// Reports problems at one place in the Rust source.
pub(crate) struct ProblemsAt<'a> {
    all: &'a mut Problems,
    span: Span,
}

impl ProblemsAt<'_> {
    pub(crate) fn report(&mut self, message: impl Into<String>) {
        self.report_at(self.span, message);
    }

    pub(crate) fn report_at(&mut self, span: Span, message: impl Into<String>) {
        self.all.0.push((span, message.into()));
    }

    /// Reports a problem in a JSON file; the message is prefixed with file, line and column.
    pub(crate) fn report_in(&mut self, document: &Document, path: &JsonPath, message: &str) {
        let (line, column) = locate(&document.text, path);
        self.report(format!("{}:{line}:{column}: {message}", document.path));
    }
}

/// Suggests the known name that is most like this one: `; did you mean …?`, or nothing if none is like it.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&plain(name), &plain(known)), known))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"))
}

/// The known name that this one is a misspelling of, if it is one beyond doubt: a letter or two are wrong, and it is not a longer
/// or shorter name, such as `clientId` beside `client`.
pub(crate) fn misspelt<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
    let name = plain(name);
    known.into_iter().find(|known| {
        let known = plain(known);
        let distance = strsim::osa_distance(&name, &known);
        let is_part = name != known && (name.starts_with(&known) || known.starts_with(&name));
        distance <= 2 && 3 * distance <= name.len() && !is_part
    })
}

/// Suggests what may stand in place of this name: the known name that is like it, or else all of them.
pub(crate) fn expected(name: &str, known: &[&str]) -> String {
    let hint = did_you_mean(name, known.iter().copied());
    if hint.is_empty() { format!("; expected `{}`", known.join("`, `")) } else { hint }
}
