//! What Envoy holds for a configuration of a type that the module names: a box.

use crate::abi::envoy_dynamic_module_type_envoy_buffer as RawBuffer;
use crate::buffer::EnvoyBuffer;
use crate::guard;
use std::ffi::c_void;

/// Has the module's code make a configuration of its name and bytes, guarded; null where it refuses or panics.
///
/// # Safety
/// `name` and `config` are valid during the call.
pub(crate) unsafe fn new<C>(
    what: &str,
    name: RawBuffer,
    config: RawBuffer,
    make: impl FnOnce(&str, &[u8]) -> Option<C>,
) -> *const c_void {
    // SAFETY: the caller's promise.
    let (name, config) = unsafe { (EnvoyBuffer::from_raw(name), EnvoyBuffer::from_raw(config)) };
    let made = guard::run(what, || make(&String::from_utf8_lossy(name.as_slice()), config.as_slice()));
    made.flatten().map_or(std::ptr::null(), |made| Box::into_raw(Box::new(made)).cast_const().cast())
}

/// Drops a configuration, guarded.
///
/// # Safety
/// `config` is what [`new`] returned for this very type, and used no more.
pub(crate) unsafe fn destroy<C>(config: *const c_void) {
    // SAFETY: the caller's promise.
    let config = unsafe { Box::from_raw(config.cast::<C>().cast_mut()) };
    let _ = guard::run("drop of the configuration", || drop(config));
}
