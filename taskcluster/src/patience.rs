//! Trying again for as long as it makes sense, in programs that run for days.

use std::time::Duration;

use reqwest::StatusCode;

use crate::client::retry::Retry;
#[cfg(feature = "worker")]
use crate::client::timer::Timer;
use crate::error::{Error, ErrorKind};

/// The delays between attempts at something that should succeed once the deployment is well again.
pub(crate) struct Patience {
    delays: Box<dyn Iterator<Item = Duration> + Send>,
    longest: Duration,
}

impl Patience {
    /// Delays that double from the first to the longest.
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        let retry = Retry::default().max_retries(usize::MAX);
        let delays = retry.first_delay(first).max_delay(longest).delays();
        Self { delays: Box::new(delays), longest }
    }

    pub(crate) fn next(&mut self) -> Duration {
        self.delays.next().unwrap_or(self.longest)
    }

    #[cfg(feature = "worker")]
    pub(crate) async fn wait(&mut self, timer: &Timer) {
        timer.start().reach(self.next()).await;
    }
}

/// 5 seconds to a minute.
#[cfg(feature = "worker")]
impl Default for Patience {
    fn default() -> Self {
        Self::new(Duration::from_secs(5), Duration::from_secs(60))
    }
}

/// Whether the same call would fail again: the service itself refused it, or it cannot be sent. Without the code of a service,
/// the response came from something in front of it. 401 may also mean that a clock is wrong, or that credentials are about to be
/// replaced.
pub(crate) fn is_refusal(error: &Error) -> bool {
    const PASSING: [StatusCode; 3] =
        [StatusCode::UNAUTHORIZED, StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    match (error.kind(), error.status()) {
        (ErrorKind::Api, Some(status)) if PASSING.contains(&status) => false,
        (ErrorKind::Api, Some(status)) => status.is_client_error() && error.code().is_some(),
        (ErrorKind::Transport | ErrorKind::Answer, _) => false,
        _ => true,
    }
}

/// Whether the service refused the call, 401 included.
pub(crate) fn is_refused(error: &Error) -> bool {
    is_refusal(error) || error.status() == Some(StatusCode::UNAUTHORIZED)
}
