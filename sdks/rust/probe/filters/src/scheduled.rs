//! `scheduled`: holds a request until an event comes that another thread has scheduled.

use crate::http::{Filter, Of};
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_http_filter_request_headers_status as HeadersStatus;
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, EnvoyHttpFilterScheduler, HttpFilter, HttpFilterConfig};
use std::cell::RefCell;
use std::thread::JoinHandle;

pub fn config<EHF: EnvoyHttpFilter>(_: &str) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(Config))
}

struct Config;

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Config {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(Scheduled::default()))
    }
}

#[derive(Default)]
struct Scheduled {
    thread: RefCell<Option<JoinHandle<()>>>,
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for Scheduled {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> HeadersStatus {
        let scheduler = envoy.new_scheduler();
        *self.thread.borrow_mut() = Some(std::thread::spawn(move || scheduler.commit(1)));
        HeadersStatus::StopAllIterationAndBuffer
    }

    fn on_scheduled(&self, envoy: &mut EHF, _event_id: u64) {
        envoy.set_request_header("x-dmconform-scheduled", LANG.as_bytes());
        envoy.continue_decoding();
    }
}

impl Drop for Scheduled {
    fn drop(&mut self) {
        // A thread that outlived the module would run code that is no longer there.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
