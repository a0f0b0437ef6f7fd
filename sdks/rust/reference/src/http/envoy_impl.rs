//! Envoy's side of a stream's filter, over the ABI's callbacks.

use super::metrics::checked;
use super::scheduler::{EnvoyHttpFilterScheduler, Scheduler};
use super::{EnvoyCounterId, EnvoyGaugeId, EnvoyHistogramId, EnvoyHttpFilter, Headers};
use crate::abi::{
    self, envoy_dynamic_module_type_http_body_type as BodyType,
    envoy_dynamic_module_type_http_header_type as HeaderType, envoy_dynamic_module_type_metadata_source as Source,
    envoy_dynamic_module_type_metrics_result as MetricsResult, envoy_dynamic_module_type_module_buffer as ModuleBuffer,
    envoy_dynamic_module_type_module_http_header as ModuleHeader,
};
use crate::buffer::{module_buffer, EnvoyBuffer, EnvoyMutBuffer, NO_BYTES};
use std::any::Any;
use std::sync::Arc;

/// Envoy's side of a stream's filter; exists only while a callback runs.
pub struct EnvoyHttpFilterImpl {
    raw: abi::envoy_dynamic_module_type_http_filter_envoy_ptr,
}

/// Headers of the module's, to be read by Envoy during a call.
pub(crate) fn module_headers(headers: &[(&str, &[u8])]) -> Vec<ModuleHeader> {
    let raw = |(key, value): &(&str, &[u8])| ModuleHeader {
        key_ptr: key.as_ptr().cast(),
        key_length: key.len(),
        value_ptr: value.as_ptr().cast(),
        value_length: value.len(),
    };
    headers.iter().map(raw).collect()
}

// SAFETY of every call below: `raw` is what Envoy passed to the callback that is running, so it is alive; buffers that are
// passed outlive the call.
impl EnvoyHttpFilterImpl {
    /// # Safety
    /// `raw` is valid as long as the value lives.
    pub(super) unsafe fn new(raw: abi::envoy_dynamic_module_type_http_filter_envoy_ptr) -> Self {
        Self { raw }
    }

    fn header(&self, of: HeaderType, key: &str) -> Option<EnvoyBuffer<'_>> {
        let mut value = NO_BYTES;
        // SAFETY: see above; the value lives as long as no one changes the headers, for which `self` must be borrowed mutably.
        unsafe {
            abi::envoy_dynamic_module_callback_http_get_header(
                self.raw,
                of,
                module_buffer(key.as_bytes()),
                &mut value,
                0,
                std::ptr::null_mut(),
            )
            .then(|| EnvoyBuffer::from_raw(value))
        }
    }

    /// Replaces a header, or removes it where `value` is null.
    fn set_header(&mut self, of: HeaderType, key: &str, value: ModuleBuffer) -> bool {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_http_set_header(self.raw, of, module_buffer(key.as_bytes()), value)
        }
    }

    fn remove_header(&mut self, of: HeaderType, key: &str) -> bool {
        self.set_header(of, key, ModuleBuffer { ptr: std::ptr::null(), length: 0 })
    }

    fn body(&mut self, of: BodyType) -> Option<Vec<EnvoyMutBuffer<'_>>> {
        // SAFETY: see above; Envoy fills as many entries as it said there are.
        unsafe {
            let count = abi::envoy_dynamic_module_callback_http_get_body_chunks_size(self.raw, of);
            if count == 0 {
                return None;
            }
            let mut chunks = vec![NO_BYTES; count];
            abi::envoy_dynamic_module_callback_http_get_body_chunks(self.raw, of, chunks.as_mut_ptr())
                .then(|| chunks.into_iter().map(|chunk| EnvoyMutBuffer::from_raw(chunk)).collect())
        }
    }

    fn body_size(&self, of: BodyType) -> usize {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_http_get_body_size(self.raw, of) }
    }

    fn drain_body(&mut self, of: BodyType, bytes: usize) -> bool {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_http_drain_body(self.raw, of, bytes) }
    }

    fn append_body(&mut self, of: BodyType, data: &[u8]) -> bool {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_http_append_body(self.raw, of, module_buffer(data)) }
    }
}

/// The functions of one body of one direction.
macro_rules! body_functions {
    ($kind:ident: $get:ident $size:ident $drain:ident $append:ident) => {
        fn $get(&mut self) -> Option<Vec<EnvoyMutBuffer<'_>>> {
            self.body(BodyType::$kind)
        }

        fn $size(&mut self) -> usize {
            self.body_size(BodyType::$kind)
        }

        fn $drain(&mut self, number_of_bytes: usize) -> bool {
            self.drain_body(BodyType::$kind, number_of_bytes)
        }

        fn $append(&mut self, data: &[u8]) -> bool {
            self.append_body(BodyType::$kind, data)
        }
    };
}

/// A function that changes a metric without labels.
macro_rules! metric_function {
    ($name:ident $id:ident by $callback:ident) => {
        fn $name(&self, $id(id): $id, value: u64) -> Result<(), MetricsResult> {
            // SAFETY: see above.
            checked(unsafe { abi::$callback(self.raw, id, std::ptr::null_mut(), 0, value) }, ())
        }
    };
}

impl EnvoyHttpFilter for EnvoyHttpFilterImpl {
    fn get_request_header_value(&self, key: &str) -> Option<EnvoyBuffer<'_>> {
        self.header(HeaderType::RequestHeader, key)
    }

    fn set_request_header(&mut self, key: &str, value: &[u8]) -> bool {
        self.set_header(HeaderType::RequestHeader, key, module_buffer(value))
    }

    fn remove_request_header(&mut self, key: &str) -> bool {
        self.remove_header(HeaderType::RequestHeader, key)
    }

    fn get_response_header_value(&self, key: &str) -> Option<EnvoyBuffer<'_>> {
        self.header(HeaderType::ResponseHeader, key)
    }

    fn set_response_header(&mut self, key: &str, value: &[u8]) -> bool {
        self.set_header(HeaderType::ResponseHeader, key, module_buffer(value))
    }

    fn remove_response_header(&mut self, key: &str) -> bool {
        self.remove_header(HeaderType::ResponseHeader, key)
    }

    fn set_request_trailer(&mut self, key: &str, value: &[u8]) -> bool {
        self.set_header(HeaderType::RequestTrailer, key, module_buffer(value))
    }

    fn set_response_trailer(&mut self, key: &str, value: &[u8]) -> bool {
        self.set_header(HeaderType::ResponseTrailer, key, module_buffer(value))
    }

    fn get_metadata_string(&self, source: Source, namespace: &str, key: &str) -> Option<EnvoyBuffer<'_>> {
        let (namespace, key) = (module_buffer(namespace.as_bytes()), module_buffer(key.as_bytes()));
        let mut value = NO_BYTES;
        // SAFETY: see above; the value lives as long as no one changes the metadata, for which `self` must be borrowed mutably.
        unsafe {
            abi::envoy_dynamic_module_callback_http_get_metadata_string(self.raw, source, namespace, key, &mut value)
                .then(|| EnvoyBuffer::from_raw(value))
        }
    }

    fn get_metadata_number(&self, source: Source, namespace: &str, key: &str) -> Option<f64> {
        let (namespace, key) = (module_buffer(namespace.as_bytes()), module_buffer(key.as_bytes()));
        let mut value = 0.0;
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_http_get_metadata_number(self.raw, source, namespace, key, &mut value)
        }
        .then_some(value)
    }

    fn set_dynamic_metadata_string(&mut self, namespace: &str, key: &str, value: &str) {
        let (namespace, key) = (module_buffer(namespace.as_bytes()), module_buffer(key.as_bytes()));
        let value = module_buffer(value.as_bytes());
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_http_set_dynamic_metadata_string(self.raw, namespace, key, value) };
    }

    fn set_dynamic_metadata_number(&mut self, namespace: &str, key: &str, value: f64) {
        let (namespace, key) = (module_buffer(namespace.as_bytes()), module_buffer(key.as_bytes()));
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_http_set_dynamic_metadata_number(self.raw, namespace, key, value) };
    }

    fn get_filter_state_bytes(&self, key: &[u8]) -> Option<EnvoyBuffer<'_>> {
        let mut value = NO_BYTES;
        // SAFETY: see above; the value lives as long as no one changes the state, for which `self` must be borrowed mutably.
        unsafe {
            abi::envoy_dynamic_module_callback_http_get_filter_state_bytes(self.raw, module_buffer(key), &mut value)
                .then(|| EnvoyBuffer::from_raw(value))
        }
    }

    fn set_filter_state_bytes(&mut self, key: &[u8], value: &[u8]) -> bool {
        let (key, value) = (module_buffer(key), module_buffer(value));
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_http_set_filter_state_bytes(self.raw, key, value) }
    }

    fn get_most_specific_route_config(&self) -> Option<Arc<dyn Any>> {
        // SAFETY: see above; what Envoy gives is null, or what `…_per_route_config_new` made, alive during the call.
        unsafe {
            let config = abi::envoy_dynamic_module_callback_get_most_specific_route_config(self.raw);
            config.cast::<Arc<dyn Any>>().as_ref().cloned()
        }
    }

    fn send_http_callout<'a>(
        &mut self,
        cluster_name: &'a str,
        headers: Headers<'a>,
        body: Option<&'a [u8]>,
        timeout_milliseconds: u64,
    ) -> (abi::envoy_dynamic_module_type_http_callout_init_result, u64) {
        #[cfg(feature = "sdk-1-37")]
        let headers = &headers;
        let mut headers = module_headers(headers);
        let mut id = 0;
        // SAFETY: see above.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_http_filter_http_callout(
                self.raw,
                &mut id,
                module_buffer(cluster_name.as_bytes()),
                headers.as_mut_ptr(),
                headers.len(),
                module_buffer(body.unwrap_or_default()),
                timeout_milliseconds,
            )
        };
        (result, id)
    }

    fn new_scheduler(&self) -> impl EnvoyHttpFilterScheduler + 'static {
        // SAFETY: see above.
        unsafe { Scheduler::new(self.raw) }
    }

    fn continue_decoding(&mut self) {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_continue_decoding(self.raw) }
    }

    metric_function!(increment_counter EnvoyCounterId by envoy_dynamic_module_callback_http_filter_increment_counter);
    metric_function!(set_gauge EnvoyGaugeId by envoy_dynamic_module_callback_http_filter_set_gauge);
    metric_function!(record_histogram_value EnvoyHistogramId
        by envoy_dynamic_module_callback_http_filter_record_histogram_value);

    fn send_response<'a>(
        &mut self,
        status_code: u32,
        headers: Headers<'a>,
        body: Option<&'a [u8]>,
        details: Option<&'a str>,
    ) {
        #[cfg(feature = "sdk-1-37")]
        let headers = &headers;
        let mut headers = module_headers(headers);
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_http_send_response(
                self.raw,
                status_code,
                headers.as_mut_ptr(),
                headers.len(),
                module_buffer(body.unwrap_or_default()),
                module_buffer(details.unwrap_or_default().as_bytes()),
            );
        }
    }

    #[cfg(not(feature = "sdk-1-37"))]
    fn recreate_stream<'a>(&mut self, headers: Option<&'a [(&'a str, &'a [u8])]>) -> bool {
        let mut raw = module_headers(headers.unwrap_or_default());
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_http_filter_recreate_stream(self.raw, raw.as_mut_ptr(), raw.len())
        }
    }

    #[cfg(not(feature = "sdk-1-37"))]
    fn reset_stream(&mut self, reason: abi::envoy_dynamic_module_type_http_filter_stream_reset_reason, details: &str) {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_http_filter_reset_stream(
                self.raw,
                reason,
                module_buffer(details.as_bytes()),
            );
        }
    }

    body_functions!(ReceivedRequestBody: get_received_request_body get_received_request_body_size
        drain_received_request_body append_received_request_body);
    body_functions!(BufferedRequestBody: get_buffered_request_body get_buffered_request_body_size
        drain_buffered_request_body append_buffered_request_body);
    body_functions!(ReceivedResponseBody: get_received_response_body get_received_response_body_size
        drain_received_response_body append_received_response_body);
    body_functions!(BufferedResponseBody: get_buffered_response_body get_buffered_response_body_size
        drain_buffered_response_body append_buffered_response_body);

    #[cfg(not(feature = "sdk-1-37"))]
    fn received_buffered_request_body(&mut self) -> bool {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_http_received_buffered_request_body(self.raw) }
    }

    #[cfg(not(feature = "sdk-1-37"))]
    fn received_buffered_response_body(&mut self) -> bool {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_http_received_buffered_response_body(self.raw) }
    }
}
