//! `empty_value`: sets headers to an empty value.

use crate::http::{Filter, Of};
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeadersStatus,
};
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};

pub fn config<EHF: EnvoyHttpFilter>() -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(EmptyValue))
}

struct EmptyValue;

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for EmptyValue {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(Self))
    }
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for EmptyValue {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> RequestHeadersStatus {
        envoy.set_request_header("x-dmconform-empty", b"");
        RequestHeadersStatus::Continue
    }

    fn on_response_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> ResponseHeadersStatus {
        envoy.set_response_header("x-dmconform-empty", b"");
        ResponseHeadersStatus::Continue
    }
}
