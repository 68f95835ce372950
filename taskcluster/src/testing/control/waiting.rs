//! Waits for the calls of a program that runs beside the test.

use std::time::Duration;

use tokio::time::timeout;

use super::deployment::Deployment;
use super::expected::{self, ExpectedCall};
use crate::runtime::block_on;
use crate::testing::http::call::RecordedCall;
use crate::{Error, Result};

/// How long [`Deployment::wait_for_calls`] waits.
const PATIENCE: Duration = Duration::from_secs(30);

impl Deployment {
    /// Waits up to 30 seconds until at least this many calls are as expected, and returns them, in the order of their arrival.
    ///
    /// A test that acts while the code under test makes calls, such as one that moves the clock of a worker, waits by this
    /// instead of sleeping. Calls count from the last [`clear_calls`](Self::clear_calls), each attempt as a call of its own. One
    /// that has arrived counts even if it has no answer yet; to wait for the answer, expect its
    /// [`status`](ExpectedCall::status).
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskcluster::testing::{Deployment, called};
    /// use taskcluster::queue::ClaimWorkRequest;
    /// use taskcluster::{Queue, Result, StatusCode};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let fake = Deployment::start().await?;
    /// fake.set_claim_wait(Duration::from_secs(20));
    /// let scopes = ["queue:claim-work:p/w", "queue:worker-id:g/w"];
    /// let queue = Queue::new(&fake.connect_as("worker", scopes)?);
    /// let program = tokio::spawn(async move {
    ///     queue.claim_work("p/w", &ClaimWorkRequest::new("g", "w", 1)).await
    /// });
    ///
    /// // The program waits for a task. 20 seconds later, it gets none.
    /// fake.wait_for_calls("queue.claimWork", 1).await?;
    /// fake.advance(Duration::from_secs(20));
    /// let answered = called("queue.claimWork").by("worker").status(StatusCode::OK);
    /// assert_eq!(fake.wait_for_calls(answered, 1).await?.len(), 1);
    /// assert!(program.await.unwrap()?.tasks.is_empty());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if fewer calls come in time; it says how many came, and how they differ if none was as expected.
    /// Returns an error, too, if the expected call names an endpoint, argument or option that no reference has.
    pub async fn wait_for_calls(
        &self,
        expected: impl Into<ExpectedCall>,
        count: usize,
    ) -> Result<Vec<RecordedCall>> {
        let (expected, state) = (expected.into(), self.state());
        expected.check(&state.references())?;
        let waiting = state.record.wait_for(count, |call| expected.matches(call));
        timeout(PATIENCE, waiting).await.map_err(|_| {
            let problem = expected::too_few(&expected, count, &self.calls());
            Error::config(format!("within {PATIENCE:?}, {problem}"))
        })
    }

    /// The blocking form of [`wait_for_calls`](Self::wait_for_calls).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`wait_for_calls`](Self::wait_for_calls), and an error if called inside an async runtime.
    pub fn wait_for_calls_blocking(
        &self,
        expected: impl Into<ExpectedCall>,
        count: usize,
    ) -> Result<Vec<RecordedCall>> {
        block_on(self.wait_for_calls(expected, count))?
    }
}
