//! `recreates`: starts its stream anew, and says whether it was dropped while its callback still ran.

use crate::http::{Filter, Of};
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_http_filter_request_headers_status as HeadersStatus;
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

pub fn config<EHF: EnvoyHttpFilter>(config: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    let with_headers = match config {
        "" => false,
        "headers" => true,
        _ => return None,
    };
    Some(Box::new(Config { with_headers }))
}

struct Config {
    with_headers: bool,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Config {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(Recreates { with_headers: self.with_headers, dropped: Arc::default() }))
    }
}

struct Recreates {
    with_headers: bool,
    dropped: Arc<AtomicBool>,
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for Recreates {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> HeadersStatus {
        if envoy.get_request_header_value("x-dmconform-again").is_some() {
            return HeadersStatus::Continue;
        }
        envoy.set_request_header("x-dmconform-again", b"yes");
        let headers: [(&str, &[u8]); 6] = [
            (":method", b"GET"),
            (":path", b"/again"),
            (":scheme", b"http"),
            (":authority", b"dmconform"),
            ("x-dmconform-again", b"yes"),
            ("x-dmconform-new", b"yes"),
        ];
        let headers = self.with_headers.then_some(&headers[..]);
        // What follows does not look at `self`, though the language would let it.
        let dropped = Arc::clone(&self.dropped);
        let when = match (envoy.recreate_stream(headers), dropped.load(Ordering::SeqCst)) {
            (false, _) => "dmconform: not recreated\n",
            (true, true) => "dmconform: destroyed within its callback\n",
            (true, false) => "dmconform: not destroyed within its callback\n",
        };
        // One write; what cannot be written is missed by the harness.
        let _ = std::io::stderr().write_all(when.as_bytes());
        HeadersStatus::StopIteration
    }
}

impl Drop for Recreates {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}
