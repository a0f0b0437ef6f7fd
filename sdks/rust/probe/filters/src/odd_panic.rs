//! `odd_panic`: panics of other kinds than those of `panic`.

use crate::http::{Filter, Of};
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_http_filter_request_headers_status as HeadersStatus;
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};
use std::panic::panic_any;

pub fn config<EHF: EnvoyHttpFilter>(config: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    let kind = match config {
        "value" => Kind::Value,
        "twice" => Kind::Twice,
        "configuration_end" => return Some(Box::new(Ends)),
        _ => return None,
    };
    Some(Box::new(Config { kind }))
}

#[derive(Clone, Copy)]
enum Kind {
    Value,
    Twice,
}

struct Config {
    kind: Kind,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Config {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(OddPanic { kind: self.kind }))
    }
}

struct OddPanic {
    kind: Kind,
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for OddPanic {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> HeadersStatus {
        if envoy.get_request_header_value("x-dmconform-panic").is_some() {
            match self.kind {
                Kind::Value => panic_any(77_u32),
                Kind::Twice => panic_any(PanicsToo),
            }
        }
        HeadersStatus::Continue
    }
}

/// A value to panic with that panics as well, when whoever caught it lets it go.
struct PanicsToo;

impl Drop for PanicsToo {
    fn drop(&mut self) {
        panic!("dmconform panic in the end of a panic");
    }
}

/// A configuration that panics when it goes.
struct Ends;

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Ends {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(Passes))
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        panic!("dmconform panic in configuration_end");
    }
}

struct Passes;

impl<EHF: EnvoyHttpFilter> Filter<EHF> for Passes {}
