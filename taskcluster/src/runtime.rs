//! This crate's own runtime, for calls from programs without one.

use std::future::{Future, pending};
use std::sync::OnceLock;
use std::thread;

use tokio::runtime::{Builder, Handle};

use crate::error::{Error, Result};

/// Runs a future to its end on this crate's own runtime.
///
/// There is one for the whole program, never dropped, and a thread that drives it: connections belong to the runtime
/// that they were made on, and go on to be used by other threads and by asynchronous parts of the program.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output> {
    if Handle::try_current().is_ok() {
        return Err(Error::blocking(
            "a blocking call inside an asynchronous runtime would stop other tasks: `await` it, \
             or in a task for blocking work give it to `Handle::current().block_on`",
        ));
    }
    Ok(handle()?.block_on(future))
}

/// This crate's own runtime, started when it is first needed.
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
    // Another thread may have been faster; then this runtime idles.
    Ok(RUNTIME.get_or_init(|| handle))
}
