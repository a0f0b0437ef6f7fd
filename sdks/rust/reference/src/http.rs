//! The traits of HTTP filters: what a module implements, and what it can ask of Envoy.

use crate::abi;
use crate::buffer::{EnvoyBuffer, EnvoyMutBuffer};

/// The headers of a local reply: a `Vec` up to 1.37, a slice since.
#[cfg(feature = "sdk-1-37")]
pub(crate) type ReplyHeaders<'a> = Vec<(&'a str, &'a [u8])>;
#[cfg(not(feature = "sdk-1-37"))]
pub(crate) type ReplyHeaders<'a> = &'a [(&'a str, &'a [u8])];

/// One configuration of a filter: makes a filter for each stream. Used by all worker threads.
pub trait HttpFilterConfig<EHF: EnvoyHttpFilter>: Sync {
    /// Called for each new stream, on its worker thread.
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        panic!("new_http_filter is not implemented");
    }
}

/// The filter of one stream. Every callback is optional; by default the stream passes unchanged.
pub trait HttpFilter<EHF: EnvoyHttpFilter> {
    /// Request headers have come; with `end_of_stream` there is no body.
    fn on_request_headers(
        &mut self,
        _envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
        abi::envoy_dynamic_module_type_on_http_filter_request_headers_status::Continue
    }

    /// A piece of the request body has come; with `end_of_stream` it is the last.
    fn on_request_body(
        &mut self,
        _envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_body_status {
        abi::envoy_dynamic_module_type_on_http_filter_request_body_status::Continue
    }

    /// Request trailers have come; they end the request.
    fn on_request_trailers(
        &mut self,
        _envoy_filter: &mut EHF,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status {
        abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status::Continue
    }

    /// Response headers have come; with `end_of_stream` there is no body.
    fn on_response_headers(
        &mut self,
        _envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_headers_status {
        abi::envoy_dynamic_module_type_on_http_filter_response_headers_status::Continue
    }

    /// A piece of the response body has come; with `end_of_stream` it is the last.
    fn on_response_body(
        &mut self,
        _envoy_filter: &mut EHF,
        _end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_body_status {
        abi::envoy_dynamic_module_type_on_http_filter_response_body_status::Continue
    }

    /// Response trailers have come; they end the response.
    fn on_response_trailers(
        &mut self,
        _envoy_filter: &mut EHF,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status {
        abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status::Continue
    }

    /// The stream is over; the filter is dropped next.
    fn on_stream_complete(&mut self, _envoy_filter: &mut EHF) {}
}

/// Envoy's side of a filter configuration.
pub trait EnvoyHttpFilterConfig {}

/// Envoy's side of a stream's filter.
pub trait EnvoyHttpFilter {
    /// The first value of a request header.
    fn get_request_header_value(&self, key: &str) -> Option<EnvoyBuffer<'_>>;
    /// Replaces all values of a request header by one.
    fn set_request_header(&mut self, key: &str, value: &[u8]) -> bool;
    /// Removes a request header.
    fn remove_request_header(&mut self, key: &str) -> bool;
    /// The first value of a response header.
    fn get_response_header_value(&self, key: &str) -> Option<EnvoyBuffer<'_>>;
    /// Replaces all values of a response header by one.
    fn set_response_header(&mut self, key: &str, value: &[u8]) -> bool;
    /// Removes a response header.
    fn remove_response_header(&mut self, key: &str) -> bool;

    /// Answers the request from here.
    fn send_response<'a>(
        &mut self,
        status_code: u32,
        headers: ReplyHeaders<'a>,
        body: Option<&'a [u8]>,
        details: Option<&'a str>,
    );

    /// Ends the stream without an answer.
    #[cfg(not(feature = "sdk-1-37"))]
    fn reset_stream(&mut self, reason: abi::envoy_dynamic_module_type_http_filter_stream_reset_reason, details: &str);

    /// The piece of the request body that has just come, in chunks; only in the body callback.
    fn get_received_request_body(&mut self) -> Option<Vec<EnvoyMutBuffer<'_>>>;
    /// The pieces of the request body that were held back so far, in chunks.
    fn get_buffered_request_body(&mut self) -> Option<Vec<EnvoyMutBuffer<'_>>>;
    /// How much the received piece is.
    fn get_received_request_body_size(&mut self) -> usize;
    /// How much was held back.
    fn get_buffered_request_body_size(&mut self) -> usize;
    /// Removes bytes from the start of the received piece.
    fn drain_received_request_body(&mut self, number_of_bytes: usize) -> bool;
    /// Removes bytes from the start of what was held back.
    fn drain_buffered_request_body(&mut self, number_of_bytes: usize) -> bool;
    /// Adds bytes to the end of the received piece.
    fn append_received_request_body(&mut self, data: &[u8]) -> bool;
    /// Adds bytes to the end of what was held back.
    fn append_buffered_request_body(&mut self, data: &[u8]) -> bool;
    /// Whether the received piece is what was held back, by a filter before this one.
    #[cfg(not(feature = "sdk-1-37"))]
    fn received_buffered_request_body(&mut self) -> bool;

    /// As for the request.
    fn get_received_response_body(&mut self) -> Option<Vec<EnvoyMutBuffer<'_>>>;
    /// As for the request.
    fn get_buffered_response_body(&mut self) -> Option<Vec<EnvoyMutBuffer<'_>>>;
    /// As for the request.
    fn get_received_response_body_size(&mut self) -> usize;
    /// As for the request.
    fn get_buffered_response_body_size(&mut self) -> usize;
    /// As for the request.
    fn drain_received_response_body(&mut self, number_of_bytes: usize) -> bool;
    /// As for the request.
    fn drain_buffered_response_body(&mut self, number_of_bytes: usize) -> bool;
    /// As for the request.
    fn append_received_response_body(&mut self, data: &[u8]) -> bool;
    /// As for the request.
    fn append_buffered_response_body(&mut self, data: &[u8]) -> bool;
    /// As for the request.
    #[cfg(not(feature = "sdk-1-37"))]
    fn received_buffered_response_body(&mut self) -> bool;
}
