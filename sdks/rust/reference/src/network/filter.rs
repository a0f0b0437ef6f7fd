//! What a module implements for network filters.

use super::EnvoyNetworkFilter;
use crate::abi;

/// One configuration of a filter: makes a filter for each connection. Used by all worker threads.
pub trait NetworkFilterConfig<ENF: EnvoyNetworkFilter>: Sync {
    /// Called for each new connection, on its worker thread.
    fn new_network_filter(&self, envoy: &mut ENF) -> Box<dyn NetworkFilter<ENF>>;
}

/// The filter of one connection. Every callback is optional; by default everything passes unchanged.
pub trait NetworkFilter<ENF: EnvoyNetworkFilter> {
    /// The connection is there.
    fn on_new_connection(
        &mut self,
        _envoy_filter: &mut ENF,
    ) -> abi::envoy_dynamic_module_type_on_network_filter_data_status {
        abi::envoy_dynamic_module_type_on_network_filter_data_status::Continue
    }

    /// Bytes have come from downstream, `data_length` of them in the buffer.
    fn on_read(
        &mut self,
        _envoy_filter: &mut ENF,
        _data_length: usize,
        _end_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_network_filter_data_status {
        abi::envoy_dynamic_module_type_on_network_filter_data_status::Continue
    }

    /// Bytes are to go downstream, `data_length` of them in the buffer.
    fn on_write(
        &mut self,
        _envoy_filter: &mut ENF,
        _data_length: usize,
        _end_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_network_filter_data_status {
        abi::envoy_dynamic_module_type_on_network_filter_data_status::Continue
    }

    /// Something has happened to the connection, such as its end; the filter is dropped after that.
    fn on_event(&mut self, _envoy_filter: &mut ENF, _event: abi::envoy_dynamic_module_type_network_connection_event) {}
}
