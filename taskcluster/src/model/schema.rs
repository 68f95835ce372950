//! Checks values against whole schemas, for what rules cannot say. The validator is that of the embedded deployment.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use boon::{Compiler, Draft, ErrorKind, SchemaIndex, Schemas, ValidationError};

use super::shape::View;

struct Compiled {
    schemas: Schemas,
    index: SchemaIndex,
}

/// Why a value does not fit a schema, without the value itself, which may be a secret.
pub(super) fn misfit(text: &'static str, view: View<'_>) -> Option<String> {
    let value = match serde_json::to_value(view) {
        Ok(value) => value,
        Err(_) => return Some("has a number that is too large to be checked".to_owned()),
    };
    let compiled = compiled(text);
    let Compiled { schemas, index } = match &*compiled {
        Ok(compiled) => compiled,
        Err(error) => {
            return Some(format!("cannot be checked, since its schema is not valid: {error}"));
        }
    };
    let error = schemas.validate(&value, *index).err()?;
    let mut reasons = Vec::new();
    collect(&error, &mut reasons)?;
    reasons.dedup();
    // The first few say enough.
    reasons.truncate(5);
    Some(format!("does not fit its schema: {}", reasons.join(", ")))
}

fn compiled(text: &'static str) -> Arc<Result<Compiled, String>> {
    type ByText = HashMap<&'static str, Arc<Result<Compiled, String>>>;
    static COMPILED: LazyLock<Mutex<ByText>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    compiled.entry(text).or_insert_with(|| Arc::new(compile(text))).clone()
}

fn compile(text: &str) -> Result<Compiled, String> {
    const PLACE: &str = "taskcluster:///schema.json";
    let json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V7);
    compiler.enable_format_assertions();
    compiler.enable_content_assertions();
    compiler.add_resource(PLACE, json).map_err(|error| error.to_string())?;
    let mut schemas = Schemas::new();
    let index = compiler.compile(PLACE, &mut schemas).map_err(|error| error.to_string())?;
    Ok(Compiled { schemas, index })
}

/// Collects what is wrong: the places in the schema, and what they ask for. `None` if the schema says nothing, since it
/// refers to itself without end.
fn collect(error: &ValidationError<'_, '_>, reasons: &mut Vec<String>) -> Option<()> {
    if matches!(error.kind, ErrorKind::RefCycle { .. }) {
        return None;
    }
    if !error.causes.is_empty() {
        return error.causes.iter().try_for_each(|cause| collect(cause, reasons));
    }
    let place = error.schema_url.split_once('#').map_or("", |(_, pointer)| pointer);
    let reason = match &error.kind {
        ErrorKind::Required { want } => format!("`{}` is missing", want.join("` and `")),
        ErrorKind::Format { want, .. } => format!("not of the format `{want}`"),
        ErrorKind::AdditionalProperties { .. } => "a property that is not allowed".to_owned(),
        ErrorKind::AdditionalItems { .. } => "too many items".to_owned(),
        ErrorKind::Type { want, .. } => {
            let names: Vec<_> = want.iter().map(|name| name.to_string()).collect();
            format!("not of type `{}`", names.join("` or `"))
        }
        kind => keyword(kind).to_owned(),
    };
    reasons.push(match place {
        "" => reason,
        place => format!("{reason} (`{place}`)"),
    });
    Some(())
}

fn keyword(kind: &ErrorKind<'_, '_>) -> &'static str {
    match kind {
        ErrorKind::Enum { .. } => "not a value of its `enum`",
        ErrorKind::Const { .. } => "not its `const`",
        ErrorKind::MinProperties { .. } => "too few properties",
        ErrorKind::MaxProperties { .. } => "too many properties",
        ErrorKind::PropertyName { .. } => "the name of a property",
        ErrorKind::Dependency { .. } | ErrorKind::DependentRequired { .. } => {
            "a property without another that it needs"
        }
        ErrorKind::MinItems { .. } => "too few items",
        ErrorKind::MaxItems { .. } => "too many items",
        ErrorKind::Contains | ErrorKind::MinContains { .. } | ErrorKind::MaxContains { .. } => {
            "what it must contain"
        }
        ErrorKind::UniqueItems { .. } => "duplicate items",
        ErrorKind::MinLength { .. } => "too short",
        ErrorKind::MaxLength { .. } => "too long",
        ErrorKind::Pattern { .. } => "its pattern",
        ErrorKind::ContentEncoding { .. } | ErrorKind::ContentMediaType { .. } => "its content",
        ErrorKind::Minimum { .. } | ErrorKind::ExclusiveMinimum { .. } => "too small",
        ErrorKind::Maximum { .. } | ErrorKind::ExclusiveMaximum { .. } => "too large",
        ErrorKind::MultipleOf { .. } => "not a multiple",
        ErrorKind::Not => "what it must not be",
        ErrorKind::OneOf(Some(_)) => "more than one of its alternatives",
        _ => "not allowed",
    }
}
