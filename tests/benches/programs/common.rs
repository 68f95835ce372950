//! What the programs share: their arguments, and making many calls.

use std::future::Future;
use std::hint::black_box;

/// The task that is reported on, and whose group is listed.
pub(crate) const TASK_ID: &str = "fN1SbArXTPSVFNUvaOlinQ";

/// What a program is told to do: `<program> <what> <from> <times> <in flight>`.
pub(crate) struct Work {
    pub(crate) what: String,
    /// The root URL of the server, or a file.
    pub(crate) from: String,
    times: usize,
    in_flight: usize,
}

impl Work {
    /// Nothing if there are no such arguments: `cargo bench` runs the programs, too.
    pub(crate) fn from_args() -> Option<Self> {
        let mut args = std::env::args().skip(1);
        let what = args.next().filter(|what| !what.starts_with("--"))?;
        let from = args.next()?;
        let times = args.next()?.parse().ok()?;
        let in_flight = args.next().map_or(Some(1), |number| number.parse().ok())?;
        Some(Self { what, from, times, in_flight })
    }

    /// Does something again and again.
    pub(crate) fn again<T>(&self, f: impl Fn() -> T) {
        for _ in 0..self.times {
            black_box(f());
        }
    }

    /// Does something once, or not at all.
    pub(crate) fn once<F: Future>(&self, f: impl FnOnce() -> F) {
        if self.times > 0 {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            black_box(runtime.expect("a runtime").block_on(f()));
        }
    }

    /// Makes calls, as many at once as are to be in flight, all on this thread, and prints the peak of memory that they took.
    pub(crate) fn calls<F>(&self, call: impl Fn() -> F + Clone + Send + 'static)
    where
        F: Future<Output: Send> + Send,
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            if self.times > 0 {
                // Opens the connection, so that all that come share it if HTTP/2 is spoken.
                black_box(call().await);
            }
            let mut tasks = tokio::task::JoinSet::new();
            for nth in 0..self.in_flight {
                let (call, times) = (call.clone(), (self.times + nth) / self.in_flight);
                tasks.spawn(async move {
                    for _ in 0..times {
                        black_box(call().await);
                    }
                });
            }
            while let Some(ended) = tasks.join_next().await {
                ended.expect("calls that succeed");
            }
        });
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        println!("{}", peak.unwrap_or_default().trim());
    }
}
