//! The module's entry point, and what it sets up.

use crate::envoy::{EnvoyHttpFilterConfigImpl, EnvoyHttpFilterImpl};
use crate::{abi, guard, HttpFilterConfig};
use std::ffi::c_char;
use std::sync::OnceLock;

/// Called once when the module is loaded; `false` refuses to load it.
pub type ProgramInitFunction = fn() -> bool;

/// Called for each filter configuration with the filter's name and its configuration; `None` refuses it.
pub type NewHttpFilterConfigFunction<EC, EHF> =
    fn(envoy_filter_config: &mut EC, name: &str, config: &[u8]) -> Option<Box<dyn HttpFilterConfig<EHF>>>;

/// What [`declare_init_functions`](crate::declare_init_functions) was given.
pub static NEW_HTTP_FILTER_CONFIG_FUNCTION: OnceLock<
    NewHttpFilterConfigFunction<EnvoyHttpFilterConfigImpl, EnvoyHttpFilterImpl>,
> = OnceLock::new();

/// What `envoy_dynamic_module_on_program_init` does: the ABI version, or null if the module refuses.
#[doc(hidden)]
pub fn initialise(
    program_init: ProgramInitFunction,
    new_config: NewHttpFilterConfigFunction<EnvoyHttpFilterConfigImpl, EnvoyHttpFilterImpl>,
) -> *const c_char {
    NEW_HTTP_FILTER_CONFIG_FUNCTION.get_or_init(|| new_config);
    match guard::run("program_init", program_init) {
        Some(true) => abi::envoy_dynamic_modules_abi_version.as_ptr().cast(),
        Some(false) | None => std::ptr::null(),
    }
}

/// Defines the module's entry point: a [`ProgramInitFunction`] and a [`NewHttpFilterConfigFunction`].
#[macro_export]
macro_rules! declare_init_functions {
    ($program_init:ident, $new_http_filter_config:expr) => {
        /// Called by Envoy when it has loaded the module.
        #[no_mangle]
        pub extern "C" fn envoy_dynamic_module_on_program_init() -> *const ::std::ffi::c_char {
            $crate::initialise($program_init, $new_http_filter_config)
        }
    };
}
