//! `kept_scheduler`: schedules an event on the stream before, which is over.

use crate::http::{Filter, Of};
use envoy_proxy_dynamic_modules_rust_sdk::abi::envoy_dynamic_module_type_on_http_filter_request_headers_status as HeadersStatus;
use envoy_proxy_dynamic_modules_rust_sdk::{EnvoyHttpFilter, EnvoyHttpFilterScheduler, HttpFilter, HttpFilterConfig};
use std::sync::{Arc, Mutex};

/// The scheduler of the stream before.
type Kept = Arc<Mutex<Option<Box<dyn EnvoyHttpFilterScheduler>>>>;

pub fn config<EHF: EnvoyHttpFilter>() -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(KeptScheduler { kept: Kept::default() }))
}

#[derive(Clone)]
struct KeptScheduler {
    kept: Kept,
}

impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for KeptScheduler {
    fn new_http_filter(&self, _envoy: &mut EHF) -> Box<dyn HttpFilter<EHF>> {
        Box::new(Of(self.clone()))
    }
}

impl<EHF: EnvoyHttpFilter> Filter<EHF> for KeptScheduler {
    fn on_request_headers(&self, envoy: &mut EHF, _end_of_stream: bool) -> HeadersStatus {
        let mut kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(scheduler) = kept.replace(Box::new(envoy.new_scheduler())) {
            // A thread that fails to start does nothing; one that panicked has said so.
            let _ = std::thread::spawn(move || scheduler.commit(1)).join();
        }
        HeadersStatus::Continue
    }
}
