//! `panic`: a filter that panics in the callback of its configuration, for requests that ask for it.

use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBodyStatus,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_response_body_status as ResponseBodyStatus,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeadersStatus,
};
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};

/// `CALLBACK` or `CALLBACK guarded`. 1.37 has no guard of its own, so it refuses the latter.
pub fn config<EHF: EnvoyHttpFilter>(config: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    let (callback, guarded) = match config.strip_suffix(" guarded") {
        Some(callback) => (callback, true),
        None => (config, false),
    };
    if guarded && cfg!(feature = "sdk-1-37") {
        return None;
    }
    let callback = ["request_headers", "request_body", "response_headers", "response_body"]
        .into_iter()
        .find(|known| *known == callback)?;
    Some(Box::new(Config { callback, guarded }))
}

struct Config {
    callback: &'static str,
    guarded: bool,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Config {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        let filter = Panic { callback: self.callback, asked: false };
        if self.guarded {
            guarded(filter)
        } else {
            Box::new(filter)
        }
    }
}

#[cfg(not(feature = "sdk-1-37"))]
fn guarded<EHF: EnvoyHttpFilter>(filter: Panic) -> Box<dyn HttpFilter<EHF>> {
    Box::new(envoy_proxy_dynamic_modules_rust_sdk::CatchUnwind::new(filter))
}

#[cfg(feature = "sdk-1-37")]
fn guarded<EHF: EnvoyHttpFilter>(filter: Panic) -> Box<dyn HttpFilter<EHF>> {
    Box::new(filter)
}

struct Panic {
    callback: &'static str,
    /// Whether the request wants it; known from its headers on.
    asked: bool,
}

impl Panic {
    fn in_callback(&self, callback: &str) {
        if self.asked && self.callback == callback {
            panic!("dmconform panic in {callback}");
        }
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Panic {
    fn on_request_headers(&mut self, envoy: &mut EHF, _end_of_stream: bool) -> RequestHeadersStatus {
        self.asked = envoy.get_request_header_value("x-dmconform-panic").is_some();
        self.in_callback("request_headers");
        RequestHeadersStatus::Continue
    }

    fn on_request_body(&mut self, _envoy: &mut EHF, _end_of_stream: bool) -> RequestBodyStatus {
        self.in_callback("request_body");
        RequestBodyStatus::Continue
    }

    fn on_response_headers(&mut self, _envoy: &mut EHF, _end_of_stream: bool) -> ResponseHeadersStatus {
        self.in_callback("response_headers");
        ResponseHeadersStatus::Continue
    }

    fn on_response_body(&mut self, _envoy: &mut EHF, _end_of_stream: bool) -> ResponseBodyStatus {
        self.in_callback("response_body");
        ResponseBodyStatus::Continue
    }
}
