//! Filters of listeners for datagrams.

mod envoy;
mod filter;
mod hooks;

pub use envoy::{
    EnvoyUdpListenerFilter, EnvoyUdpListenerFilterConfig, EnvoyUdpListenerFilterConfigImpl, EnvoyUdpListenerFilterImpl,
};
pub use filter::{
    NewUdpListenerFilterConfigFunction, UdpListenerFilter, UdpListenerFilterConfig,
    NEW_UDP_LISTENER_FILTER_CONFIG_FUNCTION,
};
