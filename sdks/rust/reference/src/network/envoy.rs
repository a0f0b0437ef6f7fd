//! Envoy's side of network filters: what a module can ask, over the ABI's callbacks.

use crate::abi::{self, envoy_dynamic_module_type_metrics_result as MetricsResult};
use crate::buffer::{chunks, module_buffer, EnvoyBuffer};
use crate::http::{checked, EnvoyCounterId};

/// Envoy's side of a filter configuration.
pub trait EnvoyNetworkFilterConfig {
    /// Defines a counter.
    fn define_counter(&mut self, name: &str) -> Result<EnvoyCounterId, MetricsResult>;
}

/// Envoy's side of a filter configuration; exists only while that is made.
pub struct EnvoyNetworkFilterConfigImpl {
    raw: abi::envoy_dynamic_module_type_network_filter_config_envoy_ptr,
}

impl EnvoyNetworkFilterConfigImpl {
    /// # Safety
    /// `raw` is valid as long as the value lives.
    pub(super) unsafe fn new(raw: abi::envoy_dynamic_module_type_network_filter_config_envoy_ptr) -> Self {
        Self { raw }
    }
}

impl EnvoyNetworkFilterConfig for EnvoyNetworkFilterConfigImpl {
    fn define_counter(&mut self, name: &str) -> Result<EnvoyCounterId, MetricsResult> {
        let (name, mut id) = (module_buffer(name.as_bytes()), 0);
        // SAFETY: `raw` is alive, as `new`'s caller vouched; the name outlives the call.
        let result =
            unsafe { abi::envoy_dynamic_module_callback_network_filter_config_define_counter(self.raw, name, &mut id) };
        checked(result, EnvoyCounterId(id))
    }
}

/// Envoy's side of a connection's filter.
pub trait EnvoyNetworkFilter {
    /// What has come from downstream, in chunks, and how many bytes that is; only in `on_read`.
    fn get_read_buffer_chunks(&mut self) -> (Vec<EnvoyBuffer<'_>>, usize);
    /// What is to go downstream, in chunks, and how many bytes that is; only in `on_write`.
    fn get_write_buffer_chunks(&mut self) -> (Vec<EnvoyBuffer<'_>>, usize);
    /// Removes the first bytes of what has come.
    fn drain_read_buffer(&mut self, length: usize);
    /// Removes the first bytes of what is to go.
    fn drain_write_buffer(&mut self, length: usize);
    /// Adds bytes at the end of what has come.
    fn append_read_buffer(&mut self, data: &[u8]);
    /// Adds bytes at the beginning of what is to go.
    fn prepend_write_buffer(&mut self, data: &[u8]);
    /// Adds bytes at the end of what is to go.
    fn append_write_buffer(&mut self, data: &[u8]);
    /// Adds to a counter.
    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult>;
    /// Closes the connection.
    fn close(&mut self, close_type: abi::envoy_dynamic_module_type_network_connection_close_type);
}

/// Envoy's side of a connection's filter; exists only while a callback runs.
pub struct EnvoyNetworkFilterImpl {
    raw: abi::envoy_dynamic_module_type_network_filter_envoy_ptr,
}

impl EnvoyNetworkFilterImpl {
    /// # Safety
    /// `raw` is valid as long as the value lives.
    pub(super) unsafe fn new(raw: abi::envoy_dynamic_module_type_network_filter_envoy_ptr) -> Self {
        Self { raw }
    }
}

/// A function that changes a buffer. Envoy has none outside of the callback for its direction: then nothing happens.
macro_rules! change_buffer {
    ($name:ident(bytes) by $callback:ident) => {
        fn $name(&mut self, data: &[u8]) {
            // SAFETY: see below; the bytes outlive the call.
            let _ = unsafe { abi::$callback(self.raw, module_buffer(data)) };
        }
    };
    ($name:ident(length) by $callback:ident) => {
        fn $name(&mut self, length: usize) {
            // SAFETY: see below.
            let _ = unsafe { abi::$callback(self.raw, length) };
        }
    };
}

// SAFETY of every call below: `raw` is what Envoy passed to the callback that is running, so it is alive, and so are the
// buffers that it has in that callback.
impl EnvoyNetworkFilter for EnvoyNetworkFilterImpl {
    fn get_read_buffer_chunks(&mut self) -> (Vec<EnvoyBuffer<'_>>, usize) {
        // SAFETY: see above.
        unsafe {
            let count = abi::envoy_dynamic_module_callback_network_filter_get_read_buffer_chunks_size(self.raw);
            chunks(count, |first| {
                abi::envoy_dynamic_module_callback_network_filter_get_read_buffer_chunks(self.raw, first)
            })
        }
    }

    fn get_write_buffer_chunks(&mut self) -> (Vec<EnvoyBuffer<'_>>, usize) {
        // SAFETY: see above.
        unsafe {
            let count = abi::envoy_dynamic_module_callback_network_filter_get_write_buffer_chunks_size(self.raw);
            chunks(count, |first| {
                abi::envoy_dynamic_module_callback_network_filter_get_write_buffer_chunks(self.raw, first)
            })
        }
    }

    change_buffer!(drain_read_buffer(length) by envoy_dynamic_module_callback_network_filter_drain_read_buffer);
    change_buffer!(drain_write_buffer(length) by envoy_dynamic_module_callback_network_filter_drain_write_buffer);
    change_buffer!(append_read_buffer(bytes) by envoy_dynamic_module_callback_network_filter_append_read_buffer);
    change_buffer!(prepend_write_buffer(bytes) by envoy_dynamic_module_callback_network_filter_prepend_write_buffer);
    change_buffer!(append_write_buffer(bytes) by envoy_dynamic_module_callback_network_filter_append_write_buffer);

    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult> {
        // SAFETY: see above.
        let result =
            unsafe { abi::envoy_dynamic_module_callback_network_filter_increment_counter(self.raw, id.0, value) };
        checked(result, ())
    }

    fn close(&mut self, close_type: abi::envoy_dynamic_module_type_network_connection_close_type) {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_network_filter_close(self.raw, close_type) }
    }
}
