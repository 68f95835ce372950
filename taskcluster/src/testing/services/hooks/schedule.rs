//! The schedules of hooks.

use chrono::{DateTime, Utc};
use croner::parser::{CronParser, Seconds, Year};
use serde_json::Value;

use crate::testing::http::answer::Refusal;

/// Returns the next time after this one in a schedule, which is a list of cron patterns, or `None` if there is none.
pub(super) fn next(
    schedule: &Value,
    after: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Refusal> {
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    let mut times = Vec::new();
    for pattern in schedule.as_array().into_iter().flatten() {
        let cron =
            parser.parse(&complete(pattern.as_str().unwrap_or_default())).map_err(|error| {
                Refusal::input(format!(
                    "`schedule` has {pattern}, which is not a cron pattern: {error}"
                ))
            })?;
        // The 31st of February never comes.
        times.extend(cron.find_next_occurrence(&after, false).ok());
    }
    Ok(times.into_iter().min())
}

/// Fills in the fields that a short pattern lacks at its start, as the service does: an empty pattern is every minute.
fn complete(pattern: &str) -> String {
    const FIELDS: [&str; 6] = ["0", "*", "*", "*", "*", "*"];
    let given = pattern.split_whitespace().count();
    if given >= 5 || pattern.starts_with('@') {
        return pattern.to_owned();
    }
    format!("{} {pattern}", FIELDS[..FIELDS.len() - given].join(" "))
}
