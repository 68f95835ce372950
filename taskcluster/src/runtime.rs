//! This crate's own async runtime, for blocking calls.

use std::future::{Future, pending};
use std::sync::OnceLock;
use std::thread;

use tokio::runtime::{Builder, Handle};

use crate::error::{Error, Result};

/// Runs a future to completion on this crate's own runtime.
///
/// The program has one such runtime. It is never dropped, and one thread drives it: connections belong to the runtime
/// that opened them, and other threads and the async parts of the program keep using them.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output> {
    if Handle::try_current().is_ok() {
        return Err(Error::blocking(
            "a blocking call inside an async runtime would stall other tasks: `await` the call, \
             or pass it to `Handle::current().block_on` inside `spawn_blocking`",
        ));
    }
    Ok(handle()?.block_on(future))
}

/// This crate's own runtime, started on first use.
pub(crate) fn handle() -> Result<&'static Handle> {
    static RUNTIME: OnceLock<Handle> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let failed = |error| Error::blocking("cannot start a runtime").because(error);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("taskcluster".to_owned())
        .spawn(move || runtime.block_on(pending::<()>()))
        .map_err(failed)?;
    // If another thread was faster, this runtime stays idle.
    Ok(RUNTIME.get_or_init(|| handle))
}
