//! This crate's own async runtime, for blocking calls.

use std::future::{Future, pending};
use std::sync::{Mutex, PoisonError};
use std::{process, thread};

use tokio::runtime::{Builder, Handle};

use crate::error::{Error, Result};

/// Runs a future to completion on this crate's own runtime.
///
/// A process has one such runtime. It is never dropped, and one thread drives it: connections belong to the runtime that
/// opened them, and other threads and later calls keep using them.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output> {
    if Handle::try_current().is_ok() {
        return Err(Error::blocking(
            "a blocking call inside an async runtime would stall other tasks: `await` the call, \
             or pass it to `Handle::current().block_on` inside `spawn_blocking`",
        ));
    }
    Ok(handle()?.block_on(future))
}

/// Returns this crate's own runtime, started on first use.
pub(crate) fn handle() -> Result<Handle> {
    static RUNTIME: Mutex<Option<(u32, Handle)>> = Mutex::new(None);
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    match &*runtime {
        // After a fork, the thread that drives the parent's runtime does not exist in the child.
        Some((process, handle)) if *process == process::id() => Ok(handle.clone()),
        _ => {
            let handle = start()?;
            *runtime = Some((process::id(), handle.clone()));
            Ok(handle)
        }
    }
}

fn start() -> Result<Handle> {
    let failed = |error| Error::blocking("cannot start a runtime").because(error);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("taskcluster".to_owned())
        .spawn(move || runtime.block_on(pending::<()>()))
        .map_err(failed)?;
    Ok(handle)
}
