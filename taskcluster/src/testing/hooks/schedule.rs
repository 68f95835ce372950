//! When hooks fire by themselves.

use chrono::{DateTime, Utc};
use croner::parser::{CronParser, Seconds, Year};
use serde_json::{Value, json};

use super::super::answer::Refusal;
use super::super::state::State;

/// The next time after this one that a schedule, a list of cron patterns, has; `None` if it has no more.
pub(super) fn next(
    schedule: &Value,
    after: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Refusal> {
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    let mut times = Vec::new();
    for pattern in schedule.as_array().into_iter().flatten() {
        let cron = parser.parse(pattern.as_str().unwrap_or_default()).map_err(|error| {
            Refusal::input(format!("`schedule` has {pattern}, which is no cron pattern: {error}"))
        })?;
        // The 31st of February never comes.
        times.extend(cron.find_next_occurrence(&after, false).ok());
    }
    Ok(times.into_iter().min())
}

impl State {
    /// When the next hook fires by its schedule.
    pub(in super::super) fn next_schedule(&self) -> Option<DateTime<Utc>> {
        self.hooks.lock().values().filter_map(|hook| hook.next).min()
    }

    /// Fires the hooks whose time has come, each once.
    pub(in super::super) fn fire_scheduled_hooks(&self) {
        let now = self.now();
        let mut due = Vec::new();
        for (key, hook) in &mut *self.hooks.lock() {
            if hook.next.is_some_and(|next| next <= now) {
                // It was parsed before.
                hook.next = next(&hook.definition["schedule"], now).unwrap_or_default();
                due.push(key.clone());
            }
        }
        for key in due {
            let by = "schedule";
            // Whatever goes wrong stands in the list of last fires.
            let _ = self.fire_hook(&key, by, json!({"firedBy": by}));
        }
    }
}
