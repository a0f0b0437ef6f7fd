//! A library that is no module: it has the marker, but no `envoy_dynamic_module_on_program_init`.

use std::ffi::c_char;

/// Tells the harness which language's probe a library is.
#[no_mangle]
pub extern "C" fn dmconform_marker() -> *const c_char {
    c"rust".as_ptr()
}
