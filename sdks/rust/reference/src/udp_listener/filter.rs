//! What a module implements for listeners for datagrams.

use super::{EnvoyUdpListenerFilter, EnvoyUdpListenerFilterConfigImpl, EnvoyUdpListenerFilterImpl};
use crate::abi::envoy_dynamic_module_type_on_udp_listener_filter_status as Status;
use std::sync::OnceLock;

/// One configuration of a filter: makes a filter for each worker thread. Used by all of them.
pub trait UdpListenerFilterConfig<ELF: EnvoyUdpListenerFilter>: Sync {
    /// Called on each worker thread.
    fn new_udp_listener_filter(&self, _envoy: &mut ELF) -> Box<dyn UdpListenerFilter<ELF>>;
}

/// The filter of one worker thread.
pub trait UdpListenerFilter<ELF: EnvoyUdpListenerFilter> {
    /// A datagram has come.
    fn on_data(&mut self, _envoy_filter: &mut ELF) -> Status {
        Status::Continue
    }
}

/// Called for each filter configuration with the filter's name and its configuration; `None` refuses it.
pub type NewUdpListenerFilterConfigFunction<EC, ELF> =
    fn(envoy_filter_config: &mut EC, name: &str, config: &[u8]) -> Option<Box<dyn UdpListenerFilterConfig<ELF>>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_UDP_LISTENER_FILTER_CONFIG_FUNCTION: OnceLock<
    NewUdpListenerFilterConfigFunction<EnvoyUdpListenerFilterConfigImpl, EnvoyUdpListenerFilterImpl>,
> = OnceLock::new();
