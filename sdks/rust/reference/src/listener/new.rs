//! The module's function that makes configurations of listener filters.

use super::{EnvoyListenerFilterConfigImpl, EnvoyListenerFilterImpl, ListenerFilterConfig};
use std::sync::OnceLock;

/// Called for each filter configuration with the filter's name and its configuration; `None` refuses it.
pub type NewListenerFilterConfigFunction<EC, ELF> =
    fn(envoy_filter_config: &mut EC, name: &str, config: &[u8]) -> Option<Box<dyn ListenerFilterConfig<ELF>>>;

/// To be set while the module is initialised; as long as it is not, every configuration is refused.
pub static NEW_LISTENER_FILTER_CONFIG_FUNCTION: OnceLock<
    NewListenerFilterConfigFunction<EnvoyListenerFilterConfigImpl, EnvoyListenerFilterImpl>,
> = OnceLock::new();
