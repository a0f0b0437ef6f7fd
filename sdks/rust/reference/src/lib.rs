//! A minimal SDK in Rust, with the names and signatures of the official SDK of the same release; what is new in 1.40 is in the
//! style of the rest, as no official SDK with it could be had.
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
mod buffer;
mod catch_unwind;
mod guard;
mod held;
mod http;
mod init;
mod log;
mod network;
mod udp_listener;

// What the ABI of 1.37 lacks, or has hardly more of than the hooks.
#[cfg(not(feature = "sdk-1-37"))]
mod bootstrap;
#[cfg(not(feature = "sdk-1-37"))]
mod bridge;
#[cfg(not(feature = "sdk-1-37"))]
mod cert_validator;
#[cfg(not(feature = "sdk-1-37"))]
mod cluster;
#[cfg(not(feature = "sdk-1-37"))]
mod configured;
#[cfg(not(feature = "sdk-1-37"))]
pub mod load_balancer;
#[cfg(not(feature = "sdk-1-37"))]
pub mod matcher;
#[cfg(not(feature = "sdk-1-37"))]
mod text;
#[cfg(not(feature = "sdk-1-37"))]
pub mod tracer;

// What the official SDKs before 1.39 lack; their listener filters lack a hook that hosts insist on, so no filter could be written for
// both providers.
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub mod formatter;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub mod health_checker;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod listener;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub mod stats_sink;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod transport_socket;

// What is new in 1.40.
#[cfg(feature = "sdk-1-40")]
pub mod cluster_specifier;
#[cfg(feature = "sdk-1-40")]
pub mod config_validator;
#[cfg(feature = "sdk-1-40")]
pub mod early_header_mutation;
#[cfg(feature = "sdk-1-40")]
pub mod header_formatter;
#[cfg(feature = "sdk-1-40")]
pub mod matcher_data_input;
#[cfg(feature = "sdk-1-40")]
pub mod route_specifier;
#[cfg(feature = "sdk-1-40")]
mod tls_handshaker;

pub use buffer::{EnvoyBuffer, EnvoyMutBuffer};
pub use http::*;
pub use init::*;
#[doc(hidden)]
pub use log::write as log_at;
pub use network::*;
pub use udp_listener::*;

#[cfg(not(feature = "sdk-1-37"))]
pub use access_log::{NewAccessLoggerConfigFunction, NEW_ACCESS_LOGGER_CONFIG_FUNCTION};
#[cfg(not(feature = "sdk-1-37"))]
pub use bootstrap::*;
#[cfg(not(feature = "sdk-1-37"))]
pub use bridge::*;
#[cfg(not(feature = "sdk-1-37"))]
pub use catch_unwind::CatchUnwind;
#[cfg(not(feature = "sdk-1-37"))]
pub use cert_validator::*;
#[cfg(not(feature = "sdk-1-37"))]
pub use cluster::*;
#[cfg(not(feature = "sdk-1-37"))]
pub use load_balancer::*;
#[cfg(not(feature = "sdk-1-37"))]
pub use tracer::*;

#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub use formatter::{NewFormatterConfigFunction, NEW_FORMATTER_CONFIG_FUNCTION};
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub use health_checker::{NewHealthCheckerConfigFunction, NEW_HEALTH_CHECKER_CONFIG_FUNCTION};
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub use listener::*;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub use transport_socket::*;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
pub use stats_sink::{NewStatSinkConfigFunction, NEW_STAT_SINK_CONFIG_FUNCTION};

#[cfg(feature = "sdk-1-40")]
pub use cluster_specifier::{NewClusterSpecifierConfigFunction, NEW_CLUSTER_SPECIFIER_CONFIG_FUNCTION};
#[cfg(feature = "sdk-1-40")]
pub use config_validator::{NewConfigValidatorFunction, NEW_CONFIG_VALIDATOR_CONFIG_FUNCTION};
#[cfg(feature = "sdk-1-40")]
pub use early_header_mutation::{NewEarlyHeaderMutationConfigFunction, NEW_EARLY_HEADER_MUTATION_CONFIG_FUNCTION};
#[cfg(feature = "sdk-1-40")]
pub use header_formatter::{NewHeaderFormatterConfigFunction, NEW_HEADER_FORMATTER_CONFIG_FUNCTION};
#[cfg(feature = "sdk-1-40")]
pub use route_specifier::{NewRouteSpecifierConfigFunction, NEW_ROUTE_SPECIFIER_CONFIG_FUNCTION};
#[cfg(feature = "sdk-1-40")]
pub use selection::ClusterHostCount;
#[cfg(feature = "sdk-1-40")]
pub use tls_handshaker::*;
