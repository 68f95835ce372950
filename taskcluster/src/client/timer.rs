//! How programs that run for days measure time and wait: by this machine, or by the clock of an embedded deployment.

#[cfg(feature = "testing")]
use std::pin::Pin;
#[cfg(feature = "testing")]
use std::sync::Arc;
use std::time::{Duration, SystemTime};

#[cfg(feature = "testing")]
use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep};

/// How long a sleep may be, so that one notices that the machine itself was asleep.
const NAP: Duration = Duration::from_secs(30);

/// A clock that a test moves ahead.
#[cfg(feature = "testing")]
pub(crate) trait Pace: Send + Sync {
    fn now(&self) -> DateTime<Utc>;

    /// Waits until this clock has advanced by so much.
    fn wait(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Starts stopwatches. The clients of an embedded deployment have its clock, which tests move ahead.
#[derive(Clone, Default)]
pub(crate) struct Timer {
    #[cfg(feature = "testing")]
    deployment: Option<Arc<dyn Pace>>,
}

impl Timer {
    #[cfg(feature = "testing")]
    pub(crate) fn of_deployment(clock: Arc<dyn Pace>) -> Self {
        Self { deployment: Some(clock) }
    }

    pub(crate) fn start(&self) -> Stopwatch {
        Stopwatch {
            #[cfg(feature = "testing")]
            deployment: self.deployment.clone().map(|clock| (clock.now(), clock)),
            steady: Instant::now(),
            wall: SystemTime::now(),
        }
    }
}

/// Measures time from its start.
#[derive(Clone)]
pub(crate) struct Stopwatch {
    #[cfg(feature = "testing")]
    deployment: Option<(DateTime<Utc>, Arc<dyn Pace>)>,
    steady: Instant,
    wall: SystemTime,
}

impl Stopwatch {
    /// Returns the time since the start, without the time that the machine was asleep. It is never too much.
    pub(crate) fn steady(&self) -> Duration {
        #[cfg(feature = "testing")]
        if let Some((start, clock)) = &self.deployment {
            return (clock.now() - start).to_std().unwrap_or_default();
        }
        self.steady.elapsed()
    }

    /// Returns the time since the start. It is too much if the machine's clock was put ahead.
    pub(crate) fn elapsed(&self) -> Duration {
        #[cfg(feature = "testing")]
        if self.deployment.is_some() {
            return self.steady();
        }
        self.steady().max(self.wall.elapsed().unwrap_or_default())
    }

    /// Waits until so much time has [passed](Self::elapsed) since the start.
    pub(crate) async fn reach(&self, goal: Duration) {
        self.reach_by(Self::elapsed, goal).await;
    }

    /// Waits until so much time has [passed](Self::steady) since the start.
    #[cfg(feature = "worker")]
    pub(crate) async fn reach_steadily(&self, goal: Duration) {
        self.reach_by(Self::steady, goal).await;
    }

    async fn reach_by(&self, measure: fn(&Self) -> Duration, goal: Duration) {
        loop {
            let left = goal.saturating_sub(measure(self));
            if left.is_zero() {
                return;
            }
            #[cfg(feature = "testing")]
            if let Some((_, clock)) = &self.deployment {
                clock.wait(left.min(NAP)).await;
                continue;
            }
            sleep(left.min(NAP)).await;
        }
    }
}
