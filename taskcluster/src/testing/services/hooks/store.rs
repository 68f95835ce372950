//! The store of hooks, and of those that messages have fired.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::testing::http::answer::Refusal;
use crate::testing::services::context::message::Message;

/// A hook's group and its id in that group.
pub(super) type Key = (String, String);

/// All hooks.
#[derive(Default)]
pub(crate) struct Hooks {
    hooks: Mutex<BTreeMap<Key, Hook>>,
    /// The hooks that messages have fired and that have not created their tasks yet, with these messages.
    fired: Mutex<Vec<(Key, Value)>>,
}

pub(super) struct Hook {
    /// The definition, as the service returns it.
    pub(super) definition: Value,
    pub(super) token: String,
    /// When the hook fires next by its schedule.
    pub(super) next: Option<DateTime<Utc>>,
    /// The last fires, the latest last.
    pub(super) fires: Vec<Fire>,
}

#[derive(Clone)]
pub(super) struct Fire {
    pub(super) by: &'static str,
    pub(super) task_id: String,
    pub(super) time: DateTime<Utc>,
    /// What went wrong, if anything: a text, or JSON if the queue refused the task.
    pub(super) error: Option<String>,
}

impl Hooks {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Hook>> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `act` with a hook.
    pub(super) fn with<T>(
        &self,
        key: &Key,
        act: impl FnOnce(&mut Hook) -> T,
    ) -> Result<T, Refusal> {
        let (group, id) = key;
        let no_hook = || Refusal::not_found(format!("hook {group}/{id} does not exist"));
        self.lock().get_mut(key).map(act).ok_or_else(no_hook)
    }

    /// Records the hooks that a message fires.
    pub(super) fn note(&self, message: &Message) {
        let hooks = self.lock();
        let is_bound = |definition: &Value| {
            let mut bindings = definition["bindings"].as_array().into_iter().flatten();
            bindings.any(|binding| {
                let text = |name: &str| binding[name].as_str().unwrap_or_default();
                message.is_for(text("exchange"), text("routingKeyPattern"))
            })
        };
        let bound = hooks.iter().filter(|(_, hook)| is_bound(&hook.definition));
        let bound = bound.map(|(key, _)| (key.clone(), message.payload.clone()));
        self.fired.lock().unwrap_or_else(PoisonError::into_inner).extend(bound);
    }

    /// Takes the hooks that messages have fired since the last time, each with its message.
    pub(super) fn take_fired(&self) -> Vec<(Key, Value)> {
        std::mem::take(&mut *self.fired.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
