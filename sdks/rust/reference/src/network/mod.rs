//! Network filters.

mod boxed;
mod catch_unwind;
mod envoy;
mod filter;
mod hooks;
mod new;

pub use envoy::{EnvoyNetworkFilter, EnvoyNetworkFilterConfig, EnvoyNetworkFilterConfigImpl, EnvoyNetworkFilterImpl};
pub use filter::{NetworkFilter, NetworkFilterConfig};
pub use new::{NewNetworkFilterConfigFunction, NEW_NETWORK_FILTER_CONFIG_FUNCTION};
