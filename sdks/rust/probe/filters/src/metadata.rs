//! `metadata`: sets dynamic metadata, and says in response headers what it then reads.

use crate::http::{Filter, Of};
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_metadata_source as Source,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeadersStatus,
};
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};
use std::sync::Arc;

const NAMESPACE: &str = "dmconform";

pub fn config<EHF: EnvoyHttpFilter>(config: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(Metadata { text: config.into() }))
}

#[derive(Clone)]
struct Metadata {
    text: Arc<str>,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Metadata {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(self.clone()))
    }
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for Metadata {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> RequestHeadersStatus {
        envoy.set_dynamic_metadata_string(NAMESPACE, "text", &self.text);
        envoy.set_dynamic_metadata_number(NAMESPACE, "number", 7.0);
        RequestHeadersStatus::Continue
    }

    fn on_response_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> ResponseHeadersStatus {
        let text = envoy.get_metadata_string(Source::Dynamic, NAMESPACE, "text");
        let number = envoy.get_metadata_number(Source::Dynamic, NAMESPACE, "number");
        let number = number.map_or("-".to_owned(), |number| number.to_string());
        let value = [text.as_ref().map_or(b"-".as_slice(), |text| text.as_slice()), b" ", number.as_bytes()].concat();
        envoy.set_response_header("x-dmconform-metadata", &value);
        ResponseHeadersStatus::Continue
    }
}
