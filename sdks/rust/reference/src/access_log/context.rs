//! Envoy's side of access loggers: what a module can ask, over the ABI's callbacks.

use crate::abi::{
    self, envoy_dynamic_module_type_access_log_type as LogType, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_http_header_type as HeaderType, envoy_dynamic_module_type_metrics_result as MetricsResult,
};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};

type EnvoyConfigPtr = abi::envoy_dynamic_module_type_access_logger_config_envoy_ptr;
type EnvoyPtr = abi::envoy_dynamic_module_type_access_logger_envoy_ptr;

/// A counter that a configuration has defined.
#[derive(Debug, Clone, Copy)]
pub struct CounterHandle(usize);

/// Envoy's side of a configuration while it is made.
pub struct ConfigContext(EnvoyConfigPtr);

impl ConfigContext {
    pub(super) fn of(envoy: EnvoyConfigPtr) -> Self {
        Self(envoy)
    }

    /// Defines a counter; `None` where Envoy refuses.
    pub fn define_counter(&self, name: &str) -> Option<CounterHandle> {
        let mut id = 0;
        // SAFETY: what Envoy passed to the callback that is running, so it is alive; the name outlives the call.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_access_logger_config_define_counter(
                self.0,
                module_buffer(name.as_bytes()),
                &mut id,
            )
        };
        (result == MetricsResult::Success).then_some(CounterHandle(id))
    }
}

/// What the loggers of a configuration count by.
pub struct MetricsContext(EnvoyConfigPtr);

// SAFETY: Envoy lets all threads count.
unsafe impl Send for MetricsContext {}

impl MetricsContext {
    pub(super) fn of(envoy: EnvoyConfigPtr) -> Self {
        Self(envoy)
    }

    /// Adds to a counter; whether that could be.
    pub fn increment_counter(&self, handle: CounterHandle, value: u64) -> bool {
        // SAFETY: Envoy's configuration outlives the loggers that are made of it.
        let result =
            unsafe { abi::envoy_dynamic_module_callback_access_logger_increment_counter(self.0, handle.0, value) };
        result == MetricsResult::Success
    }
}

/// When something happened: the start in nanoseconds since 1970, the others since the start, -1 where they did not.
#[derive(Debug, Clone, Default)]
pub struct TimingInfo {
    pub start_time_unix_ns: i64,
    pub request_complete_duration_ns: i64,
    pub first_upstream_tx_byte_sent_ns: i64,
    pub last_upstream_tx_byte_sent_ns: i64,
    pub first_upstream_rx_byte_received_ns: i64,
    pub last_upstream_rx_byte_received_ns: i64,
    pub first_downstream_tx_byte_sent_ns: i64,
    pub last_downstream_tx_byte_sent_ns: i64,
}

/// How much went to and fro: bodies, and all bytes of the connection.
#[derive(Debug, Clone, Default)]
pub struct BytesInfo {
    pub bytes_received: u64,
    pub bytes_sent: u64,
    pub wire_bytes_received: u64,
    pub wire_bytes_sent: u64,
}

/// On what occasion something is logged.
#[cfg(not(feature = "sdk-1-37"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessLogType(LogType);

#[cfg(not(feature = "sdk-1-37"))]
impl AccessLogType {
    // Formatters, since 1.39, ask for it.
    #[cfg(not(feature = "sdk-1-38"))]
    pub(crate) fn of(raw: LogType) -> Self {
        Self(raw)
    }

    /// Its name; of those that the probe does not meet, no more than that they are others.
    pub fn as_str(&self) -> &'static str {
        match self.0 {
            LogType::NotSet => "NotSet",
            LogType::DownstreamStart => "DownstreamStart",
            LogType::DownstreamEnd => "DownstreamEnd",
            _ => "another",
        }
    }
}

/// Envoy's side of what is logged; exists only while a callback runs.
pub struct LogContext {
    envoy: EnvoyPtr,
    #[cfg_attr(feature = "sdk-1-37", allow(dead_code))]
    log_type: LogType,
}

// SAFETY of every call below: `envoy` is what Envoy passed to the callback that is running, so it is alive, and so is what it
// shows, as long as that callback runs.
impl LogContext {
    pub(super) fn of(envoy: EnvoyPtr, log_type: LogType) -> Self {
        Self { envoy, log_type }
    }

    /// The status of the response.
    pub fn response_code(&self) -> Option<u32> {
        // SAFETY: see above.
        let code = unsafe { abi::envoy_dynamic_module_callback_access_logger_get_response_code(self.envoy) };
        (code != 0).then_some(code)
    }

    /// When it happened.
    pub fn timing_info(&self) -> TimingInfo {
        let mut raw = abi::envoy_dynamic_module_type_timing_info {
            start_time_unix_ns: 0,
            request_complete_duration_ns: -1,
            first_upstream_tx_byte_sent_ns: -1,
            last_upstream_tx_byte_sent_ns: -1,
            first_upstream_rx_byte_received_ns: -1,
            last_upstream_rx_byte_received_ns: -1,
            first_downstream_tx_byte_sent_ns: -1,
            last_downstream_tx_byte_sent_ns: -1,
        };
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_access_logger_get_timing_info(self.envoy, &mut raw) }
        TimingInfo {
            start_time_unix_ns: raw.start_time_unix_ns,
            request_complete_duration_ns: raw.request_complete_duration_ns,
            first_upstream_tx_byte_sent_ns: raw.first_upstream_tx_byte_sent_ns,
            last_upstream_tx_byte_sent_ns: raw.last_upstream_tx_byte_sent_ns,
            first_upstream_rx_byte_received_ns: raw.first_upstream_rx_byte_received_ns,
            last_upstream_rx_byte_received_ns: raw.last_upstream_rx_byte_received_ns,
            first_downstream_tx_byte_sent_ns: raw.first_downstream_tx_byte_sent_ns,
            last_downstream_tx_byte_sent_ns: raw.last_downstream_tx_byte_sent_ns,
        }
    }

    /// How much went to and fro.
    pub fn bytes_info(&self) -> BytesInfo {
        let mut raw = abi::envoy_dynamic_module_type_bytes_info {
            bytes_received: 0,
            bytes_sent: 0,
            wire_bytes_received: 0,
            wire_bytes_sent: 0,
        };
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_access_logger_get_bytes_info(self.envoy, &mut raw) }
        BytesInfo {
            bytes_received: raw.bytes_received,
            bytes_sent: raw.bytes_sent,
            wire_bytes_received: raw.wire_bytes_received,
            wire_bytes_sent: raw.wire_bytes_sent,
        }
    }

    /// A number of the connection; 0 where there is none.
    pub fn connection_id(&self) -> u64 {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_access_logger_get_connection_id(self.envoy) }
    }

    /// Whether both sides of the connection showed certificates.
    pub fn is_mtls(&self) -> bool {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_access_logger_is_mtls(self.envoy) }
    }

    /// Whether the request is traced.
    pub fn is_trace_sampled(&self) -> bool {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_access_logger_is_trace_sampled(self.envoy) }
    }

    /// Whether the request was one of a health checker.
    pub fn is_health_check(&self) -> bool {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_access_logger_is_health_check(self.envoy) }
    }

    /// Takes what a callback shows.
    fn shown(&self, show: impl FnOnce(EnvoyPtr, *mut RawBuffer) -> bool) -> Option<EnvoyBuffer<'_>> {
        let mut raw = NO_BYTES;
        // SAFETY: see above.
        show(self.envoy, &mut raw).then(|| unsafe { EnvoyBuffer::from_raw(raw) })
    }

    fn header(&self, header_type: HeaderType, key: &str) -> Option<EnvoyBuffer<'_>> {
        let key = module_buffer(key.as_bytes());
        self.shown(|envoy, result| {
            // SAFETY: see above; the key outlives the call.
            unsafe {
                abi::envoy_dynamic_module_callback_access_logger_get_header_value(
                    envoy,
                    header_type,
                    key,
                    result,
                    0,
                    std::ptr::null_mut(),
                )
            }
        })
    }

    fn metadata(&self, namespace: &str, key: &str) -> Option<EnvoyBuffer<'_>> {
        let (namespace, key) = (module_buffer(namespace.as_bytes()), module_buffer(key.as_bytes()));
        self.shown(|envoy, result| {
            // SAFETY: see above; both outlive the call.
            unsafe {
                abi::envoy_dynamic_module_callback_access_logger_get_dynamic_metadata(envoy, namespace, key, result)
            }
        })
    }
}

/// What Envoy shows: in 1.37 as bytes or text, later as a buffer.
macro_rules! shows {
    ($($(#[$doc:meta])* $method:ident $callback:ident $as_text:ident;)*) => {
        impl LogContext {
            $(
                $(#[$doc])*
                #[cfg(feature = "sdk-1-37")]
                pub fn $method(&self) -> Option<shows!(@type $as_text)> {
                    // SAFETY: see above.
                    let shown = self.shown(|envoy, result| unsafe { abi::$callback(envoy, result) })?;
                    shows!(@take $as_text shown)
                }

                $(#[$doc])*
                #[cfg(not(feature = "sdk-1-37"))]
                pub fn $method(&self) -> Option<EnvoyBuffer<'_>> {
                    // SAFETY: see above.
                    self.shown(|envoy, result| unsafe { abi::$callback(envoy, result) })
                }
            )*
        }
    };
    (@type text) => { &str };
    (@type bytes) => { &[u8] };
    (@take text $shown:ident) => { std::str::from_utf8($shown.into_slice()).ok() };
    (@take bytes $shown:ident) => { Some($shown.into_slice()) };
}

shows! {
    /// More on the status of the response.
    response_code_details envoy_dynamic_module_callback_access_logger_get_response_code_details text;
    /// Such as `HTTP/1.1`.
    protocol envoy_dynamic_module_callback_access_logger_get_protocol text;
    /// The name of the route.
    route_name envoy_dynamic_module_callback_access_logger_get_route_name text;
    /// The cluster that the request went to.
    upstream_cluster envoy_dynamic_module_callback_access_logger_get_upstream_cluster text;
    /// The name of the host that the request went to.
    upstream_host envoy_dynamic_module_callback_access_logger_get_upstream_host text;
    /// What the client asked for in its TLS handshake.
    requested_server_name envoy_dynamic_module_callback_access_logger_get_requested_server_name text;
    /// The body of an answer of Envoy's own.
    local_reply_body envoy_dynamic_module_callback_access_logger_get_local_reply_body bytes;
}

#[cfg(feature = "sdk-1-37")]
impl LogContext {
    /// A header of the request.
    pub fn get_request_header(&self, key: &str) -> Option<&[u8]> {
        self.header(HeaderType::RequestHeader, key).map(EnvoyBuffer::into_slice)
    }

    /// A header of the response.
    pub fn get_response_header(&self, key: &str) -> Option<&[u8]> {
        self.header(HeaderType::ResponseHeader, key).map(EnvoyBuffer::into_slice)
    }

    /// A text of the dynamic metadata.
    pub fn get_dynamic_metadata(&self, filter_name: &str, key: &str) -> Option<&str> {
        std::str::from_utf8(self.metadata(filter_name, key)?.into_slice()).ok()
    }
}

#[cfg(not(feature = "sdk-1-37"))]
impl LogContext {
    /// A header of the request.
    pub fn get_request_header(&self, key: &str) -> Option<EnvoyBuffer<'_>> {
        self.header(HeaderType::RequestHeader, key)
    }

    /// A header of the response.
    pub fn get_response_header(&self, key: &str) -> Option<EnvoyBuffer<'_>> {
        self.header(HeaderType::ResponseHeader, key)
    }

    /// A text of the dynamic metadata.
    pub fn get_dynamic_metadata(&self, filter_name: &str, key: &str) -> Option<EnvoyBuffer<'_>> {
        self.metadata(filter_name, key)
    }

    /// On what occasion this is logged.
    pub fn log_type(&self) -> AccessLogType {
        AccessLogType(self.log_type)
    }

    /// The number of the worker thread, from 0.
    pub fn get_worker_index(&self) -> u32 {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_access_logger_get_worker_index(self.envoy) }
    }

    /// What happened to the request, as bits.
    pub fn response_flags(&self) -> u64 {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_access_logger_get_response_flags(self.envoy) }
    }

    /// How often the request was sent to a host.
    pub fn attempt_count(&self) -> u32 {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_access_logger_get_attempt_count(self.envoy) }
    }

    /// How many headers, or trailers, there are.
    pub fn get_headers_count(&self, header_type: HeaderType) -> usize {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_access_logger_get_headers_size(self.envoy, header_type) }
    }

    /// An attribute that is text.
    pub fn get_attribute_string(
        &self,
        attribute_id: abi::envoy_dynamic_module_type_attribute_id,
    ) -> Option<EnvoyBuffer<'_>> {
        self.shown(|envoy, result| {
            // SAFETY: see above.
            unsafe {
                abi::envoy_dynamic_module_callback_access_logger_get_attribute_string(envoy, attribute_id, result)
            }
        })
    }

    /// The client's address and port.
    pub fn downstream_remote_address(&self) -> Option<(EnvoyBuffer<'_>, u32)> {
        let mut port = 0;
        let address = self.shown(|envoy, result| {
            // SAFETY: see above.
            unsafe {
                abi::envoy_dynamic_module_callback_access_logger_get_downstream_remote_address(envoy, result, &mut port)
            }
        })?;
        Some((address, port))
    }
}
