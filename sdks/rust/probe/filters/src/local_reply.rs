//! `local_reply`: answers every request by itself, with the status that is its configuration.

use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_http_filter_request_headers_status as HeadersStatus;
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, HttpFilter, HttpFilterConfig};

pub fn config<EHF: EnvoyHttpFilter>(config: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    let status = config.parse().ok()?;
    Some(Box::new(LocalReply { status }))
}

#[derive(Clone, Copy)]
struct LocalReply {
    status: u32,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for LocalReply {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(*self)
    }
}

impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for LocalReply {
    fn on_request_headers(&mut self, envoy: &mut EHF, _end_of_stream: bool) -> HeadersStatus {
        let headers: [(&str, &[u8]); 1] = [("x-dmconform-local", LANG.as_bytes())];
        // 1.37 takes the headers as a `Vec`, the releases since as a slice.
        #[cfg(feature = "sdk-1-37")]
        let headers = headers.to_vec();
        #[cfg(not(feature = "sdk-1-37"))]
        let headers = &headers;
        envoy.send_response(self.status, headers, Some(b"local reply"), None);
        HeadersStatus::StopIteration
    }
}
