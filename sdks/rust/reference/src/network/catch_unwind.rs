//! How a network filter that panics ends its connection: what was written before still goes out, and it is closed.

use super::{EnvoyNetworkFilter, NetworkFilter};
use crate::abi::{
    self, envoy_dynamic_module_type_network_connection_close_type as CloseType,
    envoy_dynamic_module_type_on_network_filter_data_status as Status,
};
use crate::catch_unwind::{CatchUnwind, Failed};

impl<F> CatchUnwind<F> {
    /// Calls the filter, whose answer is a status.
    fn on_connection<ENF: EnvoyNetworkFilter>(
        &mut self,
        name: &str,
        envoy: &mut ENF,
        call: impl FnOnce(&mut F, &mut ENF) -> Status,
    ) -> Status {
        if self.failed().is_some() {
            return Status::StopIteration;
        }
        self.catch(name, Failed::Ended, |filter| call(filter, envoy)).unwrap_or_else(|| {
            envoy.close(CloseType::FlushWrite);
            Status::StopIteration
        })
    }
}

impl<ENF: EnvoyNetworkFilter, F: NetworkFilter<ENF>> NetworkFilter<ENF> for CatchUnwind<F> {
    fn on_new_connection(&mut self, envoy_filter: &mut ENF) -> Status {
        self.on_connection("on_new_connection", envoy_filter, |filter, envoy| filter.on_new_connection(envoy))
    }

    fn on_read(&mut self, envoy_filter: &mut ENF, data_length: usize, end_stream: bool) -> Status {
        self.on_connection("on_read", envoy_filter, |filter, envoy| filter.on_read(envoy, data_length, end_stream))
    }

    fn on_write(&mut self, envoy_filter: &mut ENF, data_length: usize, end_stream: bool) -> Status {
        self.on_connection("on_write", envoy_filter, |filter, envoy| filter.on_write(envoy, data_length, end_stream))
    }

    fn on_event(&mut self, envoy_filter: &mut ENF, event: abi::envoy_dynamic_module_type_network_connection_event) {
        // Not to be ended: the events of a server's connection are its end.
        self.notify("on_event", |filter| filter.on_event(envoy_filter, event));
    }
}
