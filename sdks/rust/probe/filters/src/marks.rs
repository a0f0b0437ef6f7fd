//! `marks`: does what `transform` does, with any bytes as its configuration, and tells of its life.

use crate::http::{Filter, Of};
use crate::life::Life;
use crate::transform::Transform;
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBodyStatus,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_request_trailers_status as RequestTrailersStatus,
    envoy_dynamic_module_type_on_http_filter_response_body_status as ResponseBodyStatus,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_response_trailers_status as ResponseTrailersStatus,
};
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};

pub fn config<EHF: EnvoyHttpFilter>(config: &[u8]) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(Config { life: Life::begin("http_filter", "configuration", config) }))
}

struct Config {
    life: Life,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Config {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        let transform = Transform { text: format!("[{}]", self.life.config()).into() };
        Box::new(Of(Marks { transform, life: self.life.part("filter") }))
    }
}

struct Marks {
    transform: Transform,
    life: Life,
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for Marks {
    fn on_request_headers(&self, envoy: &mut EHF, end_of_stream: bool) -> RequestHeadersStatus {
        self.life.used();
        self.transform.on_request_headers(envoy, end_of_stream)
    }

    fn on_request_body(&self, envoy: &mut EHF, end_of_stream: bool) -> RequestBodyStatus {
        self.transform.on_request_body(envoy, end_of_stream)
    }

    fn on_request_trailers(&self, envoy: &mut EHF) -> RequestTrailersStatus {
        self.transform.on_request_trailers(envoy)
    }

    fn on_response_headers(&self, envoy: &mut EHF, end_of_stream: bool) -> ResponseHeadersStatus {
        self.transform.on_response_headers(envoy, end_of_stream)
    }

    fn on_response_body(&self, envoy: &mut EHF, end_of_stream: bool) -> ResponseBodyStatus {
        self.transform.on_response_body(envoy, end_of_stream)
    }

    fn on_response_trailers(&self, envoy: &mut EHF) -> ResponseTrailersStatus {
        self.transform.on_response_trailers(envoy)
    }
}
