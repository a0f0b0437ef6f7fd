//! What a module implements for listener filters.

use super::EnvoyListenerFilter;
use crate::abi;

/// One configuration of a filter: makes a filter for each accepted connection. Used by all worker threads.
pub trait ListenerFilterConfig<ELF: EnvoyListenerFilter>: Sync {
    /// Called for each accepted connection, on its worker thread.
    fn new_listener_filter(&self, envoy: &mut ELF) -> Box<dyn ListenerFilter<ELF>>;
}

/// The filter of one accepted connection. Every callback is optional; by default the connection passes unchanged.
pub trait ListenerFilter<ELF: EnvoyListenerFilter> {
    /// The connection was accepted.
    fn on_accept(&mut self, _envoy_filter: &mut ELF) -> abi::envoy_dynamic_module_type_on_listener_filter_status {
        abi::envoy_dynamic_module_type_on_listener_filter_status::Continue
    }

    /// Bytes have come, `data_length` of them to look at.
    fn on_data(
        &mut self,
        _envoy_filter: &mut ELF,
        _data_length: usize,
    ) -> abi::envoy_dynamic_module_type_on_listener_filter_status {
        abi::envoy_dynamic_module_type_on_listener_filter_status::Continue
    }

    /// How many bytes the filter wants to look at; with 0 it gets none.
    fn max_read_bytes(&mut self, _envoy_filter: &mut ELF) -> usize {
        0
    }

    /// The connection was closed before it got through the listener filters.
    fn on_close(&mut self, _envoy_filter: &mut ELF) {}
}
