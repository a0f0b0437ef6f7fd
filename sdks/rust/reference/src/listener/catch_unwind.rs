//! How a listener filter that panics ends its connection: by closing the socket.

use super::{EnvoyListenerFilter, ListenerFilter};
use crate::abi::envoy_dynamic_module_type_on_listener_filter_status as Status;
use crate::catch_unwind::{CatchUnwind, Failed};

impl<F> CatchUnwind<F> {
    /// Calls the filter; after a panic the socket is closed and the answer is `stop`.
    fn on_socket<ELF: EnvoyListenerFilter, R>(
        &mut self,
        name: &str,
        envoy: &mut ELF,
        stop: R,
        call: impl FnOnce(&mut F, &mut ELF) -> R,
    ) -> R {
        if self.failed().is_some() {
            return stop;
        }
        self.catch(name, Failed::Ended, |filter| call(filter, envoy)).unwrap_or_else(|| {
            envoy.close_socket(Some("dynamic_module_filter_panicked"));
            stop
        })
    }
}

impl<ELF: EnvoyListenerFilter, F: ListenerFilter<ELF>> ListenerFilter<ELF> for CatchUnwind<F> {
    fn on_accept(&mut self, envoy_filter: &mut ELF) -> Status {
        self.on_socket("on_accept", envoy_filter, Status::StopIteration, |filter, envoy| filter.on_accept(envoy))
    }

    fn on_data(&mut self, envoy_filter: &mut ELF, data_length: usize) -> Status {
        self.on_socket("on_data", envoy_filter, Status::StopIteration, |filter, envoy| {
            filter.on_data(envoy, data_length)
        })
    }

    fn max_read_bytes(&mut self, envoy_filter: &mut ELF) -> usize {
        self.on_socket("max_read_bytes", envoy_filter, 0, |filter, envoy| filter.max_read_bytes(envoy))
    }

    fn on_close(&mut self, envoy_filter: &mut ELF) {
        self.notify("on_close", |filter| filter.on_close(envoy_filter));
    }
}
