//! The Rust probe: the filters that `sdks/PROBES.md` describes.

mod body;
mod callout;
mod filter_state;
mod http;
mod identity;
mod library;
// Listener filters of the older SDKs lack a hook that hosts insist on.
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod listener;
mod local_reply;
mod log;
mod metadata;
mod metrics;
mod network;
mod panic;
mod per_route;
mod plan;
mod refuse;
mod reply;
mod scheduled;
mod transform;

use envoy_proxy_dynamic_modules_rust_sdk::{
    declare_init_functions, EnvoyHttpFilter, EnvoyHttpFilterConfig, HttpFilterConfig,
    NEW_NETWORK_FILTER_CONFIG_FUNCTION,
};
use std::any::Any;
use std::ffi::c_char;
use std::io::Write;

/// What the probe says when it is asked for its language.
const LANG: &str = "rust";

declare_init_functions!(program_init, new_filter_config, new_route_config);

/// Tells the harness which language's probe a library is.
#[no_mangle]
pub extern "C" fn dmconform_marker() -> *const c_char {
    c"rust".as_ptr()
}

fn program_init() -> bool {
    // Set here, for 1.37 has no macro for filters of several kinds.
    NEW_NETWORK_FILTER_CONFIG_FUNCTION.get_or_init(|| network::new_filter_config);
    #[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
    envoy_proxy_dynamic_modules_rust_sdk::NEW_LISTENER_FILTER_CONFIG_FUNCTION
        .get_or_init(|| listener::new_filter_config);
    // One write: `eprintln!` may split a line.
    std::io::stderr().write_all(b"dmconform: initialised\n").is_ok()
}

fn new_filter_config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    envoy: &mut EC,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    let config = std::str::from_utf8(config).ok()?;
    match name {
        "transform" => transform::config(config),
        "local_reply" => local_reply::config(config),
        "identity" => identity::config(config),
        "refuse" => refuse::config(config),
        "per_route" => per_route::config(config),
        "callout" => callout::config(config),
        "scheduled" => scheduled::config(config),
        "metadata" => metadata::config(config),
        "filter_state" => filter_state::config(config),
        "metrics" => metrics::config(envoy),
        "log" => log::config(config),
        "panic" => panic::config(config),
        _ => None,
    }
}

fn new_route_config(name: &str, config: &[u8]) -> Option<Box<dyn Any>> {
    match name {
        "per_route" => per_route::route_config(std::str::from_utf8(config).ok()?),
        _ => None,
    }
}
