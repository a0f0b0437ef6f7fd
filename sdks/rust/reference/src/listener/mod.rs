//! Listener filters.

mod boxed;
mod catch_unwind;
mod envoy;
mod filter;
mod hooks;
mod new;

pub use envoy::{
    EnvoyListenerFilter, EnvoyListenerFilterConfig, EnvoyListenerFilterConfigImpl, EnvoyListenerFilterImpl,
};
pub use filter::{ListenerFilter, ListenerFilterConfig};
pub use new::{NewListenerFilterConfigFunction, NEW_LISTENER_FILTER_CONFIG_FUNCTION};
