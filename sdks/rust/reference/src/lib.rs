//! A minimal SDK for HTTP, network and listener filters, access loggers, bootstrap extensions, clusters and bridges in Rust, with
//! the names and signatures of the official SDK of the same release.
//!
//! It covers what the probes use. Every callback from Envoy is guarded: a panic in a filter is logged at error level and
//! ends that filter's stream or connection; it never leaves the module.

/// The ABI: types, constants and callbacks, generated from the ABI data of this minor.
#[allow(non_camel_case_types, non_upper_case_globals)]
pub mod abi {
    include!(env!("DMCONFORM_ABI_RS"));
}

#[macro_use]
mod ignored;
// What is new in the ABI of 1.40.
#[cfg(feature = "sdk-1-40")]
#[macro_use]
mod selection;
#[cfg(not(feature = "sdk-1-37"))]
#[macro_use]
mod metrics;

pub mod access_log;
// The ABI of 1.37 has hardly more of it than its hooks.
#[cfg(not(feature = "sdk-1-37"))]
mod bootstrap;
// The ABI of 1.37 has none.
#[cfg(not(feature = "sdk-1-37"))]
mod bridge;
mod buffer;
mod catch_unwind;
// The ABI of 1.37 has none.
#[cfg(not(feature = "sdk-1-37"))]
mod cluster;
// New in 1.40.
#[cfg(feature = "sdk-1-40")]
pub mod early_header_mutation;
// The older ABIs have none.
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub mod formatter;
#[cfg(feature = "sdk-1-40")]
pub mod cluster_specifier;
// What the ABI of 1.37 has keeps its configurations otherwise.
#[cfg(not(feature = "sdk-1-37"))]
mod configured;
// The older ABIs have none.
#[cfg(feature = "sdk-1-40")]
pub mod config_validator;
mod guard;
// New in 1.40.
#[cfg(feature = "sdk-1-40")]
pub mod header_formatter;
// The ABI before 1.39 has none.
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub mod health_checker;
mod held;
mod http;
mod init;
// The official SDK's listener filters of 1.37 and 1.38 lack a hook that hosts insist on, so no filter could be written for both.
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod listener;
// The ABI of 1.37 has none.
#[cfg(not(feature = "sdk-1-37"))]
pub mod load_balancer;
mod log;
// The ABI of 1.37 has none.
#[cfg(not(feature = "sdk-1-37"))]
pub mod matcher;
#[cfg(feature = "sdk-1-40")]
pub mod matcher_data_input;
mod network;
// The ABI of 1.37 has none.
#[cfg(not(feature = "sdk-1-37"))]
pub mod tracer;
#[cfg(feature = "sdk-1-40")]
pub mod route_specifier;
// The older ABIs have no sinks.
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub mod stats_sink;
mod udp_listener;
#[cfg(not(feature = "sdk-1-37"))]
mod text;

#[cfg(not(feature = "sdk-1-37"))]
pub use access_log::{NewAccessLoggerConfigFunction, NEW_ACCESS_LOGGER_CONFIG_FUNCTION};
#[cfg(not(feature = "sdk-1-37"))]
pub use bootstrap::*;
#[cfg(not(feature = "sdk-1-37"))]
pub use bridge::*;
pub use buffer::{EnvoyBuffer, EnvoyMutBuffer};
#[cfg(not(feature = "sdk-1-37"))]
pub use catch_unwind::CatchUnwind;
#[cfg(not(feature = "sdk-1-37"))]
pub use cluster::*;
#[cfg(feature = "sdk-1-40")]
pub use early_header_mutation::{NewEarlyHeaderMutationConfigFunction, NEW_EARLY_HEADER_MUTATION_CONFIG_FUNCTION};
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub use formatter::{NewFormatterConfigFunction, NEW_FORMATTER_CONFIG_FUNCTION};
#[cfg(feature = "sdk-1-40")]
pub use header_formatter::{NewHeaderFormatterConfigFunction, NEW_HEADER_FORMATTER_CONFIG_FUNCTION};
pub use cluster_specifier::{NewClusterSpecifierConfigFunction, NEW_CLUSTER_SPECIFIER_CONFIG_FUNCTION};
pub use config_validator::{NewConfigValidatorFunction, NEW_CONFIG_VALIDATOR_CONFIG_FUNCTION};
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub use health_checker::{NewHealthCheckerConfigFunction, NEW_HEALTH_CHECKER_CONFIG_FUNCTION};
pub use http::*;
pub use init::*;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub use listener::*;
#[cfg(not(feature = "sdk-1-37"))]
pub use load_balancer::*;
#[doc(hidden)]
pub use log::write as log_at;
pub use network::*;
#[cfg(not(feature = "sdk-1-37"))]
pub use tracer::*;
#[cfg(feature = "sdk-1-40")]
pub use route_specifier::{NewRouteSpecifierConfigFunction, NEW_ROUTE_SPECIFIER_CONFIG_FUNCTION};
#[cfg(feature = "sdk-1-40")]
pub use selection::ClusterHostCount;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub use stats_sink::{NewStatSinkConfigFunction, NEW_STAT_SINK_CONFIG_FUNCTION};
pub use udp_listener::*;
