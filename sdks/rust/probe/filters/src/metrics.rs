//! `metrics`: has a counter, a gauge and a histogram of its own.

use crate::http::{Filter, Of};
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_http_filter_request_headers_status as HeadersStatus;
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyCounterId, EnvoyGaugeId, EnvoyHistogramId, EnvoyHttpFilter, EnvoyHttpFilterConfig, HttpFilter,
    HttpFilterConfig,
};

pub fn config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    envoy: &mut EC,
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(Metrics {
        count: envoy.define_counter("dmconform_count").ok()?,
        level: envoy.define_gauge("dmconform_level").ok()?,
        size: envoy.define_histogram("dmconform_size").ok()?,
    }))
}

#[derive(Clone, Copy)]
struct Metrics {
    count: EnvoyCounterId,
    level: EnvoyGaugeId,
    size: EnvoyHistogramId,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Metrics {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(*self))
    }
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for Metrics {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> HeadersStatus {
        // What the host does not take shows in its statistics.
        let _ = envoy.increment_counter(self.count, 2);
        let _ = envoy.set_gauge(self.level, 5);
        let _ = envoy.record_histogram_value(self.size, 3);
        HeadersStatus::Continue
    }
}
