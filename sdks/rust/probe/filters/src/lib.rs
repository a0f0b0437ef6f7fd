//! The Rust probe: the filters that `sdks/PROBES.md` describes.

mod access_log;
mod bare;
mod body;
// The ABI of 1.37 has hardly more of bootstrap extensions than its hooks.
#[cfg(not(feature = "sdk-1-37"))]
mod bootstrap_extension;
// The ABI of 1.37 has no bridges.
#[cfg(not(feature = "sdk-1-37"))]
mod bridge;
mod callout;
// New in 1.40, in the reference SDK alone.
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod early_header_mutation;
// New in 1.40, in the reference SDK alone: these, and what they share.
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod cluster_specifier;
mod config_validator;
mod cipher;
mod empty_value;
mod ends_in_event;
mod filter_state;
// The older ABIs have no formatters.
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod formatter;
// New in 1.40, in the reference SDK alone.
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod header_formatter;
#[cfg(not(feature = "sdk-1-37"))]
mod cluster;
mod empty_value;
mod ends_in_event;
mod filter_state;
// The ABI before 1.39 has no health checkers.
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod health_checker;
mod held_body;
// The ABI of 1.37 has no clusters.
#[cfg(not(feature = "sdk-1-37"))]
mod hosts;
mod http;
mod identity;
mod kept_scheduler;
mod library;
mod life;
// The ABI of 1.37 has no load-balancing policies.
#[cfg(not(feature = "sdk-1-37"))]
mod load_balancer;
// Listener filters of the older SDKs lack a hook that hosts insist on.
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod listener;
mod local_reply;
mod log;
// The ABI of 1.37 has no matchers.
#[cfg(not(feature = "sdk-1-37"))]
mod matcher;
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod matcher_data_input;
mod marks;
mod metadata;
mod metrics;
mod network;
mod odd_panic;
mod panic;
#[cfg(not(feature = "sdk-1-37"))]
mod panics;
mod per_route;
mod plan;
// As `listener`.
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod preface;
// The ABI of 1.37 cannot.
#[cfg(not(feature = "sdk-1-37"))]
mod recreates;
mod refuse;
mod reply;
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod route_specifier;
mod scheduled;
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod selection;
// The SDKs before 1.39 have no sinks.
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod stat_sink;
// The ABI of 1.37 has no statistics for bootstrap extensions.
#[cfg(not(feature = "sdk-1-37"))]
mod statistics;
// The ABI of 1.37 has no tracers.
#[cfg(not(feature = "sdk-1-37"))]
mod tracer;
mod transform;
mod udp_listener_filter;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod thread;
mod transform;
#[cfg(not(feature = "sdk-1-37"))]
mod words;

use envoy_proxy_dynamic_modules_rust_sdk::{
    declare_init_functions, EnvoyHttpFilter, EnvoyHttpFilterConfig, HttpFilterConfig,
    NEW_NETWORK_FILTER_CONFIG_FUNCTION, NEW_UDP_LISTENER_FILTER_CONFIG_FUNCTION,
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
    NEW_UDP_LISTENER_FILTER_CONFIG_FUNCTION.get_or_init(|| udp_listener_filter::new_config);
    #[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
    envoy_proxy_dynamic_modules_rust_sdk::NEW_LISTENER_FILTER_CONFIG_FUNCTION
        .get_or_init(|| listener::new_filter_config);
    #[cfg(not(feature = "sdk-1-37"))]
    envoy_proxy_dynamic_modules_rust_sdk::NEW_ACCESS_LOGGER_CONFIG_FUNCTION.get_or_init(|| access_log::new_config);
    #[cfg(not(feature = "sdk-1-37"))]
    envoy_proxy_dynamic_modules_rust_sdk::NEW_BOOTSTRAP_EXTENSION_CONFIG_FUNCTION
        .get_or_init(|| bootstrap_extension::new_config);
        .get_or_init(|| statistics::new_config);
    #[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
    envoy_proxy_dynamic_modules_rust_sdk::NEW_HEALTH_CHECKER_CONFIG_FUNCTION.get_or_init(|| health_checker::new_config);
    #[cfg(not(feature = "sdk-1-37"))]
    envoy_proxy_dynamic_modules_rust_sdk::NEW_LOAD_BALANCER_CONFIG_FUNCTION.get_or_init(|| load_balancer::new_config);
    #[cfg(not(feature = "sdk-1-37"))]
    envoy_proxy_dynamic_modules_rust_sdk::NEW_CLUSTER_CONFIG_FUNCTION.get_or_init(|| cluster::new_config);
    #[cfg(not(feature = "sdk-1-37"))]
    envoy_proxy_dynamic_modules_rust_sdk::NEW_UPSTREAM_HTTP_TCP_BRIDGE_CONFIG_FUNCTION
        .get_or_init(|| bridge::new_config);
    #[cfg(not(feature = "sdk-1-37"))]
    envoy_proxy_dynamic_modules_rust_sdk::NEW_TRACER_CONFIG_FUNCTION.get_or_init(|| tracer::new_config);
    #[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
    envoy_proxy_dynamic_modules_rust_sdk::NEW_FORMATTER_CONFIG_FUNCTION.get_or_init(|| formatter::new_config);
    #[cfg(all(feature = "reference", feature = "sdk-1-40"))]
    {
        envoy_proxy_dynamic_modules_rust_sdk::NEW_EARLY_HEADER_MUTATION_CONFIG_FUNCTION
            .get_or_init(|| early_header_mutation::new_config);
        envoy_proxy_dynamic_modules_rust_sdk::NEW_HEADER_FORMATTER_CONFIG_FUNCTION
            .get_or_init(|| header_formatter::new_config);
    #[cfg(all(feature = "reference", feature = "sdk-1-40"))]
    {
        envoy_proxy_dynamic_modules_rust_sdk::NEW_CLUSTER_SPECIFIER_CONFIG_FUNCTION
            .get_or_init(|| cluster_specifier::new_config);
        envoy_proxy_dynamic_modules_rust_sdk::NEW_ROUTE_SPECIFIER_CONFIG_FUNCTION
            .get_or_init(|| route_specifier::new_config);
    }
    #[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
    envoy_proxy_dynamic_modules_rust_sdk::NEW_STAT_SINK_CONFIG_FUNCTION.get_or_init(|| stat_sink::new_config);
    #[cfg(all(feature = "reference", feature = "sdk-1-40"))]
    envoy_proxy_dynamic_modules_rust_sdk::NEW_CONFIG_VALIDATOR_CONFIG_FUNCTION
        .get_or_init(|| config_validator::new_config);
    // One write: `eprintln!` may split a line.
    std::io::stderr().write_all(b"dmconform: initialised\n").is_ok()
}

fn new_filter_config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    envoy: &mut EC,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    if name == "marks" {
        return marks::config(config);
    }
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
        "bare" => bare::config(),
        "empty_value" => empty_value::config(),
        "ends_in_event" => ends_in_event::config(envoy, config),
        "odd_panic" => odd_panic::config(config),
        "held_body" => held_body::config(),
        "kept_scheduler" => kept_scheduler::config(),
        #[cfg(not(feature = "sdk-1-37"))]
        "recreates" => recreates::config(config),
        _ => None,
    }
}

fn new_route_config(name: &str, config: &[u8]) -> Option<Box<dyn Any>> {
    match name {
        "per_route" => per_route::route_config(std::str::from_utf8(config).ok()?),
        _ => None,
    }
}
