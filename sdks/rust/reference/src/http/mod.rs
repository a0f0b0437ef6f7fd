//! HTTP filters.

mod boxed;
mod catch_unwind;
mod config;
mod envoy;
mod envoy_impl;
mod filter;
mod hooks;
mod metrics;
mod new;
mod scheduler;

pub use config::EnvoyHttpFilterConfigImpl;
pub use envoy::{EnvoyHttpFilter, EnvoyHttpFilterConfig};
#[cfg(not(feature = "sdk-1-37"))]
pub(crate) use envoy_impl::module_headers;
pub use envoy_impl::EnvoyHttpFilterImpl;
pub use filter::{HttpFilter, HttpFilterConfig};
pub(crate) use metrics::checked;
#[cfg(not(feature = "sdk-1-37"))]
pub use metrics::EnvoyCounterVecId;
pub use metrics::{EnvoyCounterId, EnvoyGaugeId, EnvoyHistogramId};
pub use new::{
    NewHttpFilterConfigFunction, NewHttpFilterPerRouteConfigFunction, NEW_HTTP_FILTER_CONFIG_FUNCTION,
    NEW_HTTP_FILTER_PER_ROUTE_CONFIG_FUNCTION,
};
pub use scheduler::EnvoyHttpFilterScheduler;

/// The headers of a local reply or a callout: a `Vec` up to 1.37, a slice since.
#[cfg(feature = "sdk-1-37")]
pub(crate) type Headers<'a> = Vec<(&'a str, &'a [u8])>;
#[cfg(not(feature = "sdk-1-37"))]
pub(crate) type Headers<'a> = &'a [(&'a str, &'a [u8])];
