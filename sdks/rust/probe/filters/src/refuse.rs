//! `refuse`: a configuration that the module does not accept.

use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilterConfig};

pub fn config<EHF: EnvoyHttpFilter>(_: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    None
}
