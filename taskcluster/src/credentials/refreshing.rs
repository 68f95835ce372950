//! Credentials that are fetched anew before they expire.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::process;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::Credentials;
use super::provider::{CredentialsFuture, CredentialsProvider};
use crate::client::retry::Retry;
use crate::runtime;

/// How long to use old credentials after a failed refresh, before the next one.
const PAUSE: TimeDelta = TimeDelta::seconds(10);

/// Credentials that are fetched anew before they expire.
///
/// Give it a function that fetches credentials, wherever they come from. It is called when the first call is made, and again
/// before the credentials expire, while calls still use the old ones. Calls wait only if there are no credentials, or if the
/// old ones are no longer good. However many calls wait, the function runs once. If it fails, it is called again, and
/// meanwhile the old credentials are used until they expire.
///
/// Temporary credentials are good until they expire, by this machine's clock. Those without a certificate do not tell, so they
/// are good for [`max_age`](Self::max_age).
///
/// ```
/// use taskcluster::{Client, Credentials, RefreshingCredentials};
///
/// # async fn ask_the_vault() -> Result<String, std::io::Error> { Ok(String::new()) }
/// let credentials = RefreshingCredentials::new(|| async {
///     let json = ask_the_vault().await?;
///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Credentials::from_json(&json)?)
/// });
/// let client = Client::builder("https://tc.example.com").credentials_provider(credentials).build()?;
/// # Ok::<(), taskcluster::Error>(())
/// ```
///
/// The function runs on this crate's own runtime, so that no call depends on the runtime of another. It must not block. Clones
/// share the credentials.
#[derive(Clone)]
pub struct RefreshingCredentials {
    fetch: Fetch,
    settings: Settings,
    state: Arc<Mutex<State>>,
}

type Failure = Box<dyn StdError + Send + Sync>;

type Fetch = Arc<
    dyn Fn() -> Pin<Box<dyn Future<Output = Result<Credentials, Failure>> + Send>> + Send + Sync,
>;

#[derive(Clone, Copy)]
struct Settings {
    max_age: Option<Duration>,
    refresh_before: Duration,
    timeout: Duration,
    retry: Retry,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    flight: Option<Flight>,
    /// When to try again after a failure.
    not_before: Option<DateTime<Utc>>,
}

/// Credentials, and when they were fetched.
#[derive(Clone)]
struct Held {
    credentials: Credentials,
    fetched: DateTime<Utc>,
    /// The expiry in their certificate.
    expiry: Option<DateTime<Utc>>,
}

/// A refresh that calls may wait for.
#[derive(Clone)]
struct Flight {
    outcome: watch::Receiver<Option<Outcome>>,
    process: u32,
}

type Outcome = Result<Credentials, Shared>;

/// An error for all who wait for it.
#[derive(Clone, Debug)]
struct Shared(Arc<dyn StdError + Send + Sync>);

impl RefreshingCredentials {
    /// Fetches credentials with this function.
    pub fn new<F, R, E>(fetch: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<Credentials, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self {
            fetch: Arc::new(move || {
                let fetched = fetch();
                Box::pin(async { fetched.await.map_err(Into::into) })
            }),
            settings: Settings {
                max_age: None,
                refresh_before: Duration::from_secs(5 * 60),
                timeout: Duration::from_secs(60),
                retry: Retry::default(),
            },
            state: Arc::default(),
        }
    }

    /// Sets how long credentials are good, if they do not expire earlier; by default, 5 minutes for those without a certificate.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.settings.max_age = Some(age);
        self
    }

    /// Sets how long before their end credentials are refreshed: 5 minutes by default, and at most half the time for which they
    /// are good.
    #[must_use]
    pub fn refresh_before(mut self, time: Duration) -> Self {
        self.settings.refresh_before = time;
        self
    }

    /// Limits how long the function may take; 60 seconds by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Sets how often, and after what delays, the function is called again if it fails. By default, as for a [`Retry`].
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.settings.retry = retry;
        self
    }

    /// Returns good credentials, or a refresh to wait for.
    fn good_or_flight(
        &self,
        now: DateTime<Utc>,
    ) -> crate::error::Result<Result<Credentials, Flight>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (is_fresh, good) = match &state.held {
            None => (false, None),
            Some(held) => {
                let (stale, end) = held.times(&self.settings);
                let paused = held.is_usable(now) && state.not_before.is_some_and(|time| now < time);
                let good = (now < end || paused).then(|| held.credentials.clone());
                (now < stale || paused, good)
            }
        };
        if let Some(credentials) = good.clone().filter(|_| is_fresh) {
            return Ok(Ok(credentials));
        }
        let flight = match state.flight.clone().filter(Flight::is_under_way) {
            Some(flight) => flight,
            None => state.flight.insert(self.take_off()?).clone(),
        };
        Ok(good.ok_or(flight))
    }

    /// Starts a refresh.
    fn take_off(&self) -> crate::error::Result<Flight> {
        let (land, outcome) = watch::channel(None);
        let (fetch, settings, state) = (self.fetch.clone(), self.settings, self.state.clone());
        runtime::handle()?.spawn(async move {
            let fetched = fetch_patiently(&fetch, settings).await;
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = state.settle(fetched, Utc::now());
            drop(state);
            // Nobody may be waiting.
            let _ = land.send(Some(outcome));
        });
        Ok(Flight { outcome, process: process::id() })
    }
}

async fn fetch_patiently(fetch: &Fetch, settings: Settings) -> Result<Credentials, Failure> {
    let mut delays = settings.retry.delays();
    loop {
        let failure = match timeout(settings.timeout, fetch()).await {
            Ok(Ok(credentials)) => return Ok(credentials),
            Ok(Err(failure)) => failure,
            Err(_) => format!("no credentials within {:?}", settings.timeout).into(),
        };
        match delays.next() {
            Some(delay) => sleep(delay).await,
            None => return Err(failure),
        }
    }
}

impl State {
    /// Keeps what was fetched. After a failure, returns the old credentials while they can be used.
    fn settle(&mut self, fetched: Result<Credentials, Failure>, now: DateTime<Utc>) -> Outcome {
        match fetched {
            Ok(credentials) => {
                // A certificate that cannot be read is for the service to refuse.
                let expiry = credentials.information().ok().and_then(|known| known.expiry);
                self.held = Some(Held { credentials: credentials.clone(), fetched: now, expiry });
                self.not_before = None;
                Ok(credentials)
            }
            Err(failure) => match self.held.as_ref().filter(|held| held.is_usable(now)) {
                Some(held) => {
                    warn!(
                        "credentials could not be refreshed, so the old ones are used: {failure}"
                    );
                    self.not_before = now.checked_add_signed(PAUSE);
                    Ok(held.credentials.clone())
                }
                None => Err(Shared(failure.into())),
            },
        }
    }
}

impl Held {
    /// When the credentials are to be refreshed, and until when they are good.
    fn times(&self, settings: &Settings) -> (DateTime<Utc>, DateTime<Utc>) {
        let after = |from: DateTime<Utc>, time: Duration| {
            let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
            from.checked_add_signed(time).unwrap_or(DateTime::<Utc>::MAX_UTC)
        };
        let default_age = self.expiry.is_none().then_some(Duration::from_secs(5 * 60));
        let age = settings.max_age.or(default_age);
        let oldest = age.map_or(DateTime::<Utc>::MAX_UTC, |age| after(self.fetched, age));
        let end = self.expiry.map_or(oldest, |expiry| expiry.min(oldest)).max(self.fetched);
        let good_for = (end - self.fetched).to_std().unwrap_or_default();
        (
            after(self.fetched, good_for.saturating_sub(settings.refresh_before.min(good_for / 2))),
            end,
        )
    }

    /// Whether the credentials have not expired, whatever their age.
    fn is_usable(&self, now: DateTime<Utc>) -> bool {
        self.expiry.is_none_or(|expiry| now < expiry)
    }
}

impl Flight {
    /// After a fork, the parent's refreshes do not end.
    fn is_under_way(&self) -> bool {
        self.process == process::id() && self.outcome.has_changed().is_ok()
    }

    async fn land(mut self) -> Result<Credentials, Failure> {
        let outcome = self.outcome.wait_for(Option::is_some).await;
        match outcome.ok().and_then(|outcome| outcome.clone()) {
            Some(outcome) => outcome.map_err(Into::into),
            None => Err("the function that fetches credentials panicked".into()),
        }
    }
}

impl CredentialsProvider for RefreshingCredentials {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async {
            match self.good_or_flight(Utc::now())? {
                Ok(credentials) => Ok(credentials),
                Err(flight) => flight.land().await,
            }
        })
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Shared {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// Shows the client id of the credentials at hand.
impl fmt::Debug for RefreshingCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let credentials = state.held.as_ref().map(|held| &held.credentials);
        f.debug_struct("RefreshingCredentials")
            .field("credentials", &credentials)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::sync::Notify;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn times(expiry: Option<i64>, change: impl FnOnce(&mut Settings)) -> (i64, i64) {
        let mut settings =
            RefreshingCredentials::new(|| async { Err::<Credentials, _>("none") }).settings;
        change(&mut settings);
        let held = Held {
            credentials: Credentials::new("a", "b"),
            fetched: now(),
            expiry: expiry.map(|seconds| now() + TimeDelta::seconds(seconds)),
        };
        let (stale, end) = held.times(&settings);
        ((stale - now()).num_seconds(), (end - now()).num_seconds())
    }

    #[test]
    fn credentials_are_refreshed_before_their_end_but_not_before_half_their_time() {
        let seconds = Duration::from_secs;
        assert_eq!(times(Some(3600), |_| ()), (3300, 3600));
        assert_eq!(times(Some(60), |_| ()), (30, 60));
        assert_eq!(times(Some(-60), |_| ()), (0, 0));
        assert_eq!(times(None, |_| ()), (150, 300));
        assert_eq!(times(None, |settings| settings.refresh_before = seconds(60)), (240, 300));
        assert_eq!(times(Some(3600), |settings| settings.max_age = Some(seconds(600))), (300, 600));
        assert_eq!(times(Some(60), |settings| settings.max_age = Some(seconds(600))), (30, 60));
        let (_, end) = times(None, |settings| settings.max_age = Some(Duration::MAX));
        assert_eq!(end, (DateTime::<Utc>::MAX_UTC - now()).num_seconds());
    }

    #[test]
    fn after_a_failure_old_credentials_serve_until_they_expire() {
        let issuer = Credentials::new("a", "b");
        let expires = now() + TimeDelta::hours(1);
        let temporary = issuer.temporary(expires).start(now()).create().unwrap();
        let mut state = State::default();
        assert!(state.settle(Err("closed".into()), now()).is_err());
        assert_eq!(state.settle(Ok(temporary.clone()), now()).unwrap(), temporary);
        let later = expires - TimeDelta::seconds(1);
        assert_eq!(state.settle(Err("closed".into()), later).unwrap(), temporary);
        assert_eq!(state.not_before, Some(later + PAUSE));
        assert!(state.settle(Err("closed".into()), expires).is_err());
        // Permanent ones do not expire.
        state.settle(Ok(issuer.clone()), now()).unwrap();
        assert_eq!(state.settle(Err("closed".into()), expires).unwrap(), issuer);
    }

    #[tokio::test]
    async fn while_credentials_are_good_calls_do_not_wait_for_new_ones() {
        let (may_end, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let gate = (may_end.clone(), ended.clone());
        let credentials = RefreshingCredentials::new(move || {
            let (may_end, ended) = gate.clone();
            async move {
                may_end.notified().await;
                ended.notify_one();
                Ok::<_, Failure>(Credentials::new("new", "b"))
            }
        });
        let fetched = Utc::now() - TimeDelta::seconds(200);
        let old = Credentials::new("old", "b");
        let held = Held { credentials: old.clone(), fetched, expiry: None };
        credentials.state.lock().unwrap().held = Some(held);
        for _ in 0..3 {
            assert_eq!(credentials.credentials().now_or_never().unwrap().unwrap(), old);
        }
        let flight = credentials.state.lock().unwrap().flight.clone().unwrap();
        may_end.notify_one();
        ended.notified().await;
        assert_eq!(flight.land().await.unwrap().client_id(), "new");
        assert_eq!(credentials.credentials().await.unwrap().client_id(), "new");
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_next_call_tries_again() {
        let calls = Arc::new(Mutex::new(0));
        let credentials = RefreshingCredentials::new(move || {
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            *calls += 1;
            let first = *calls == 1;
            async move {
                assert!(!first, "a mistake of the program");
                Ok::<_, Failure>(Credentials::new("new", "b"))
            }
        });
        let error = credentials.credentials().await.unwrap_err();
        assert_eq!(error.to_string(), "the function that fetches credentials panicked");
        assert_eq!(credentials.credentials().await.unwrap().client_id(), "new");
    }
}
