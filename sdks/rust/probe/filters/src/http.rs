//! What an HTTP filter of this probe implements, and how it becomes one of the SDK's.
//!
//! The SDK's trait has `&mut self` up to 1.39 and `&self` since; filters here have `&self`, and cells for what they change.

use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_http_callout_result as CalloutResult,
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBodyStatus,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_request_trailers_status as RequestTrailersStatus,
    envoy_dynamic_module_type_on_http_filter_response_body_status as ResponseBodyStatus,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_response_trailers_status as ResponseTrailersStatus,
};
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyBuffer, EnvoyHttpFilter, HttpFilter};

/// The filter of one stream; by default the stream passes unchanged.
pub trait Filter<EHF: EnvoyHttpFilter> {
    fn on_request_headers(&self, _envoy: &mut EHF, _end_of_stream: bool) -> RequestHeadersStatus {
        RequestHeadersStatus::Continue
    }

    fn on_request_body(&self, _envoy: &mut EHF, _end_of_stream: bool) -> RequestBodyStatus {
        RequestBodyStatus::Continue
    }

    fn on_request_trailers(&self, _envoy: &mut EHF) -> RequestTrailersStatus {
        RequestTrailersStatus::Continue
    }

    fn on_response_headers(&self, _envoy: &mut EHF, _end_of_stream: bool) -> ResponseHeadersStatus {
        ResponseHeadersStatus::Continue
    }

    fn on_response_body(&self, _envoy: &mut EHF, _end_of_stream: bool) -> ResponseBodyStatus {
        ResponseBodyStatus::Continue
    }

    fn on_response_trailers(&self, _envoy: &mut EHF) -> ResponseTrailersStatus {
        ResponseTrailersStatus::Continue
    }

    fn on_stream_complete(&self, _envoy: &mut EHF) {}

    fn on_http_callout_done(
        &self,
        _envoy: &mut EHF,
        _callout_id: u64,
        _result: CalloutResult,
        _headers: Option<&[(EnvoyBuffer, EnvoyBuffer)]>,
        _body: Option<&[EnvoyBuffer]>,
    ) {
    }

    fn on_scheduled(&self, _envoy: &mut EHF, _event_id: u64) {}
}

/// A filter as the SDK takes it.
pub struct Of<F>(pub F);

macro_rules! filter_of_the_sdk {
    ($self:ident, $($receiver:tt)+) => {
        impl<EHF: EnvoyHttpFilter, F: Filter<EHF>> HttpFilter<EHF> for Of<F> {
            fn on_request_headers($($receiver)+, envoy: &mut EHF, end_of_stream: bool) -> RequestHeadersStatus {
                $self.0.on_request_headers(envoy, end_of_stream)
            }

            fn on_request_body($($receiver)+, envoy: &mut EHF, end_of_stream: bool) -> RequestBodyStatus {
                $self.0.on_request_body(envoy, end_of_stream)
            }

            fn on_request_trailers($($receiver)+, envoy: &mut EHF) -> RequestTrailersStatus {
                $self.0.on_request_trailers(envoy)
            }

            fn on_response_headers($($receiver)+, envoy: &mut EHF, end_of_stream: bool) -> ResponseHeadersStatus {
                $self.0.on_response_headers(envoy, end_of_stream)
            }

            fn on_response_body($($receiver)+, envoy: &mut EHF, end_of_stream: bool) -> ResponseBodyStatus {
                $self.0.on_response_body(envoy, end_of_stream)
            }

            fn on_response_trailers($($receiver)+, envoy: &mut EHF) -> ResponseTrailersStatus {
                $self.0.on_response_trailers(envoy)
            }

            fn on_stream_complete($($receiver)+, envoy: &mut EHF) {
                $self.0.on_stream_complete(envoy);
            }

            fn on_http_callout_done(
                $($receiver)+,
                envoy: &mut EHF,
                callout_id: u64,
                result: CalloutResult,
                headers: Option<&[(EnvoyBuffer, EnvoyBuffer)]>,
                body: Option<&[EnvoyBuffer]>,
            ) {
                $self.0.on_http_callout_done(envoy, callout_id, result, headers, body);
            }

            fn on_scheduled($($receiver)+, envoy: &mut EHF, event_id: u64) {
                $self.0.on_scheduled(envoy, event_id);
            }
        }
    };
}

#[cfg(not(feature = "shared-self"))]
filter_of_the_sdk!(self, &mut self);
#[cfg(feature = "shared-self")]
filter_of_the_sdk!(self, &self);
