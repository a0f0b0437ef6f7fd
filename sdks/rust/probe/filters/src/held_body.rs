//! `held_body`: holds the body of a request back until it is whole.

use crate::http::{Filter, Of};
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_http_filter_request_body_status as BodyStatus;
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};

pub fn config<EHF: EnvoyHttpFilter>() -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(HeldBody))
}

struct HeldBody;

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for HeldBody {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(Self))
    }
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for HeldBody {
    fn on_request_body(&self, _envoy: &mut EHF, end_of_stream: bool) -> BodyStatus {
        if end_of_stream {
            BodyStatus::Continue
        } else {
            BodyStatus::StopIterationAndBuffer
        }
    }
}
