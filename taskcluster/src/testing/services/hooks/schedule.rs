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
        let cron = parser.parse(pattern.as_str().unwrap_or_default()).map_err(|error| {
            Refusal::input(format!(
                "`schedule` has {pattern}, which is not a cron pattern: {error}"
            ))
        })?;
        // The 31st of February never comes.
        times.extend(cron.find_next_occurrence(&after, false).ok());
    }
    Ok(times.into_iter().min())
}
