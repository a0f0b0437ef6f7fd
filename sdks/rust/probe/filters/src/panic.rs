//! `panic`: a filter that panics in the callback of its configuration, for requests that ask for it.

use crate::http::{Filter, Of};
use crate::plan::Plan;
use crate::reply::call_out;
use envoy_proxy_dynamic_modules_rust_sdk::abi::{
    envoy_dynamic_module_type_http_callout_result as CalloutResult,
    envoy_dynamic_module_type_on_http_filter_request_body_status as RequestBodyStatus,
    envoy_dynamic_module_type_on_http_filter_request_headers_status as RequestHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_request_trailers_status as RequestTrailersStatus,
    envoy_dynamic_module_type_on_http_filter_response_body_status as ResponseBodyStatus,
    envoy_dynamic_module_type_on_http_filter_response_headers_status as ResponseHeadersStatus,
    envoy_dynamic_module_type_on_http_filter_response_trailers_status as ResponseTrailersStatus,
};
use envoy_proxy_dynamic_modules_rust_sdk::{
    EnvoyBuffer, EnvoyHttpFilter, EnvoyHttpFilterScheduler, HttpFilter, HttpFilterConfig,
};
use std::cell::Cell;

const CALLBACKS: [&str; 11] = [
    "none",
    "request_headers",
    "request_body",
    "request_trailers",
    "response_headers",
    "response_body",
    "response_trailers",
    "stream_complete",
    "destroy",
    "callout_done",
    "scheduled",
];

pub fn config<EHF: EnvoyHttpFilter>(config: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(Config { plan: Plan::parse(config, &CALLBACKS)? }))
}

struct Config {
    plan: Plan,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Config {
    fn new_http_filter(&self, envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        let filter = Panic { plan: self.plan, asked: Cell::new(asks(envoy)) };
        filter.in_callback("creation");
        if self.plan.guarded {
            guarded(filter)
        } else {
            Box::new(Of(filter))
        }
    }
}

fn asks<EHF: EnvoyHttpFilter>(envoy: &EHF) -> bool {
    envoy.get_request_header_value("x-dmconform-panic").is_some()
}

#[cfg(not(feature = "sdk-1-37"))]
fn guarded<EHF: EnvoyHttpFilter>(filter: Panic) -> Box<dyn HttpFilter<EHF>> {
    Box::new(envoy_proxy_dynamic_modules_rust_sdk::CatchUnwind::new(Of(filter)))
}

#[cfg(feature = "sdk-1-37")]
fn guarded<EHF: EnvoyHttpFilter>(filter: Panic) -> Box<dyn HttpFilter<EHF>> {
    Box::new(Of(filter))
}

struct Panic {
    plan: Plan,
    /// Whether the request wants it. Hosts show its headers while a filter is made from 1.38 on.
    asked: Cell<bool>,
}

impl Panic {
    fn in_callback(&self, callback: &str) {
        if self.asked.get() {
            self.plan.panic_in(callback);
        }
    }
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for Panic {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> RequestHeadersStatus {
        self.asked.set(self.asked.get() | asks(envoy));
        self.in_callback("request_headers");
        if self.asked.get() && self.plan.is("callout_done") && call_out(envoy, "upstream", "/") {
            return RequestHeadersStatus::StopAllIterationAndBuffer;
        }
        if self.asked.get() && self.plan.is("scheduled") {
            envoy.new_scheduler().commit(1);
            return RequestHeadersStatus::StopAllIterationAndBuffer;
        }
        RequestHeadersStatus::Continue
    }

    fn on_request_body(&self, _envoy: &mut EHF, _end_of_stream: bool) -> RequestBodyStatus {
        self.in_callback("request_body");
        RequestBodyStatus::Continue
    }

    fn on_request_trailers(&self, _envoy: &mut EHF) -> RequestTrailersStatus {
        self.in_callback("request_trailers");
        RequestTrailersStatus::Continue
    }

    fn on_response_headers(&self, _envoy: &mut EHF, _end_of_stream: bool) -> ResponseHeadersStatus {
        self.in_callback("response_headers");
        ResponseHeadersStatus::Continue
    }

    fn on_response_body(&self, _envoy: &mut EHF, _end_of_stream: bool) -> ResponseBodyStatus {
        self.in_callback("response_body");
        ResponseBodyStatus::Continue
    }

    fn on_response_trailers(&self, _envoy: &mut EHF) -> ResponseTrailersStatus {
        self.in_callback("response_trailers");
        ResponseTrailersStatus::Continue
    }

    fn on_stream_complete(&self, _envoy: &mut EHF) {
        self.in_callback("stream_complete");
    }

    fn on_http_callout_done(
        &self,
        _envoy: &mut EHF,
        _callout_id: u64,
        _result: CalloutResult,
        _headers: Option<&[(EnvoyBuffer, EnvoyBuffer)]>,
        _body: Option<&[EnvoyBuffer]>,
    ) {
        self.in_callback("callout_done");
    }

    fn on_scheduled(&self, _envoy: &mut EHF, _event_id: u64) {
        self.in_callback("scheduled");
    }
}

/// The end of an HTTP filter in this language.
impl Drop for Panic {
    fn drop(&mut self) {
        // A panic on top of another would end the process, whoever guards.
        if !std::thread::panicking() {
            self.in_callback("destroy");
        }
    }
}
