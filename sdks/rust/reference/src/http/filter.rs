//! What a module implements for HTTP filters.

use super::EnvoyHttpFilter;
use crate::abi;
use crate::buffer::EnvoyBuffer;

/// One configuration of a filter: makes a filter for each stream. Used by all worker threads.
pub trait HttpFilterConfig<EHF: EnvoyHttpFilter>: Sync {
    /// Called for each new stream, on its worker thread.
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        panic!("new_http_filter is not implemented");
    }
}

/// The trait: its callbacks take `&mut self` up to 1.39, and `&self` since.
macro_rules! http_filter {
    ($($receiver:tt)+) => {
        /// The filter of one stream. Every callback is optional; by default the stream passes unchanged.
        pub trait HttpFilter<EHF: EnvoyHttpFilter> {
            /// Request headers have come; with `end_of_stream` there is no body.
            fn on_request_headers(
                $($receiver)+,
                _envoy_filter: &mut EHF,
                _end_of_stream: bool,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
                abi::envoy_dynamic_module_type_on_http_filter_request_headers_status::Continue
            }

            /// A piece of the request body has come; with `end_of_stream` it is the last.
            fn on_request_body(
                $($receiver)+,
                _envoy_filter: &mut EHF,
                _end_of_stream: bool,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_request_body_status {
                abi::envoy_dynamic_module_type_on_http_filter_request_body_status::Continue
            }

            /// Request trailers have come; they end the request.
            fn on_request_trailers(
                $($receiver)+,
                _envoy_filter: &mut EHF,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status {
                abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status::Continue
            }

            /// Response headers have come; with `end_of_stream` there is no body.
            fn on_response_headers(
                $($receiver)+,
                _envoy_filter: &mut EHF,
                _end_of_stream: bool,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_response_headers_status {
                abi::envoy_dynamic_module_type_on_http_filter_response_headers_status::Continue
            }

            /// A piece of the response body has come; with `end_of_stream` it is the last.
            fn on_response_body(
                $($receiver)+,
                _envoy_filter: &mut EHF,
                _end_of_stream: bool,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_response_body_status {
                abi::envoy_dynamic_module_type_on_http_filter_response_body_status::Continue
            }

            /// Response trailers have come; they end the response.
            fn on_response_trailers(
                $($receiver)+,
                _envoy_filter: &mut EHF,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status {
                abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status::Continue
            }

            /// The stream is over; the filter is dropped next.
            fn on_stream_complete($($receiver)+, _envoy_filter: &mut EHF) {}

            /// A callout is over: with an answer (`Success`), or without one, and then there are no headers.
            fn on_http_callout_done(
                $($receiver)+,
                _envoy_filter: &mut EHF,
                _callout_id: u64,
                _result: abi::envoy_dynamic_module_type_http_callout_result,
                _response_headers: Option<&[(EnvoyBuffer, EnvoyBuffer)]>,
                _response_body: Option<&[EnvoyBuffer]>,
            ) {
            }

            /// An event has come that a scheduler of this stream caused.
            fn on_scheduled($($receiver)+, _envoy_filter: &mut EHF, _event_id: u64) {}
        }
    };
}

#[cfg(not(feature = "shared-self"))]
http_filter!(&mut self);
#[cfg(feature = "shared-self")]
http_filter!(&self);
