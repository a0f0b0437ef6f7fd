//! Threads that leave nothing behind on the thread that starts them.
//!
//! `std::thread::spawn` leaves thread-local state there, for which glibc keeps the library loaded until that thread ends: a module
//! that calls it on the host's main thread is never unloaded.

use std::ffi::{c_int, c_ulong, c_void};

extern "C" {
    fn pthread_create(
        thread: *mut c_ulong,
        attributes: *const c_void,
        start: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> c_int;
    fn pthread_join(thread: c_ulong, result: *mut *mut c_void) -> c_int;
}

type Action = Box<dyn FnOnce() + Send>;

/// A thread that runs; it is waited for when this is dropped.
pub struct Thread(c_ulong);

/// Starts a thread; `None` where there can be no more.
pub fn start(action: impl FnOnce() + Send + 'static) -> Option<Thread> {
    let argument = Box::into_raw(Box::<Action>::new(Box::new(action)));
    let mut thread = 0;
    // SAFETY: `run` is given the argument, which it takes over.
    if unsafe { pthread_create(&mut thread, std::ptr::null(), run, argument.cast()) } == 0 {
        return Some(Thread(thread));
    }
    // SAFETY: no thread has taken it over.
    drop(unsafe { Box::from_raw(argument) });
    None
}

extern "C" fn run(argument: *mut c_void) -> *mut c_void {
    // SAFETY: what `start` gives, once.
    let action = unsafe { Box::from_raw(argument.cast::<Action>()) };
    // A panic is the action's own affair, and may not leave it.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(action));
    std::ptr::null_mut()
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: it was started, and is waited for once.
        unsafe { pthread_join(self.0, std::ptr::null_mut()) };
    }
}
