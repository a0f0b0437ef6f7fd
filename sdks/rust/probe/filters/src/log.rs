//! `log`: writes to the host's log at every level.

use crate::http::{Filter, Of};
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_http_filter_request_headers_status as HeadersStatus;
use envoy_proxy_dynamic_modules_rust_sdk::{
    envoy_log_critical, envoy_log_debug, envoy_log_error, envoy_log_info, envoy_log_trace, envoy_log_warn,
    EnvoyHttpFilter, HttpFilter, HttpFilterConfig,
};
use std::sync::Arc;

pub fn config<EHF: EnvoyHttpFilter>(config: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(Log { text: config.into() }))
}

#[derive(Clone)]
struct Log {
    text: Arc<str>,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Log {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(self.clone()))
    }
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for Log {
    fn on_request_headers(&self, _envoy: &mut EHF, _end_of_stream: bool) -> HeadersStatus {
        envoy_log_trace!("dmconform log trace {}", self.text);
        envoy_log_debug!("dmconform log debug {}", self.text);
        envoy_log_info!("dmconform log info {}", self.text);
        envoy_log_warn!("dmconform log warn {}", self.text);
        envoy_log_error!("dmconform log error {}", self.text);
        envoy_log_critical!("dmconform log critical {}", self.text);
        HeadersStatus::Continue
    }
}
