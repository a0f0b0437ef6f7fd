//! What Envoy holds for a filter.
//!
//! While a filter calls Envoy, Envoy can call back into it, so it is in a cell; and Envoy can destroy it, so each callback
//! holds it as well.

use crate::guard;
use std::cell::RefCell;
use std::ffi::c_void;
use std::rc::Rc;

/// Hands a filter over to Envoy: what is returned is for [`call`] and, once, for [`destroy`].
pub(crate) fn hold<F>(filter: F) -> *const c_void {
    Rc::into_raw(Rc::new(RefCell::new(filter))).cast()
}

/// Calls a filter; `otherwise` is the answer while the filter is busy, or where its making has failed.
///
/// # Safety
/// `filter` is null, or what [`hold`] returned for a filter of this very type that Envoy has not destroyed.
pub(crate) unsafe fn call<F, R>(filter: *const c_void, otherwise: R, action: impl FnOnce(&mut F) -> R) -> R {
    if filter.is_null() {
        return otherwise;
    }
    let filter = filter.cast::<RefCell<F>>();
    // SAFETY: the caller's promise; the count grows before a second owner is made.
    let filter = unsafe {
        Rc::increment_strong_count(filter);
        Rc::from_raw(filter)
    };
    let answer = match filter.try_borrow_mut() {
        Ok(mut filter) => action(&mut filter),
        Err(_) => otherwise,
    };
    release(filter);
    answer
}

/// Takes a filter back from Envoy; it is dropped now, or when its running callback returns.
///
/// # Safety
/// As for [`call`]; Envoy uses it no more.
pub(crate) unsafe fn destroy<F>(filter: *const c_void) {
    if !filter.is_null() {
        // SAFETY: the caller's promise.
        release(unsafe { Rc::from_raw(filter.cast::<RefCell<F>>()) });
    }
}

/// Gives up a hold on a filter; the last one drops it.
fn release<F>(filter: Rc<RefCell<F>>) {
    let _ = guard::run("drop of the filter", || drop(filter));
}
