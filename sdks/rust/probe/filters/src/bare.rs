//! `bare`: an HTTP filter that implements nothing.

use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};

pub fn config<EHF: EnvoyHttpFilter>() -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(Bare))
}

struct Bare;

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Bare {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Self)
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Bare {}
