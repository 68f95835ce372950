//! What is known of the tasks that are followed.

use std::collections::BTreeMap;

use crate::services::queue::{TaskState, TaskStatus};

/// What is followed.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Task(String),
    Group(String),
}

/// The latest status of each task.
#[derive(Default)]
pub(super) struct Known(BTreeMap<String, TaskStatus>);

impl Known {
    /// Takes a status that may be older than the known one. Returns it if the task has come further.
    pub(super) fn learn(&mut self, status: TaskStatus) -> Option<TaskStatus> {
        let before = self.0.get(&status.task_id).map(progress);
        let is_news = before.is_none_or(|before| before < progress(&status));
        if !is_news && before > Some(progress(&status)) {
            return None;
        }
        let news = is_news.then(|| status.clone());
        self.0.insert(status.task_id.clone(), status);
        news
    }

    /// Forgets a task that the queue does not know any more.
    pub(super) fn forget(&mut self, task_id: &str) {
        self.0.remove(task_id);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &TaskStatus> {
        self.0.values()
    }

    /// The ids of the tasks that are not resolved.
    pub(super) fn open(&self) -> Vec<String> {
        self.all()
            .filter(|task| !is_resolved(&task.state))
            .map(|task| task.task_id.clone())
            .collect()
    }
}

pub(super) fn is_resolved(state: &TaskState) -> bool {
    matches!(state, TaskState::Completed | TaskState::Failed | TaskState::Exception)
}

/// How far a task has come. It only grows: what goes on after its end does so in another run.
fn progress(status: &TaskStatus) -> (usize, u8) {
    let rank = match status.state {
        TaskState::Unscheduled => 0,
        TaskState::Pending => 1,
        TaskState::Running => 2,
        _ => 3,
    };
    (status.runs.len(), rank)
}
