//! `filter_state`: sets filter state, and says in response headers what it then reads.

use crate::http::{Filter, Of};
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeadersStatus,
};
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};
use std::sync::Arc;

const KEY: &[u8] = b"dmconform.state";

pub fn config<EHF: EnvoyHttpFilter>(config: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(FilterState { text: config.into() }))
}

#[derive(Clone)]
struct FilterState {
    text: Arc<str>,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for FilterState {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(self.clone()))
    }
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for FilterState {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> RequestHeadersStatus {
        envoy.set_filter_state_bytes(KEY, self.text.as_bytes());
        RequestHeadersStatus::Continue
    }

    fn on_response_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> ResponseHeadersStatus {
        let state = envoy.get_filter_state_bytes(KEY).map_or(b"-".to_vec(), |state| state.as_slice().to_vec());
        envoy.set_response_header("x-dmconform-state", &state);
        ResponseHeadersStatus::Continue
    }
}
