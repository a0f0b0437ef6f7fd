//! A minimal SDK for HTTP filters in Rust, with the names and signatures of upstream's SDK of the same release.
//!
//! It covers what the probes use. Every callback from Envoy is guarded: a panic in a filter is logged at error level and
//! ends that filter's stream; it never leaves the module.

/// The ABI: types, constants and callbacks, generated from the ABI data of this minor.
#[allow(non_camel_case_types, non_upper_case_globals)]
pub mod abi {
    include!(env!("DMCONFORM_ABI_RS"));
}

mod buffer;
mod catch_unwind;
mod envoy;
mod guard;
mod hooks;
mod http;
mod init;
mod log;

pub use buffer::{EnvoyBuffer, EnvoyMutBuffer};
#[cfg(not(feature = "sdk-1-37"))]
pub use catch_unwind::CatchUnwind;
pub use envoy::{EnvoyHttpFilterConfigImpl, EnvoyHttpFilterImpl};
pub use http::{EnvoyHttpFilter, EnvoyHttpFilterConfig, HttpFilter, HttpFilterConfig};
#[doc(hidden)]
pub use init::initialise;
pub use init::{NewHttpFilterConfigFunction, ProgramInitFunction, NEW_HTTP_FILTER_CONFIG_FUNCTION};
#[doc(hidden)]
pub use log::write as log_at;
