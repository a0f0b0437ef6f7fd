//! `transform`: changes headers and bodies in both directions, so that a client sees that each callback ran.

use crate::http::{Filter, Of};
use crate::body::{Body, Request, Response};
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBodyStatus,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_request_trailers_status as RequestTrailersStatus,
    envoy_dynamic_module_type_on_http_filter_response_body_status as ResponseBodyStatus,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_response_trailers_status as ResponseTrailersStatus,
};
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};
use std::sync::Arc;

const REQUEST_PREFIX: &str = "req[";
const RESPONSE_PREFIX: &str = "res[";

pub fn config<EHF: EnvoyHttpFilter>(config: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(Transform { text: config.into() }))
}

#[derive(Clone)]
pub struct Transform {
    pub text: Arc<str>,
}

impl Transform {
    /// `LANG T`, T being the configuration.
    fn signature(&self) -> String {
        format!("{LANG} {}", self.text)
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Transform {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(self.clone()))
    }
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for Transform {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> RequestHeadersStatus {
        let mut value = self.signature().into_bytes();
        value.push(b' ');
        match envoy.get_request_header_value("x-dmconform-in") {
            Some(sent) if !sent.as_slice().is_empty() => value.extend_from_slice(sent.as_slice()),
            _ => value.push(b'-'),
        }
        envoy.set_request_header("x-dmconform-request", &value);
        envoy.remove_request_header("content-length");
        RequestHeadersStatus::Continue
    }

    fn on_request_body(&self, envoy: &mut EHF, end_of_stream: bool) -> RequestBodyStatus {
        if !end_of_stream {
            return RequestBodyStatus::StopIterationAndBuffer;
        }
        Request::bracket_at_end(envoy, REQUEST_PREFIX);
        RequestBodyStatus::Continue
    }

    fn on_request_trailers(&self, envoy: &mut EHF) -> RequestTrailersStatus {
        Request::bracket_at_trailers(envoy, REQUEST_PREFIX);
        envoy.set_request_trailer("x-dmconform-request-trailer", self.signature().as_bytes());
        RequestTrailersStatus::Continue
    }

    fn on_response_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> ResponseHeadersStatus {
        envoy.set_response_header("x-dmconform-response", self.signature().as_bytes());
        envoy.remove_response_header("content-length");
        ResponseHeadersStatus::Continue
    }

    fn on_response_body(&self, envoy: &mut EHF, end_of_stream: bool) -> ResponseBodyStatus {
        if !end_of_stream {
            return ResponseBodyStatus::StopIterationAndBuffer;
        }
        Response::bracket_at_end(envoy, RESPONSE_PREFIX);
        ResponseBodyStatus::Continue
    }

    fn on_response_trailers(&self, envoy: &mut EHF) -> ResponseTrailersStatus {
        Response::bracket_at_trailers(envoy, RESPONSE_PREFIX);
        envoy.set_response_trailer("x-dmconform-response-trailer", self.signature().as_bytes());
        ResponseTrailersStatus::Continue
    }
}
