//! Lets the worker, the followers and the transfers of a deployment's clients wait by its clock.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::deployment::Deployment;
use super::state::State;
use crate::client::timer::{Pace, Timer};

/// How often a client that waits looks at the clock.
const LOOK: Duration = Duration::from_millis(10);

impl Deployment {
    /// What clients wait by.
    pub(super) fn timer(&self) -> Timer {
        Timer::of_deployment(Arc::new(ClockOf(Arc::downgrade(self.state()))))
    }
}

/// The deployment's clock, for its clients. If the deployment is gone, this machine's.
struct ClockOf(Weak<State>);

impl Pace for ClockOf {
    fn now(&self) -> DateTime<Utc> {
        self.0.upgrade().map_or_else(Utc::now, |state| state.context().now())
    }

    fn wait(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let end = self.now() + TimeDelta::from_std(duration).unwrap_or_default();
        Box::pin(async move {
            while let Ok(left) = (end - self.now()).to_std()
                && !left.is_zero()
            {
                // Not held while waiting, since a deployment ends with its last handle.
                tokio::time::sleep(left.min(LOOK)).await;
            }
        })
    }
}
