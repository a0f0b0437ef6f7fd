//! The module's entry point, and what it sets up.

use crate::{abi, guard};
use std::ffi::c_char;

/// Called once when the module is loaded; `false` refuses to load it.
pub type ProgramInitFunction = fn() -> bool;

/// What `envoy_dynamic_module_on_program_init` does: the ABI version, or null if the module refuses.
#[doc(hidden)]
pub fn initialise(program_init: ProgramInitFunction) -> *const c_char {
    match guard::run("program_init", program_init) {
        Some(true) => abi::envoy_dynamic_modules_abi_version.as_ptr().cast(),
        Some(false) | None => std::ptr::null(),
    }
}

/// Defines the entry point of a module of HTTP filters: a [`ProgramInitFunction`], a
/// [`NewHttpFilterConfigFunction`](crate::NewHttpFilterConfigFunction) and, where routes can have configurations, a
/// [`NewHttpFilterPerRouteConfigFunction`](crate::NewHttpFilterPerRouteConfigFunction).
#[macro_export]
macro_rules! declare_init_functions {
    ($program_init:ident, $new_http_filter_config:expr $(, $new_per_route_config:expr)?) => {
        /// Called by Envoy when it has loaded the module.
        #[no_mangle]
        pub extern "C" fn envoy_dynamic_module_on_program_init() -> *const ::std::ffi::c_char {
            $crate::NEW_HTTP_FILTER_CONFIG_FUNCTION.get_or_init(|| $new_http_filter_config);
            $($crate::NEW_HTTP_FILTER_PER_ROUTE_CONFIG_FUNCTION.get_or_init(|| $new_per_route_config);)?
            $crate::initialise($program_init)
        }
    };
}
