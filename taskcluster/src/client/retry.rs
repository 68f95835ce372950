//! When to retry a failed attempt, and after what delay.

use std::time::Duration;

use crate::random;

/// How often to retry a failed call, and after what delays.
///
/// A call is retried if an attempt failed to connect, timed out, was cut off, or was answered with 429 or 5xx. This is
/// safe: every Taskcluster endpoint can be called twice with the same arguments. So is one that got the response to another
/// request, which a faulty proxy can cause. Other statuses, a response that is not what the reference promises, and one
/// larger than [`max_body`](crate::ClientBuilder::max_body) are not retried. The delay before the n-th retry is
/// `first_delay * 2^(n-1)`, lengthened or shortened at random by up to `jitter`. It is at least the server's
/// `Retry-After`, and never more than `max_delay`.
///
/// ```
/// use std::time::Duration;
/// use taskcluster::Retry;
///
/// let patient = Retry::default().max_retries(10).max_delay(Duration::from_secs(60));
/// assert_ne!(patient, Retry::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    max_retries: usize,
    first_delay: Duration,
    max_delay: Duration,
    jitter: f32,
}

/// 5 retries; delays start at 100 ms and double up to 30 s, with a jitter of 25 %.
impl Default for Retry {
    fn default() -> Self {
        Self {
            max_retries: 5,
            first_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(30),
            jitter: 0.25,
        }
    }
}

impl Retry {
    /// Never retries.
    #[must_use]
    pub fn never() -> Self {
        Self::default().max_retries(0)
    }

    /// Sets the maximum number of retries. With 5, a call is sent up to 6 times.
    #[must_use]
    pub fn max_retries(self, max_retries: usize) -> Self {
        Self { max_retries, ..self }
    }

    /// Sets the delay before the first retry.
    #[must_use]
    pub fn first_delay(self, first_delay: Duration) -> Self {
        Self { first_delay, ..self }
    }

    /// Sets the maximum delay, which also limits `Retry-After`.
    #[must_use]
    pub fn max_delay(self, max_delay: Duration) -> Self {
        Self { max_delay, ..self }
    }

    /// Sets how much a delay may vary, as a fraction of itself. Values outside 0 to 1 are clamped.
    #[must_use]
    pub fn jitter(self, jitter: f32) -> Self {
        Self { jitter: if jitter.is_nan() { 0.0 } else { jitter.clamp(0.0, 1.0) }, ..self }
    }

    /// How long to wait before a retry: `delay`, or as long as the server asked for, within the limit.
    pub(crate) fn wait(&self, delay: Duration, asked: Duration) -> Duration {
        asked.min(self.max_delay).max(delay)
    }

    /// The delays of one call, one for each retry.
    pub(crate) fn delays(self) -> impl Iterator<Item = Duration> {
        (0..).map_while(move |retries| self.delay(retries))
    }

    /// The delay after so many retries, or `None` if that was the last one.
    pub(crate) fn delay(&self, retries: u32) -> Option<Duration> {
        if retries as usize >= self.max_retries {
            return None;
        }
        let longest = self.max_delay.as_secs_f32();
        // After 64 doublings every delay is as long as it may be, or zero.
        let doubled = self.first_delay.as_secs_f32() * 2_f32.powi(retries.min(64) as i32);
        let factor = 1.0 + self.jitter * (2.0 * random::fraction() - 1.0);
        let delay = Duration::try_from_secs_f32(doubled.min(longest) * factor);
        Some(delay.map_or(self.max_delay, |delay| delay.min(self.max_delay)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_vary_both_ways_and_stay_below_the_limit() {
        let (mut shorter, mut longer) = (0, 0);
        for _ in 0..200 {
            let delays: Vec<_> = Retry::default().max_retries(12).delays().collect();
            assert_eq!(delays.len(), 12);
            for (n, delay) in delays.into_iter().enumerate() {
                let middle = Duration::from_millis(100 << n).min(Duration::from_secs(30));
                assert!(
                    delay >= middle.mul_f32(0.749) && delay <= middle.mul_f32(1.251),
                    "{delay:?}"
                );
                assert!(delay <= Duration::from_secs(30));
                if delay < middle { shorter += 1 } else { longer += 1 }
            }
        }
        assert!(shorter > 600 && longer > 600, "{shorter} shorter, {longer} longer");
    }

    #[test]
    fn never_means_never() {
        assert_eq!(Retry::never().delays().count(), 0);
    }

    #[test]
    fn odd_settings_do_no_harm() {
        for jitter in [f32::NAN, -1.0, 7.0, f32::INFINITY] {
            let retry = Retry::default().jitter(jitter).first_delay(Duration::MAX);
            assert!(retry.delays().all(|delay| delay <= Duration::from_secs(30)));
        }
    }
}
