//! Envoy's side of filters for datagrams: what a module can ask, over the ABI's callbacks.

use crate::abi::{
    self, envoy_dynamic_module_type_envoy_buffer as RawBuffer,
    envoy_dynamic_module_type_metrics_result as MetricsResult,
};
use crate::buffer::{chunks, module_buffer, EnvoyBuffer, NO_BYTES};
use crate::http::checked;
use crate::{EnvoyCounterId, EnvoyGaugeId, EnvoyHistogramId};

/// Envoy's side of a filter configuration.
pub trait EnvoyUdpListenerFilterConfig {
    /// Defines a counter.
    fn define_counter(&mut self, name: &str) -> Result<EnvoyCounterId, MetricsResult>;
    /// Defines a gauge.
    fn define_gauge(&mut self, name: &str) -> Result<EnvoyGaugeId, MetricsResult>;
    /// Defines a histogram.
    fn define_histogram(&mut self, name: &str) -> Result<EnvoyHistogramId, MetricsResult>;
}

/// Envoy's side of a filter.
pub trait EnvoyUdpListenerFilter {
    /// The datagram, in chunks, and how many bytes it has.
    fn get_datagram_data(&self) -> (Vec<EnvoyBuffer<'_>>, usize);
    /// Replaces the datagram.
    fn set_datagram_data(&mut self, data: &[u8]) -> bool;
    /// Where the datagram came from.
    fn get_peer_address(&self) -> Option<(String, u32)>;
    /// Where it was sent to.
    fn get_local_address(&self) -> Option<(String, u32)>;
    /// Sends a datagram from the listener's address.
    fn send_datagram(&mut self, data: &[u8], peer_address: &str, peer_port: u32) -> bool;
    /// Adds to a counter.
    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult>;
    /// Sets a gauge.
    fn set_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult>;
    /// Adds to a gauge.
    fn increase_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult>;
    /// Takes from a gauge.
    fn decrease_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult>;
    /// Records a value in a histogram.
    fn record_histogram_value(&self, id: EnvoyHistogramId, value: u64) -> Result<(), MetricsResult>;
    /// The number of the worker thread, from 0.
    #[cfg(not(feature = "sdk-1-37"))]
    fn get_worker_index(&self) -> u32;
}

/// Envoy's side of a filter configuration; exists only while a callback runs.
pub struct EnvoyUdpListenerFilterConfigImpl {
    raw: abi::envoy_dynamic_module_type_udp_listener_filter_config_envoy_ptr,
}

impl EnvoyUdpListenerFilterConfigImpl {
    /// # Safety
    /// `raw` is valid as long as the value lives.
    pub(super) unsafe fn new(raw: abi::envoy_dynamic_module_type_udp_listener_filter_config_envoy_ptr) -> Self {
        Self { raw }
    }
}

// SAFETY of every call below: `raw` is what Envoy passed to the callback that is running, so it is alive.
impl EnvoyUdpListenerFilterConfig for EnvoyUdpListenerFilterConfigImpl {
    fn define_counter(&mut self, name: &str) -> Result<EnvoyCounterId, MetricsResult> {
        let (name, mut id) = (module_buffer(name.as_bytes()), 0);
        // SAFETY: see above.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_udp_listener_filter_config_define_counter(self.raw, name, &mut id)
        };
        checked(result, EnvoyCounterId(id))
    }

    fn define_gauge(&mut self, name: &str) -> Result<EnvoyGaugeId, MetricsResult> {
        let (name, mut id) = (module_buffer(name.as_bytes()), 0);
        // SAFETY: see above.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_udp_listener_filter_config_define_gauge(self.raw, name, &mut id)
        };
        checked(result, EnvoyGaugeId(id))
    }

    fn define_histogram(&mut self, name: &str) -> Result<EnvoyHistogramId, MetricsResult> {
        let (name, mut id) = (module_buffer(name.as_bytes()), 0);
        // SAFETY: see above.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_udp_listener_filter_config_define_histogram(self.raw, name, &mut id)
        };
        checked(result, EnvoyHistogramId(id))
    }
}

/// Envoy's side of a filter; exists only while a callback runs.
pub struct EnvoyUdpListenerFilterImpl {
    raw: abi::envoy_dynamic_module_type_udp_listener_filter_envoy_ptr,
}

impl EnvoyUdpListenerFilterImpl {
    /// # Safety
    /// `raw` is valid as long as the value lives.
    pub(super) unsafe fn new(raw: abi::envoy_dynamic_module_type_udp_listener_filter_envoy_ptr) -> Self {
        Self { raw }
    }
}

/// An address and a port, where `show` fills them in.
///
/// # Safety
/// What `show` fills in is valid until this returns.
unsafe fn address(show: impl FnOnce(*mut RawBuffer, *mut u32) -> bool) -> Option<(String, u32)> {
    let (mut address, mut port) = (NO_BYTES, 0);
    if !show(&mut address, &mut port) {
        return None;
    }
    // SAFETY: the caller's promise.
    let address = unsafe { EnvoyBuffer::from_raw(address) };
    Some((String::from_utf8_lossy(address.as_slice()).into_owned(), port))
}

// SAFETY of every call below: `raw` is what Envoy passed to the callback that is running, so it is alive, and so is the
// datagram that it has in that callback.
impl EnvoyUdpListenerFilter for EnvoyUdpListenerFilterImpl {
    fn get_datagram_data(&self) -> (Vec<EnvoyBuffer<'_>>, usize) {
        // SAFETY: see above.
        unsafe {
            let count = abi::envoy_dynamic_module_callback_udp_listener_filter_get_datagram_data_chunks_size(self.raw);
            let (chunks, _) = chunks(count, |first| {
                abi::envoy_dynamic_module_callback_udp_listener_filter_get_datagram_data_chunks(self.raw, first)
            });
            (chunks, abi::envoy_dynamic_module_callback_udp_listener_filter_get_datagram_data_size(self.raw))
        }
    }

    fn set_datagram_data(&mut self, data: &[u8]) -> bool {
        // SAFETY: see above.
        unsafe {
            abi::envoy_dynamic_module_callback_udp_listener_filter_set_datagram_data(self.raw, module_buffer(data))
        }
    }

    fn get_peer_address(&self) -> Option<(String, u32)> {
        // SAFETY: see above.
        unsafe {
            address(|address, port| {
                abi::envoy_dynamic_module_callback_udp_listener_filter_get_peer_address(self.raw, address, port)
            })
        }
    }

    fn get_local_address(&self) -> Option<(String, u32)> {
        // SAFETY: see above.
        unsafe {
            address(|address, port| {
                abi::envoy_dynamic_module_callback_udp_listener_filter_get_local_address(self.raw, address, port)
            })
        }
    }

    fn send_datagram(&mut self, data: &[u8], peer_address: &str, peer_port: u32) -> bool {
        let (data, peer) = (module_buffer(data), module_buffer(peer_address.as_bytes()));
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_udp_listener_filter_send_datagram(self.raw, data, peer, peer_port) }
    }

    fn increment_counter(&self, id: EnvoyCounterId, value: u64) -> Result<(), MetricsResult> {
        // SAFETY: see above.
        let result =
            unsafe { abi::envoy_dynamic_module_callback_udp_listener_filter_increment_counter(self.raw, id.0, value) };
        checked(result, ())
    }

    fn set_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult> {
        // SAFETY: see above.
        let result = unsafe { abi::envoy_dynamic_module_callback_udp_listener_filter_set_gauge(self.raw, id.0, value) };
        checked(result, ())
    }

    fn increase_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult> {
        // SAFETY: see above.
        let result =
            unsafe { abi::envoy_dynamic_module_callback_udp_listener_filter_increment_gauge(self.raw, id.0, value) };
        checked(result, ())
    }

    fn decrease_gauge(&self, id: EnvoyGaugeId, value: u64) -> Result<(), MetricsResult> {
        // SAFETY: see above.
        let result =
            unsafe { abi::envoy_dynamic_module_callback_udp_listener_filter_decrement_gauge(self.raw, id.0, value) };
        checked(result, ())
    }

    fn record_histogram_value(&self, id: EnvoyHistogramId, value: u64) -> Result<(), MetricsResult> {
        // SAFETY: see above.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_udp_listener_filter_record_histogram_value(self.raw, id.0, value)
        };
        checked(result, ())
    }

    #[cfg(not(feature = "sdk-1-37"))]
    fn get_worker_index(&self) -> u32 {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_udp_listener_filter_get_worker_index(self.raw) }
    }
}
