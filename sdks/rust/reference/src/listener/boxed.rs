//! A boxed listener filter is one too, so that the SDK can wrap what a module's configuration made.

use super::{EnvoyListenerFilter, ListenerFilter};
use crate::abi::envoy_dynamic_module_type_on_listener_filter_status as Status;

impl<ELF: EnvoyListenerFilter> ListenerFilter<ELF> for Box<dyn ListenerFilter<ELF>> {
    fn on_accept(&mut self, envoy_filter: &mut ELF) -> Status {
        self.as_mut().on_accept(envoy_filter)
    }

    fn on_data(&mut self, envoy_filter: &mut ELF, data_length: usize) -> Status {
        self.as_mut().on_data(envoy_filter, data_length)
    }

    fn max_read_bytes(&mut self, envoy_filter: &mut ELF) -> usize {
        self.as_mut().max_read_bytes(envoy_filter)
    }

    fn on_close(&mut self, envoy_filter: &mut ELF) {
        self.as_mut().on_close(envoy_filter);
    }
}
