//! The module's function that makes configurations of network filters.

use super::{EnvoyNetworkFilterConfigImpl, EnvoyNetworkFilterImpl, NetworkFilterConfig};
use std::sync::OnceLock;

/// Called for each filter configuration with the filter's name and its configuration; `None` refuses it.
pub type NewNetworkFilterConfigFunction<EC, ENF> =
    fn(envoy_filter_config: &mut EC, name: &str, config: &[u8]) -> Option<Box<dyn NetworkFilterConfig<ENF>>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_NETWORK_FILTER_CONFIG_FUNCTION: OnceLock<
    NewNetworkFilterConfigFunction<EnvoyNetworkFilterConfigImpl, EnvoyNetworkFilterImpl>,
> = OnceLock::new();
