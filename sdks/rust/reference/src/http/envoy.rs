//! What a module can ask of Envoy about HTTP filters.

use super::scheduler::EnvoyHttpFilterScheduler;
use super::{EnvoyCounterId, EnvoyGaugeId, EnvoyHistogramId, Headers};
use crate::abi::{self, envoy_dynamic_module_type_metrics_result as MetricsResult};
use crate::buffer::{EnvoyBuffer, EnvoyMutBuffer};
use std::any::Any;
use std::sync::Arc;

/// Envoy's side of a filter configuration.
pub trait EnvoyHttpFilterConfig {
    /// Defines a counter.
    fn define_counter(&mut self, name: &str) -> Result<EnvoyCounterId, MetricsResult>;
    /// Defines a gauge.
    fn define_gauge(&mut self, name: &str) -> Result<EnvoyGaugeId, MetricsResult>;
    /// Defines a histogram.
    fn define_histogram(&mut self, name: &str) -> Result<EnvoyHistogramId, MetricsResult>;
}

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

    /// Replaces all values of a request trailer by one.
    fn set_request_trailer(&mut self, key: &str, value: &[u8]) -> bool;
    /// Replaces all values of a response trailer by one.
    fn set_response_trailer(&mut self, key: &str, value: &[u8]) -> bool;

    /// Metadata that is a text.
    fn get_metadata_string(
        &self,
        source: abi::envoy_dynamic_module_type_metadata_source,
        namespace: &str,
        key: &str,
    ) -> Option<EnvoyBuffer<'_>>;
    /// Metadata that is a number.
    fn get_metadata_number(
        &self,
        source: abi::envoy_dynamic_module_type_metadata_source,
        namespace: &str,
        key: &str,
    ) -> Option<f64>;
    /// Sets dynamic metadata to a text.
    fn set_dynamic_metadata_string(&mut self, namespace: &str, key: &str, value: &str);
    /// Sets dynamic metadata to a number.
    fn set_dynamic_metadata_number(&mut self, namespace: &str, key: &str, value: f64);

    /// Filter state that is bytes.
    fn get_filter_state_bytes(&self, key: &[u8]) -> Option<EnvoyBuffer<'_>>;
    /// Sets filter state to bytes.
    fn set_filter_state_bytes(&mut self, key: &[u8], value: &[u8]) -> bool;

    /// The configuration that the stream's route has for this filter, as the module made it.
    fn get_most_specific_route_config(&self) -> Option<Arc<dyn Any>>;

    /// Sends a request to a cluster; `on_http_callout_done` tells of its end. Gives the callout's id, if it started.
    fn send_http_callout<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: Headers<'a>,
        body: Option<&'a [u8]>,
        timeout_milliseconds: u64,
    ) -> (abi::envoy_dynamic_module_type_http_callout_init_result, u64);

    /// A scheduler of events on this stream.
    fn new_scheduler(&self) -> impl EnvoyHttpFilterScheduler + 'static;
    /// Lets the request go on that the filter has stopped.
    fn continue_decoding(&mut self);

    /// Adds to a counter.
    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult>;
    /// Sets a gauge.
    fn set_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult>;
    /// Records a value in a histogram.
    fn record_histogram_value(&self, id: EnvoyHistogramId, value: u64) -> Result<(), MetricsResult>;

    /// Answers the request from here.
    fn send_response<'a>(
        &mut self,
        status_code: u32,
        headers: Headers<'a>,
        body: Option<&'a [u8]>,
        details: Option<&'a str>,
    );

    /// Ends the stream without an answer.
    #[cfg(not(feature = "sdk-1-37"))]
    fn reset_stream(&mut self, reason: abi::envoy_dynamic_module_type_http_filter_stream_reset_reason, details: &str);

    /// Starts the stream anew, with these headers or its own; its filters end. Gives false where that cannot be.
    #[cfg(not(feature = "sdk-1-37"))]
    fn recreate_stream<'a>(&mut self, headers: Option<&'a [(&'a str, &'a [u8])]>) -> bool;

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
