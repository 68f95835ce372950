//! The record of calls.

use std::sync::{Mutex, PoisonError};

use crate::testing::http::call::RecordedCall;

/// The record of a deployment.
#[derive(Default)]
pub(crate) struct Record(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    next: u64,
    calls: Vec<(u64, RecordedCall)>,
}

impl Record {
    /// Records a call and returns the number under which to add its answer.
    pub(crate) fn add(&self, call: RecordedCall) -> u64 {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = entries.next;
        entries.next += 1;
        entries.calls.push((number, call));
        number
    }

    pub(crate) fn answered(&self, number: u64, answered: &RecordedCall) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The call is gone if the record was cleared meanwhile.
        if let Some((_, call)) = entries.calls.iter_mut().rev().find(|(known, _)| *known == number)
        {
            *call = answered.clone();
        }
    }

    pub(crate) fn calls(&self) -> Vec<RecordedCall> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.calls.iter().map(|(_, call)| call.clone()).collect()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).calls.clear();
    }
}
