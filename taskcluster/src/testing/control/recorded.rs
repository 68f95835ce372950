//! The record of calls.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::testing::http::call::RecordedCall;

/// The record of a deployment.
#[derive(Default)]
pub(crate) struct Record {
    entries: Mutex<Entries>,
    /// Tells of each new call and each answer.
    changed: Notify,
}

#[derive(Default)]
struct Entries {
    next: u64,
    calls: Vec<(u64, RecordedCall)>,
}

impl Record {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a call and returns the number under which to add its answer.
    pub(crate) fn add(&self, call: RecordedCall) -> u64 {
        let mut entries = self.entries();
        let number = entries.next;
        entries.next += 1;
        entries.calls.push((number, call));
        self.changed.notify_waiters();
        number
    }

    pub(crate) fn answered(&self, number: u64, answered: &RecordedCall) {
        let mut entries = self.entries();
        // The call is gone if the record was cleared meanwhile.
        if let Some((_, call)) = entries.calls.iter_mut().rev().find(|(known, _)| *known == number)
        {
            *call = answered.clone();
            self.changed.notify_waiters();
        }
    }

    /// Waits until there are this many calls of a kind, and returns them.
    pub(crate) async fn wait_for(
        &self,
        count: usize,
        is_of_kind: impl Fn(&RecordedCall) -> bool,
    ) -> Vec<RecordedCall> {
        loop {
            // From before the look, so that no change is missed.
            let changed = self.changed.notified();
            let found: Vec<_> = {
                let entries = self.entries();
                let calls = entries.calls.iter().map(|(_, call)| call);
                calls.filter(|call| is_of_kind(call)).cloned().collect()
            };
            if found.len() >= count {
                return found;
            }
            changed.await;
        }
    }

    pub(crate) fn calls(&self) -> Vec<RecordedCall> {
        let entries = self.entries();
        entries.calls.iter().map(|(_, call)| call.clone()).collect()
    }

    pub(crate) fn clear(&self) {
        self.entries().calls.clear();
    }
}
