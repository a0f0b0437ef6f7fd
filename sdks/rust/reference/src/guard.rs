//! Stops panics before they reach Envoy, where they would be undefined behaviour or end the process.

use crate::abi::envoy_dynamic_module_type_log_level as LogLevel;
use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Runs `action`; a panic in it is logged under `name`, and gives `None`.
///
/// What `action` has borrowed may be left half changed: the caller must not go on using it.
pub(crate) fn run<R>(name: &str, action: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(action)) {
        Ok(result) => Some(result),
        Err(payload) => {
            crate::log::write(LogLevel::Error, format_args!("{name} panicked: {}", text(payload.as_ref())));
            discard(payload);
            None
        }
    }
}

/// What `panic!` was given, where that is text.
fn text(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else {
        "(a payload that is no text)"
    }
}

/// Drops the payload; its destructor may panic as well, and then it is left where it is.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
}
