//! A boxed HTTP filter is one too, so that the SDK can wrap what a module's configuration made.

use super::{EnvoyHttpFilter, HttpFilter};
use crate::abi;
use crate::buffer::EnvoyBuffer;

macro_rules! boxed {
    ($self:ident, $($receiver:tt)+) => {
        impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Box<dyn HttpFilter<EHF>> {
            fn on_request_headers(
                $($receiver)+,
                envoy_filter: &mut EHF,
                end_of_stream: bool,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
                (**$self).on_request_headers(envoy_filter, end_of_stream)
            }

            fn on_request_body(
                $($receiver)+,
                envoy_filter: &mut EHF,
                end_of_stream: bool,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_request_body_status {
                (**$self).on_request_body(envoy_filter, end_of_stream)
            }

            fn on_request_trailers(
                $($receiver)+,
                envoy_filter: &mut EHF,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status {
                (**$self).on_request_trailers(envoy_filter)
            }

            fn on_response_headers(
                $($receiver)+,
                envoy_filter: &mut EHF,
                end_of_stream: bool,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_response_headers_status {
                (**$self).on_response_headers(envoy_filter, end_of_stream)
            }

            fn on_response_body(
                $($receiver)+,
                envoy_filter: &mut EHF,
                end_of_stream: bool,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_response_body_status {
                (**$self).on_response_body(envoy_filter, end_of_stream)
            }

            fn on_response_trailers(
                $($receiver)+,
                envoy_filter: &mut EHF,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status {
                (**$self).on_response_trailers(envoy_filter)
            }

            fn on_stream_complete($($receiver)+, envoy_filter: &mut EHF) {
                (**$self).on_stream_complete(envoy_filter);
            }

            fn on_http_callout_done(
                $($receiver)+,
                envoy_filter: &mut EHF,
                callout_id: u64,
                result: abi::envoy_dynamic_module_type_http_callout_result,
                response_headers: Option<&[(EnvoyBuffer, EnvoyBuffer)]>,
                response_body: Option<&[EnvoyBuffer]>,
            ) {
                (**$self).on_http_callout_done(envoy_filter, callout_id, result, response_headers, response_body);
            }

            fn on_scheduled($($receiver)+, envoy_filter: &mut EHF, event_id: u64) {
                (**$self).on_scheduled(envoy_filter, event_id);
            }
        }
    };
}

#[cfg(not(feature = "shared-self"))]
boxed!(self, &mut self);
#[cfg(feature = "shared-self")]
boxed!(self, &self);
