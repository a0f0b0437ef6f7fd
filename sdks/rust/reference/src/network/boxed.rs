//! A boxed network filter is one too, so that the SDK can wrap what a module's configuration made.

use super::{EnvoyNetworkFilter, NetworkFilter};
use crate::abi::{self, envoy_dynamic_module_type_on_network_filter_data_status as Status};

impl<ENF: EnvoyNetworkFilter> NetworkFilter<ENF> for Box<dyn NetworkFilter<ENF>> {
    fn on_new_connection(&mut self, envoy_filter: &mut ENF) -> Status {
        self.as_mut().on_new_connection(envoy_filter)
    }

    fn on_read(&mut self, envoy_filter: &mut ENF, data_length: usize, end_stream: bool) -> Status {
        self.as_mut().on_read(envoy_filter, data_length, end_stream)
    }

    fn on_write(&mut self, envoy_filter: &mut ENF, data_length: usize, end_stream: bool) -> Status {
        self.as_mut().on_write(envoy_filter, data_length, end_stream)
    }

    fn on_event(&mut self, envoy_filter: &mut ENF, event: abi::envoy_dynamic_module_type_network_connection_event) {
        self.as_mut().on_event(envoy_filter, event);
    }
}
