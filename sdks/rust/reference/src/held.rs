//! What Envoy holds for a filter.
//!
//! While a filter calls Envoy, Envoy can call back into it, so it is in a cell; and Envoy can destroy it, so each callback
//! holds it as well. What Envoy tells a filter meanwhile waits until the filter returns.

use crate::guard;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::rc::Rc;

/// A filter, and what it is to be told when it returns from its running callback.
struct Held<F> {
    filter: RefCell<F>,
    late: RefCell<VecDeque<Notification<F>>>,
}

type Notification<F> = Box<dyn FnOnce(&mut F)>;

/// Hands a filter over to Envoy: what is returned is for [`call`], [`notify`] and, once, for [`destroy`].
pub(crate) fn hold<F>(filter: F) -> *const c_void {
    Rc::into_raw(Rc::new(Held { filter: RefCell::new(filter), late: RefCell::default() })).cast()
}

/// Calls a filter; `otherwise` is the answer while the filter is busy, or where its making has failed.
///
/// # Safety
/// `filter` is null, or what [`hold`] returned for a filter of this very type that Envoy has not destroyed.
pub(crate) unsafe fn call<F, R>(filter: *const c_void, otherwise: R, action: impl FnOnce(&mut F) -> R) -> R {
    if filter.is_null() {
        return otherwise;
    }
    // SAFETY: the caller's promise.
    let held = unsafe { another_owner::<F>(filter) };
    let answer = match held.filter.try_borrow_mut() {
        Ok(mut filter) => {
            let answer = action(&mut filter);
            held.tell_late(&mut filter);
            answer
        }
        Err(_) => otherwise,
    };
    release(held);
    answer
}

/// Tells a filter of something that it cannot answer: now, or when it returns from its running callback.
///
/// # Safety
/// As for [`call`]. `notification` must be right to run as long as that callback runs.
pub(crate) unsafe fn notify<F>(filter: *const c_void, notification: impl FnOnce(&mut F) + 'static) {
    if filter.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    let held = unsafe { another_owner::<F>(filter) };
    held.late.borrow_mut().push_back(Box::new(notification));
    if let Ok(mut filter) = held.filter.try_borrow_mut() {
        held.tell_late(&mut filter);
    }
    release(held);
}

impl<F> Held<F> {
    /// Tells the filter what has waited. What comes meanwhile is told as well.
    fn tell_late(&self, filter: &mut F) {
        while let Some(notification) = self.next() {
            notification(filter);
        }
    }

    /// Takes what has waited longest. The queue is free again when this returns, for a notification may lead to others.
    fn next(&self) -> Option<Notification<F>> {
        self.late.borrow_mut().pop_front()
    }
}

/// One more owner of a filter.
///
/// # Safety
/// `filter` is what [`hold`] returned for a filter of this very type that Envoy has not destroyed.
unsafe fn another_owner<F>(filter: *const c_void) -> Rc<Held<F>> {
    let filter = filter.cast::<Held<F>>();
    // SAFETY: the caller's promise; the count grows before a second owner is made.
    unsafe {
        Rc::increment_strong_count(filter);
        Rc::from_raw(filter)
    }
}

/// Takes a filter back from Envoy; it is dropped now, or when its running callback returns.
///
/// # Safety
/// As for [`call`]; Envoy uses it no more.
pub(crate) unsafe fn destroy<F>(filter: *const c_void) {
    if !filter.is_null() {
        // SAFETY: the caller's promise.
        release(unsafe { Rc::from_raw(filter.cast::<Held<F>>()) });
    }
}

/// Gives up a hold on a filter; the last one drops it.
fn release<F>(filter: Rc<Held<F>>) {
    let _ = guard::run("drop of the filter", || drop(filter));
}
