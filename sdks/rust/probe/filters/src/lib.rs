//! The Rust probe: the filters that `sdks/PROBES.md` describes.

mod access_log;
mod bare;
mod body;
mod callout;
mod cipher;
mod empty_value;
mod ends_in_event;
mod filter_state;
mod held_body;
mod http;
mod identity;
mod kept_scheduler;
mod library;
mod life;
mod local_reply;
mod log;
mod marks;
mod metadata;
mod metrics;
mod network;
mod odd_panic;
mod panic;
mod per_route;
mod plan;
mod refuse;
mod reply;
mod scheduled;
mod transform;
mod udp_listener_filter;
mod words;

// What the ABI of 1.37 lacks, or has hardly more of than the hooks.
#[cfg(not(feature = "sdk-1-37"))]
mod bootstrap_extension;
#[cfg(not(feature = "sdk-1-37"))]
mod bridge;
#[cfg(not(feature = "sdk-1-37"))]
mod cert_validator;
#[cfg(not(feature = "sdk-1-37"))]
mod cluster;
#[cfg(not(feature = "sdk-1-37"))]
mod hosts;
#[cfg(not(feature = "sdk-1-37"))]
mod load_balancer;
#[cfg(not(feature = "sdk-1-37"))]
mod matcher;
#[cfg(not(feature = "sdk-1-37"))]
mod panics;
#[cfg(not(feature = "sdk-1-37"))]
mod recreates;
#[cfg(not(feature = "sdk-1-37"))]
mod statistics;
#[cfg(not(feature = "sdk-1-37"))]
mod tracer;

// What the SDKs before 1.39 lack; their listener filters lack a hook that hosts insist on.
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod formatter;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod health_checker;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod listener;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod preface;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod stat_sink;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod thread;
#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
mod transport_socket;

// What is new in 1.40, in the reference SDK alone.
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod cluster_specifier;
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod config_validator;
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod early_header_mutation;
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod header_formatter;
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod matcher_data_input;
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod route_specifier;
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod selection;
#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
mod tls_handshaker;

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
    #[cfg(not(feature = "sdk-1-37"))]
    since_1_38();
    #[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
    since_1_39();
    #[cfg(all(feature = "reference", feature = "sdk-1-40"))]
    since_1_40();
    // One write: `eprintln!` may split a line.
    std::io::stderr().write_all(b"dmconform: initialised\n").is_ok()
}

#[cfg(not(feature = "sdk-1-37"))]
fn since_1_38() {
    use envoy_proxy_dynamic_modules_rust_sdk as sdk;
    sdk::NEW_ACCESS_LOGGER_CONFIG_FUNCTION.get_or_init(|| access_log::new_config);
    sdk::NEW_BOOTSTRAP_EXTENSION_CONFIG_FUNCTION.get_or_init(|| bootstrap_extension::new_config);
    sdk::NEW_CERT_VALIDATOR_CONFIG_FUNCTION.get_or_init(|| cert_validator::new_config);
    sdk::NEW_CLUSTER_CONFIG_FUNCTION.get_or_init(|| cluster::new_config);
    sdk::NEW_LOAD_BALANCER_CONFIG_FUNCTION.get_or_init(|| load_balancer::new_config);
    sdk::NEW_TRACER_CONFIG_FUNCTION.get_or_init(|| tracer::new_config);
    sdk::NEW_UPSTREAM_HTTP_TCP_BRIDGE_CONFIG_FUNCTION.get_or_init(|| bridge::new_config);
}

#[cfg(not(any(feature = "sdk-1-37", feature = "sdk-1-38")))]
fn since_1_39() {
    use envoy_proxy_dynamic_modules_rust_sdk as sdk;
    sdk::NEW_FORMATTER_CONFIG_FUNCTION.get_or_init(|| formatter::new_config);
    sdk::NEW_HEALTH_CHECKER_CONFIG_FUNCTION.get_or_init(|| health_checker::new_config);
    sdk::NEW_LISTENER_FILTER_CONFIG_FUNCTION.get_or_init(|| listener::new_filter_config);
    sdk::NEW_STAT_SINK_CONFIG_FUNCTION.get_or_init(|| stat_sink::new_config);
    sdk::NEW_TRANSPORT_SOCKET_FACTORY_CONFIG_FUNCTION.get_or_init(|| transport_socket::new_config);
}

#[cfg(all(feature = "reference", feature = "sdk-1-40"))]
fn since_1_40() {
    use envoy_proxy_dynamic_modules_rust_sdk as sdk;
    sdk::NEW_CLUSTER_SPECIFIER_CONFIG_FUNCTION.get_or_init(|| cluster_specifier::new_config);
    sdk::NEW_CONFIG_VALIDATOR_CONFIG_FUNCTION.get_or_init(|| config_validator::new_config);
    sdk::NEW_EARLY_HEADER_MUTATION_CONFIG_FUNCTION.get_or_init(|| early_header_mutation::new_config);
    sdk::NEW_HEADER_FORMATTER_CONFIG_FUNCTION.get_or_init(|| header_formatter::new_config);
    sdk::NEW_ROUTE_SPECIFIER_CONFIG_FUNCTION.get_or_init(|| route_specifier::new_config);
    sdk::NEW_TLS_HANDSHAKER_CONFIG_FUNCTION.get_or_init(|| tls_handshaker::new_config);
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
