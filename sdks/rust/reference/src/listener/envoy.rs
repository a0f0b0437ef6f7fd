//! Envoy's side of listener filters: what a module can ask, over the ABI's callbacks.

use crate::abi;
use crate::buffer::{module_buffer, EnvoyBuffer, NO_BYTES};

/// Envoy's side of a filter configuration.
pub trait EnvoyListenerFilterConfig {}

/// Envoy's side of a filter configuration.
pub struct EnvoyListenerFilterConfigImpl {
    _private: (),
}

impl EnvoyListenerFilterConfigImpl {
    pub(super) fn new() -> Self {
        Self { _private: () }
    }
}

impl EnvoyListenerFilterConfig for EnvoyListenerFilterConfigImpl {}

/// Envoy's side of a connection's filter.
pub trait EnvoyListenerFilter {
    /// What has come so far; only in `on_data`.
    fn get_buffer_chunk(&self) -> Option<EnvoyBuffer<'_>>;
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

    fn close_socket(&mut self, details: Option<&str>) {
        let details = module_buffer(details.unwrap_or_default().as_bytes());
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_listener_filter_close_socket(self.raw, details) }
    }
}
