//! Envoy's side of network filters: what a module can ask, over the ABI's callbacks.

use crate::abi;
use crate::buffer::{chunks, EnvoyBuffer};

/// Envoy's side of a filter configuration.
pub trait EnvoyNetworkFilterConfig {}

/// Envoy's side of a filter configuration.
pub struct EnvoyNetworkFilterConfigImpl {
    _private: (),
}

impl EnvoyNetworkFilterConfigImpl {
    pub(super) fn new() -> Self {
        Self { _private: () }
    }
}

impl EnvoyNetworkFilterConfig for EnvoyNetworkFilterConfigImpl {}

/// Envoy's side of a connection's filter.
pub trait EnvoyNetworkFilter {
    /// What has come from downstream, in chunks, and how many bytes that is; only in `on_read`.
    fn get_read_buffer_chunks(&mut self) -> (Vec<EnvoyBuffer<'_>>, usize);
    /// What is to go downstream, in chunks, and how many bytes that is; only in `on_write`.
    fn get_write_buffer_chunks(&mut self) -> (Vec<EnvoyBuffer<'_>>, usize);
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

    fn close(&mut self, close_type: abi::envoy_dynamic_module_type_network_connection_close_type) {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_network_filter_close(self.raw, close_type) }
    }
}
