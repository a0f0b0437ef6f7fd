//! `ends_in_event`: answers a request in an event, and counts how many of its streams were reported complete.

use crate::http::{Filter, Of};
use crate::reply::reply;
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_http_filter_request_headers_status as HeadersStatus;
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyCounterId, EnvoyHttpFilter, EnvoyHttpFilterConfig, EnvoyHttpFilterScheduler, HttpFilter, HttpFilterConfig,
};

pub fn config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(
    envoy: &mut EC,
    config: &str,
) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    let guarded = match config {
        "" => false,
        "guarded" if cfg!(not(feature = "sdk-1-37")) => true,
        _ => return None,
    };
    Some(Box::new(Config { complete: envoy.define_counter("dmconform_complete").ok()?, guarded }))
}

struct Config {
    complete: EnvoyCounterId,
    guarded: bool,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Config {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        let filter = EndsInEvent { complete: self.complete };
        if self.guarded {
            guarded(filter)
        } else {
            Box::new(Of(filter))
        }
    }
}

#[cfg(not(feature = "sdk-1-37"))]
fn guarded<EHF: EnvoyHttpFilter>(filter: EndsInEvent) -> Box<dyn HttpFilter<EHF>> {
    Box::new(envoy_proxy_dynamic_modules_rust_sdk::CatchUnwind::new(Of(filter)))
}

#[cfg(feature = "sdk-1-37")]
fn guarded<EHF: EnvoyHttpFilter>(_filter: EndsInEvent) -> Box<dyn HttpFilter<EHF>> {
    unreachable!("this SDK has no guard, so that no configuration asks for it")
}

struct EndsInEvent {
    complete: EnvoyCounterId,
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for EndsInEvent {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> HeadersStatus {
        envoy.new_scheduler().commit(1);
        HeadersStatus::StopAllIterationAndBuffer
    }

    /// Answering ends the stream, so the host may call this filter again before it returns.
    fn on_scheduled(&self, envoy: &mut EHF, _event_id: u64) {
        reply(envoy, 200, &[], b"ended in an event");
    }

    fn on_stream_complete(&self, envoy: &mut EHF) {
        // What the host does not take shows in its statistics.
        let _ = envoy.increment_counter(self.complete, 1);
    }
}
