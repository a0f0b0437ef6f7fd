//! The Rust probe: the filters that `sdks/PROBES.md` describes.

mod body;
mod identity;
mod library;
mod local_reply;
mod panic;
mod refuse;
mod transform;

use envoy_proxy_dynamic_modules_rust_sdk::{
    declare_init_functions, EnvoyHttpFilter, EnvoyHttpFilterConfig, HttpFilterConfig,
};
use std::ffi::c_char;
use std::io::Write;

/// What the probe says when it is asked for its language.
const LANG: &str = "rust";

declare_init_functions!(program_init, new_filter_config);

/// Tells the harness which language's probe a library is.
#[no_mangle]
pub extern "C" fn dmconform_marker() -> *const c_char {
    c"rust".as_ptr()
}

fn program_init() -> bool {
    // One write: `eprintln!` may split a line.
    std::io::stderr().write_all(b"dmconform: initialised\n").is_ok()
}

fn new_filter_config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    _envoy: &mut EC,
    name: &str,
    config: &[u8],
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    let config = std::str::from_utf8(config).ok()?;
    match name {
        "transform" => transform::config(config),
        "local_reply" => local_reply::config(config),
        "identity" => identity::config(config),
        "refuse" => refuse::config(config),
        "panic" => panic::config(config),
        _ => None,
    }
}
