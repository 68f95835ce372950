//! Renders templates of json-e.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::expressions;
use crate::testing::http::answer::timestamp;

/// Renders a template by the deployment's clock.
pub(crate) fn render(
    template: &Value,
    values: &Value,
    now: DateTime<Utc>,
) -> Result<Value, String> {
    expressions::check(template)?;
    let template = json!({"$let": {"now": timestamp(now)}, "in": template});
    json_e::render(&template, values).map_err(|error| format!("{error:#}"))
}
