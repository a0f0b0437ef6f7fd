//! `callout`: asks a cluster before it answers by itself.

use crate::http::{Filter, Of};
use crate::reply::{call_out, reply};
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_http_callout_result as CalloutResult,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as HeadersStatus,
};
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyBuffer, EnvoyHttpFilter, HttpFilter, HttpFilterConfig};
use std::cell::Cell;
use std::sync::Arc;

pub fn config<EHF: EnvoyHttpFilter>(config: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(Config { cluster: config.into() }))
}

struct Config {
    cluster: Arc<str>,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Config {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(Callout { cluster: Arc::clone(&self.cluster), started: Cell::new(false) }))
    }
}

struct Callout {
    cluster: Arc<str>,
    started: Cell<bool>,
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for Callout {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> HeadersStatus {
        self.started.set(call_out(envoy, &self.cluster, "/callout"));
        if !self.started.get() {
            reply(envoy, 502, &[], b"callout not started");
        }
        HeadersStatus::StopAllIterationAndBuffer
    }

    fn on_http_callout_done(
        &self,
        envoy: &mut EHF,
        _callout_id: u64,
        result: CalloutResult,
        headers: Option<&[(EnvoyBuffer, EnvoyBuffer)]>,
        body: Option<&[EnvoyBuffer]>,
    ) {
        if !self.started.get() {
            // A host that finds nobody to ask says so twice: here, while the callout is still being started, is the first time.
            return;
        }
        let status = headers.into_iter().flatten().find(|(name, _)| name.as_slice() == b":status");
        match status {
            Some((_, status)) if result == CalloutResult::Success => {
                let value = [LANG.as_bytes(), b" ", status.as_slice()].concat();
                let body: Vec<u8> = body.into_iter().flatten().flat_map(|piece| piece.as_slice()).copied().collect();
                reply(envoy, 200, &[("x-dmconform-callout", &value)], &body);
            }
            _ => reply(envoy, 502, &[], b"callout failed"),
        }
    }
}
