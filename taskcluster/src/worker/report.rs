//! Telling the queue how a task ended, so that it is told once.

use tracing::{debug, warn};

use super::lease::Lease;
use super::outcome::Outcome;
use crate::error::{Error, Result};
use crate::patience::{Patience, is_refusal};
use crate::services::Queue;
use crate::services::queue::{
    TaskExceptionReason, TaskExceptionRequest, TaskStatusResponse, TaskStatusRun,
    TaskStatusRunReasonResolved, TaskStatusRunState,
};

/// Reports an outcome until the queue has taken or refused it, or the claim is over. Returns whether the run ended with this
/// outcome. `queue` is called with the worker's own credentials.
pub(super) async fn report(lease: &Lease, queue: &Queue, outcome: Outcome) -> bool {
    lease.is_being_reported();
    let (task_id, run_id) = (&*lease.task_id, lease.run_id);
    let mut patience = Patience::default();
    loop {
        let error = match send(lease, outcome).await {
            Ok(_) => {
                debug!(%task_id, run_id, ?outcome, "reported the task");
                return true;
            }
            Err(error) => error,
        };
        if is_refusal(&error) {
            let mine = is_mine(lease, queue, outcome).await.unwrap_or(false);
            if !mine {
                warn!(%task_id, run_id, ?outcome, %error, "the queue refused the report of the task");
            }
            return mine;
        }
        if lease.is_over() {
            warn!(%task_id, run_id, ?outcome, %error, "the claim ended before the task could be reported");
            return false;
        }
        warn!(%task_id, run_id, ?outcome, %error, "the task could not be reported yet");
        patience.wait(queue.as_ref().client().timer()).await;
    }
}

async fn send(lease: &Lease, outcome: Outcome) -> Result<TaskStatusResponse> {
    let Lease { queue, task_id, run_id, .. } = lease;
    let call = match outcome {
        Outcome::Completed => queue.report_completed(task_id, run_id),
        Outcome::Failed => queue.report_failed(task_id, run_id),
        Outcome::Exception(reason) => {
            let request = TaskExceptionRequest::new(TaskExceptionReason::from(reason));
            queue.report_exception(task_id, run_id, &request)
        }
    };
    call.await
}

/// Whether the queue has an earlier attempt at this report, whose response was lost. After it, the task may have gone on, which
/// makes the repeated report a conflict.
async fn is_mine(lease: &Lease, queue: &Queue, outcome: Outcome) -> Result<bool, Error> {
    let status = queue.status(&lease.task_id).await?.status;
    let claim = lease.status();
    let run = |runs: &[TaskStatusRun]| runs.get(lease.run_id as usize).cloned();
    Ok(match (run(&status.runs), run(&claim.runs)) {
        (Some(ended), Some(claimed)) => {
            let worker = (ended.worker_group, ended.worker_id);
            let same = worker == (claimed.worker_group, claimed.worker_id);
            same && ended
                .reason_resolved
                .is_some_and(|reason| is_of(outcome, &ended.state, &reason))
        }
        _ => false,
    })
}

fn is_of(
    outcome: Outcome,
    state: &TaskStatusRunState,
    reason: &TaskStatusRunReasonResolved,
) -> bool {
    use TaskStatusRunState as State;
    match (outcome, state) {
        (Outcome::Completed, State::Completed) | (Outcome::Failed, State::Failed) => true,
        (Outcome::Exception(expected), State::Exception) => {
            TaskExceptionReason::from(expected).to_string() == reason.to_string()
        }
        _ => false,
    }
}
