//! The wrapper that makes a filter fail closed when it panics. What that means is said with each kind of filter.

use crate::guard;
use std::cell::{Cell, RefCell};

/// A filter whose panics end its own stream or connection only. After a panic the filter is not called any more.
///
/// - HTTP: on the way of the request a panic answers 500, on the way of the response it resets the stream.
/// - Network: it closes the connection.
/// - Listener: it closes the socket.
///
/// The SDK wraps every filter in it. Modules can do it themselves too, as with the official SDK from 1.38 on.
///
/// In cells, for HTTP filters of 1.40 are called by a shared reference. What Envoy holds lets no callback into a running one.
pub struct CatchUnwind<F> {
    filter: RefCell<F>,
    failed: Cell<Option<Failed>>,
}

/// How a filter's stream or connection ends after its panic.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// With an answer that is on its way and must pass.
    Answered,
    /// By force: nothing more may pass.
    Ended,
}

impl<F> CatchUnwind<F> {
    /// Wraps a filter.
    pub fn new(filter: F) -> Self {
        Self { filter: RefCell::new(filter), failed: Cell::new(None) }
    }

    /// Whether the filter has panicked before, and how that ended.
    pub(crate) fn failed(&self) -> Option<Failed> {
        self.failed.get()
    }

    /// Calls the filter. If it panics, that is logged, the wrapper is marked with `failed`, and there is no result.
    pub(crate) fn catch<R>(&self, name: &str, failed: Failed, call: impl FnOnce(&mut F) -> R) -> Option<R> {
        let result = guard::run(name, || call(&mut self.filter.borrow_mut()));
        if result.is_none() {
            self.failed.set(Some(failed));
        }
        result
    }

    /// Tells the filter of something that it cannot answer; a filter that has panicked is not told.
    ///
    /// Returns whether it panicked just now.
    pub(crate) fn notify(&self, name: &str, call: impl FnOnce(&mut F)) -> bool {
        self.failed().is_none() && self.catch(name, Failed::Ended, call).is_none()
    }
}
