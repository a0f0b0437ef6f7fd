//! Envoy's side, over the ABI's callbacks.

use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer, envoy_dynamic_module_type_http_body_type as BodyType,
    envoy_dynamic_module_type_http_header_type as HeaderType, envoy_dynamic_module_type_module_buffer as ModuleBuffer,
};
use crate::buffer::{EnvoyBuffer, EnvoyMutBuffer};
use crate::http::{EnvoyHttpFilter, EnvoyHttpFilterConfig, ReplyHeaders};

/// Envoy's side of a filter configuration.
pub struct EnvoyHttpFilterConfigImpl {
    _private: (),
}

impl EnvoyHttpFilterConfigImpl {
    pub(crate) fn new() -> Self {
        Self { _private: () }
    }
}

impl EnvoyHttpFilterConfig for EnvoyHttpFilterConfigImpl {}

/// Envoy's side of a stream's filter; exists only while a callback runs.
pub struct EnvoyHttpFilterImpl {
    raw: abi::envoy_dynamic_module_type_http_filter_envoy_ptr,
}

/// Bytes of the module's, to be read by Envoy during a call.
pub(crate) fn module_buffer(bytes: &[u8]) -> ModuleBuffer {
    ModuleBuffer { ptr: bytes.as_ptr().cast(), length: bytes.len() }
}

const NO_BYTES: RawBuffer = RawBuffer { ptr: std::ptr::null(), length: 0 };

// SAFETY of every call below: `raw` is what Envoy passed to the callback that is running, so it is alive; buffers that are
// passed outlive the call.
impl EnvoyHttpFilterImpl {
    /// # Safety
    /// `raw` is valid as long as the value lives.
    pub(crate) unsafe fn new(raw: abi::envoy_dynamic_module_type_http_filter_envoy_ptr) -> Self {
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

    fn send_response<'a>(
        &mut self,
        status_code: u32,
        headers: ReplyHeaders<'a>,
        body: Option<&'a [u8]>,
        details: Option<&'a str>,
    ) {
        let mut headers: Vec<_> = headers
            .iter()
            .map(|(key, value)| abi::envoy_dynamic_module_type_module_http_header {
                key_ptr: key.as_ptr().cast(),
                key_length: key.len(),
                value_ptr: value.as_ptr().cast(),
                value_length: value.len(),
            })
            .collect();
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
