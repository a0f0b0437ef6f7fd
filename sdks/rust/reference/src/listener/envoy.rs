//! Envoy's side of listener filters: what a module can ask, over the ABI's callbacks.

use crate::abi::{self, envoy_dynamic_module_type_metrics_result as MetricsResult};
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};
use crate::http::{checked, EnvoyCounterId};

/// Envoy's side of a filter configuration.
pub trait EnvoyListenerFilterConfig {
    /// Defines a counter.
    fn define_counter(&mut self, name: &str) -> Result<EnvoyCounterId, MetricsResult>;
}

/// Envoy's side of a filter configuration; exists only while that is made.
pub struct EnvoyListenerFilterConfigImpl {
    raw: abi::envoy_dynamic_module_type_listener_filter_config_envoy_ptr,
}

impl EnvoyListenerFilterConfigImpl {
    /// # Safety
    /// `raw` is valid as long as the value lives.
    pub(super) unsafe fn new(raw: abi::envoy_dynamic_module_type_listener_filter_config_envoy_ptr) -> Self {
        Self { raw }
    }
}

impl EnvoyListenerFilterConfig for EnvoyListenerFilterConfigImpl {
    fn define_counter(&mut self, name: &str) -> Result<EnvoyCounterId, MetricsResult> {
        let (name, mut id) = (module_buffer(name.as_bytes()), 0);
        // SAFETY: `raw` is alive, as `new`'s caller vouched; the name outlives the call.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_listener_filter_config_define_counter(self.raw, name, &mut id)
        };
        checked(result, EnvoyCounterId(id))
    }
}

/// Envoy's side of a connection's filter.
pub trait EnvoyListenerFilter {
    /// What has come so far; only in `on_data`.
    fn get_buffer_chunk(&self) -> Option<EnvoyBuffer<'_>>;
    /// Removes the first bytes of what has come: nothing behind the filter sees them.
    fn drain_buffer(&mut self, length: usize);
    /// Sends bytes to the client; returns how many, or -1.
    fn write_to_socket(&mut self, data: &[u8]) -> i64;
    /// Says which server the client has asked for, as TLS does.
    fn set_requested_server_name(&mut self, name: &str);
    /// Says which protocols the client offers, as TLS does.
    fn set_requested_application_protocols<'a>(&mut self, protocols: &'a [&'a str]);
    /// Sets dynamic metadata of the connection to a text.
    fn set_dynamic_metadata_string(&mut self, namespace: &str, key: &str, value: &str);
    /// Sets dynamic metadata of the connection to a number.
    fn set_dynamic_metadata_number(&mut self, namespace: &str, key: &str, value: f64);
    /// Adds to a counter.
    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult>;
    /// Closes the connection's socket.
    fn close_socket(&mut self, details: Option<&str>);
}

/// Envoy's side of a connection's filter; exists only while a callback runs.
pub struct EnvoyListenerFilterImpl {
    raw: abi::envoy_dynamic_module_type_listener_filter_envoy_ptr,
}

impl EnvoyListenerFilterImpl {
    /// # Safety
    /// `raw` is valid as long as the value lives.
    pub(super) unsafe fn new(raw: abi::envoy_dynamic_module_type_listener_filter_envoy_ptr) -> Self {
        Self { raw }
    }
}

// SAFETY of every call below: `raw` is what Envoy passed to the callback that is running, so it is alive, and so is the
// buffer that it has in that callback.
impl EnvoyListenerFilter for EnvoyListenerFilterImpl {
    fn get_buffer_chunk(&self) -> Option<EnvoyBuffer<'_>> {
        let mut chunk = NO_BYTES;
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_listener_filter_get_buffer_chunk(self.raw, &mut chunk)
                .then(|| EnvoyBuffer::from_raw(chunk))
        }
    }

    fn drain_buffer(&mut self, length: usize) {
        // SAFETY: see above. Envoy has no buffer outside of `on_data`: then nothing happens.
        let _ = unsafe { abi::envoy_dynamic_module_callback_listener_filter_drain_buffer(self.raw, length) };
    }

    fn write_to_socket(&mut self, data: &[u8]) -> i64 {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_listener_filter_write_to_socket(self.raw, module_buffer(data)) }
    }

    fn set_requested_server_name(&mut self, name: &str) {
        let name = module_buffer(name.as_bytes());
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_listener_filter_set_requested_server_name(self.raw, name) }
    }

    fn set_requested_application_protocols<'a>(&mut self, protocols: &'a [&'a str]) {
        let mut protocols: Vec<_> = protocols.iter().map(|one| module_buffer(one.as_bytes())).collect();
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_listener_filter_set_requested_application_protocols(
                self.raw,
                protocols.as_mut_ptr(),
                protocols.len(),
            )
        }
    }

    fn set_dynamic_metadata_string(&mut self, namespace: &str, key: &str, value: &str) {
        let [namespace, key, value] = [namespace, key, value].map(|text| module_buffer(text.as_bytes()));
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_listener_filter_set_dynamic_metadata_string(
                self.raw, namespace, key, value,
            )
        }
    }

    fn set_dynamic_metadata_number(&mut self, namespace: &str, key: &str, value: f64) {
        let [namespace, key] = [namespace, key].map(|text| module_buffer(text.as_bytes()));
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_listener_filter_set_dynamic_metadata_number(
                self.raw, namespace, key, value,
            )
        }
    }

    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult> {
        // SAFETY: see above.
        let result =
            unsafe { abi::envoy_dynamic_module_callback_listener_filter_increment_counter(self.raw, id.0, value) };
        checked(result, ())
    }

    fn close_socket(&mut self, details: Option<&str>) {
        let details = module_buffer(details.unwrap_or_default().as_bytes());
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_listener_filter_close_socket(self.raw, details) }
    }
}
