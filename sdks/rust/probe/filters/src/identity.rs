//! `identity`: says in response headers which library this is, and how often it has been here.

use crate::http::{Filter, Of};
use crate::library::{file_name_of, find_globally, this_library};
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_http_filter_response_headers_status as HeadersStatus;
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};
use std::sync::atomic::{AtomicU64, Ordering};

/// The responses handled since the library was loaded, over all configurations and threads.
static RESPONSES: AtomicU64 = AtomicU64::new(0);

/// How many there have been so far.
pub fn responses() -> u64 {
    RESPONSES.load(Ordering::Relaxed)
}

pub fn config<EHF: EnvoyHttpFilter>(_: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(Identity))
}

struct Identity;

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Identity {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(Identity))
    }
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for Identity {
    fn on_response_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> HeadersStatus {
        let global = find_globally(c"dmconform_marker").and_then(file_name_of);
        let count = RESPONSES.fetch_add(1, Ordering::Relaxed) + 1;

        let or_none = |name: Option<String>| name.unwrap_or_else(|| "none".to_owned());
        envoy.set_response_header("x-dmconform-module", or_none(this_library()).as_bytes());
        envoy.set_response_header("x-dmconform-count", count.to_string().as_bytes());
        envoy.set_response_header("x-dmconform-global", or_none(global).as_bytes());
        HeadersStatus::Continue
    }
}
