//! Everything that is wrong, to be told at once.

use proc_macro2::{Span, TokenStream};

use crate::input::files::Document;
use crate::input::locate::{JsonPath, locate};

#[derive(Default)]
pub(crate) struct Problems(Vec<(Span, String)>);

impl Problems {
    /// Reports that follow belong to this place in the Rust source.
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

    /// Reports a problem with a place in a JSON file: file, line and column stand before the message.
    pub(crate) fn report_in(&mut self, document: &Document, path: &JsonPath, message: &str) {
        let (line, column) = locate(&document.text, path);
        self.report(format!("{}:{line}:{column}: {message}", document.path));
    }
}

/// ` (did you mean …?)` with the name that is most like this one, or nothing.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&plain(name), &plain(known)), known))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"))
}
