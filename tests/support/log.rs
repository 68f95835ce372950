//! What this crate logs.

use std::sync::{Arc, Mutex, Once};

use tracing::Subscriber;
use tracing::subscriber::{self, DefaultGuard};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

/// Makes a subscriber that of this thread.
///
/// While there is only one subscriber, `tracing` asks just that of the current thread whether anybody wants an event that comes
/// for the first time, and keeps the answer for all threads: another test would silence the event. So there is always another
/// one, which wants nothing.
pub(crate) fn subscribe(subscriber: impl Subscriber + Send + Sync) -> DefaultGuard {
    static OTHER: Once = Once::new();
    OTHER.call_once(|| {
        let other = tracing_subscriber::registry().with(LevelFilter::OFF);
        subscriber::set_global_default(other).unwrap();
    });
    subscriber::set_default(subscriber)
}

/// What was logged at debug level by this crate in this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn install(&self) -> DefaultGuard {
        let log = self.clone();
        subscribe(
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::DEBUG)
                .with_ansi(false)
                .with_writer(move || log.clone())
                .finish(),
        )
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
