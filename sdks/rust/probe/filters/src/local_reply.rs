//! `local_reply`: answers every request by itself, with the status that is its configuration.

use crate::http::{Filter, Of};
use crate::reply::reply;
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
        Box::new(Of(*self))
    }
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for LocalReply {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> HeadersStatus {
        reply(envoy, self.status, &[("x-dmconform-local", LANG.as_bytes())], b"local reply");
        HeadersStatus::StopIteration
    }
}
