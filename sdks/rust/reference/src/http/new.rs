//! The module's functions that make configurations of HTTP filters.

use super::{EnvoyHttpFilterConfigImpl, EnvoyHttpFilterImpl, HttpFilterConfig};
use std::any::Any;
use std::sync::OnceLock;

/// Called for each filter configuration with the filter's name and its configuration; `None` refuses it.
pub type NewHttpFilterConfigFunction<EC, EHF> =
    fn(envoy_filter_config: &mut EC, name: &str, config: &[u8]) -> Option<Box<dyn HttpFilterConfig<EHF>>>;

/// Called for each configuration that a route has for a filter, with the name it has there; `None` refuses it.
pub type NewHttpFilterPerRouteConfigFunction = fn(name: &str, config: &[u8]) -> Option<Box<dyn Any>>;

/// What [`declare_init_functions`](crate::declare_init_functions) was given.
pub static NEW_HTTP_FILTER_CONFIG_FUNCTION: OnceLock<
    NewHttpFilterConfigFunction<EnvoyHttpFilterConfigImpl, EnvoyHttpFilterImpl>,
> = OnceLock::new();

/// What [`declare_init_functions`](crate::declare_init_functions) was given for routes.
pub static NEW_HTTP_FILTER_PER_ROUTE_CONFIG_FUNCTION: OnceLock<NewHttpFilterPerRouteConfigFunction> = OnceLock::new();
