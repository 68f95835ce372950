//! The history of who changed what, which the auth service answers from.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::testing::http::call::RecordedCall;

/// The endpoints whose success is a change: service, endpoint, type of the changed entity, the arguments that identify it,
/// joined by `/`, and what happened to it.
const CHANGES: &[(&str, &str, &str, &[&str], &str)] = &[
    ("auth", "createClient", "client", &["clientId"], "created"),
    ("auth", "updateClient", "client", &["clientId"], "updated"),
    ("auth", "deleteClient", "client", &["clientId"], "deleted"),
    ("auth", "enableClient", "client", &["clientId"], "client enabled"),
    ("auth", "disableClient", "client", &["clientId"], "client disabled"),
    ("auth", "resetAccessToken", "client", &["clientId"], "access token reset"),
    ("auth", "createRole", "role", &["roleId"], "created"),
    ("auth", "updateRole", "role", &["roleId"], "updated"),
    ("auth", "deleteRole", "role", &["roleId"], "deleted"),
    ("hooks", "createHook", "hook", &["hookGroupId", "hookId"], "created"),
    ("hooks", "updateHook", "hook", &["hookGroupId", "hookId"], "updated"),
    ("hooks", "removeHook", "hook", &["hookGroupId", "hookId"], "deleted"),
    ("secrets", "set", "secret", &["name"], "created"),
    ("secrets", "remove", "secret", &["name"], "deleted"),
    ("worker-manager", "createWorkerPool", "worker-pool", &["workerPoolId"], "created"),
    ("worker-manager", "updateWorkerPool", "worker-pool", &["workerPoolId"], "updated"),
    ("worker-manager", "deleteWorkerPool", "worker-pool", &["workerPoolId"], "deleted"),
];

/// All changes, the latest last.
#[derive(Default)]
pub(crate) struct Audit(Mutex<Vec<Change>>);

/// One change of an entity.
#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) client_id: String,
    pub(crate) action: &'static str,
    pub(crate) entity_type: &'static str,
    pub(crate) entity_id: String,
    pub(crate) created: DateTime<Utc>,
}

impl Audit {
    fn lock(&self) -> MutexGuard<'_, Vec<Change>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a successful call, if it changed something.
    pub(crate) fn record(&self, call: &RecordedCall, now: DateTime<Utc>) {
        let known = CHANGES.iter().find(|known| call.is(known.0, known.1));
        let Some((_, endpoint, entity_type, args, action)) = known else { return };
        let id: Vec<_> = args.iter().map(|name| call.arg(name)).collect();
        let mut change = Change {
            client_id: call.caller().to_owned(),
            action,
            entity_type,
            entity_id: id.join("/"),
            created: now,
        };
        let mut all = self.lock();
        // One endpoint both creates and changes.
        if *endpoint == "set"
            && let Some(last) = all.iter().rev().find(|last| last.is_of_the_same(&change))
            && last.action != "deleted"
        {
            change.action = "updated";
        }
        all.push(change);
    }

    /// Returns the changes for which this holds, the latest last.
    pub(crate) fn all(&self, holds: impl Fn(&Change) -> bool) -> Vec<Change> {
        self.lock().iter().filter(|change| holds(change)).cloned().collect()
    }
}

impl Change {
    fn is_of_the_same(&self, other: &Self) -> bool {
        (self.entity_type, &self.entity_id) == (other.entity_type, &other.entity_id)
    }
}
