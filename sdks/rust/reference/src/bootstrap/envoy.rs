//! What a module can ask of Envoy in a bootstrap extension.

use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_stats_iteration_action as Action,
};
use crate::buffer::{module_buffer, EnvoyBuffer};
use crate::guard;
use std::ffi::c_void;

/// Envoy's side of an extension.
pub trait EnvoyBootstrapExtension {
    /// The value of a counter.
    fn get_counter_value(&self, name: &str) -> Option<u64>;
    /// The value of a gauge.
    fn get_gauge_value(&self, name: &str) -> Option<u64>;
    /// Calls `callback` with the name and the value of each counter, as long as it returns true.
    fn iterate_counters(&self, callback: &mut dyn FnMut(&str, u64) -> bool);
    /// The same for gauges.
    fn iterate_gauges(&self, callback: &mut dyn FnMut(&str, u64) -> bool);
}

/// Envoy's side of an extension; exists only while a callback runs.
pub(super) struct EnvoyExtension(pub(super) abi::envoy_dynamic_module_type_bootstrap_extension_envoy_ptr);

/// What the host hands back for each counter or gauge.
struct Iteration<'a> {
    callback: &'a mut dyn FnMut(&str, u64) -> bool,
    stopped: bool,
}

impl EnvoyBootstrapExtension for EnvoyExtension {
    fn get_counter_value(&self, name: &str) -> Option<u64> {
        let (name, mut value) = (module_buffer(name.as_bytes()), 0);
        // SAFETY: what Envoy passed to the callback that is running, so it is alive.
        unsafe {
            abi::envoy_dynamic_module_callback_bootstrap_extension_get_counter_value(self.0, name, &mut value)
                .then_some(value)
        }
    }

    fn get_gauge_value(&self, name: &str) -> Option<u64> {
        let (name, mut value) = (module_buffer(name.as_bytes()), 0);
        // SAFETY: what Envoy passed to the callback that is running, so it is alive.
        unsafe {
            abi::envoy_dynamic_module_callback_bootstrap_extension_get_gauge_value(self.0, name, &mut value)
                .then_some(value)
        }
    }

    fn iterate_counters(&self, callback: &mut dyn FnMut(&str, u64) -> bool) {
        let mut iteration = Iteration { callback, stopped: false };
        // SAFETY: what Envoy passed to the callback that is running, so it is alive; `iteration` outlives the call.
        unsafe {
            abi::envoy_dynamic_module_callback_bootstrap_extension_iterate_counters(
                self.0,
                Some(visit),
                (&raw mut iteration).cast(),
            );
        }
    }

    fn iterate_gauges(&self, callback: &mut dyn FnMut(&str, u64) -> bool) {
        let mut iteration = Iteration { callback, stopped: false };
        // SAFETY: what Envoy passed to the callback that is running, so it is alive; `iteration` outlives the call.
        unsafe {
            abi::envoy_dynamic_module_callback_bootstrap_extension_iterate_gauges(
                self.0,
                Some(visit),
                (&raw mut iteration).cast(),
            );
        }
    }
}

/// Called by Envoy for each counter or gauge. Envoy's frames are below: a panic must not pass them, so it ends the iteration here.
///
/// # Safety
/// `name` is valid during the call, and `iteration` is what `iterate_counters` or `iterate_gauges` passed.
unsafe extern "C" fn visit(name: RawBuffer, value: u64, iteration: *mut c_void) -> Action {
    // SAFETY: Envoy's promise, see above.
    let (name, iteration) = unsafe { (EnvoyBuffer::from_raw(name), &mut *iteration.cast::<Iteration<'_>>()) };
    if !iteration.stopped {
        let name = String::from_utf8_lossy(name.as_slice());
        let goes_on = guard::run("iteration", || (iteration.callback)(&name, value));
        iteration.stopped = goes_on != Some(true);
    }
    if iteration.stopped {
        Action::Stop
    } else {
        Action::Continue
    }
}
