//! The wrapper that makes a filter fail closed when it panics.

use crate::abi;
use crate::guard;
use crate::http::{EnvoyHttpFilter, HttpFilter};

/// A filter whose panics end its own stream only: a panic on the way of the request answers 500, one on the way of the
/// response resets the stream. After that the filter is not called any more.
///
/// The SDK wraps every filter in it. Modules can do it themselves too, as with upstream's SDK from 1.38 on.
pub struct CatchUnwind<F> {
    filter: F,
    failed: Option<Failed>,
}

/// Where a filter has panicked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failed {
    InRequest,
    InResponse,
}

impl<F> CatchUnwind<F> {
    /// Wraps a filter.
    pub fn new(filter: F) -> Self {
        Self { filter, failed: None }
    }

    /// Calls the filter on the way of the request.
    ///
    /// After a panic the answer is `stop`: the local reply is on its way, nothing more of the request may pass.
    fn in_request<EHF: EnvoyHttpFilter, S>(
        &mut self,
        name: &str,
        envoy: &mut EHF,
        stop: S,
        call: impl FnOnce(&mut F, &mut EHF) -> S,
    ) -> S {
        if self.failed.is_some() {
            return stop;
        }
        guard::run(name, || call(&mut self.filter, envoy)).unwrap_or_else(|| {
            self.failed = Some(Failed::InRequest);
            answer_500(envoy);
            stop
        })
    }

    /// Calls the filter on the way of the response.
    ///
    /// After a panic in the request this is the local reply, which must pass (`pass`); after one in the response, nothing
    /// more of it may (`stop`).
    fn in_response<EHF: EnvoyHttpFilter, S>(
        &mut self,
        name: &str,
        envoy: &mut EHF,
        pass: S,
        stop: S,
        call: impl FnOnce(&mut F, &mut EHF) -> S,
    ) -> S {
        match self.failed {
            Some(Failed::InRequest) => return pass,
            Some(Failed::InResponse) => return stop,
            None => {}
        }
        guard::run(name, || call(&mut self.filter, envoy)).unwrap_or_else(|| {
            self.failed = Some(Failed::InResponse);
            abandon(envoy);
            stop
        })
    }
}

fn answer_500<EHF: EnvoyHttpFilter>(envoy: &mut EHF) {
    let headers: [(&str, &[u8]); 1] = [("content-type", b"text/plain")];
    #[cfg(feature = "sdk-1-37")]
    let headers = headers.to_vec();
    #[cfg(not(feature = "sdk-1-37"))]
    let headers = &headers;
    envoy.send_response(500, headers, Some(b"filter panicked"), Some("dynamic_module_filter_panicked"));
}

/// Ends a stream whose response is under way.
fn abandon<EHF: EnvoyHttpFilter>(envoy: &mut EHF) {
    // The ABI of 1.37 cannot reset a stream. A local reply does it there, once headers have left; before, it answers 500.
    #[cfg(feature = "sdk-1-37")]
    answer_500(envoy);
    #[cfg(not(feature = "sdk-1-37"))]
    envoy.reset_stream(
        abi::envoy_dynamic_module_type_http_filter_stream_reset_reason::LocalReset,
        "dynamic_module_filter_panicked",
    );
}

impl<EHF: EnvoyHttpFilter, F: HttpFilter<EHF>> HttpFilter<EHF> for CatchUnwind<F> {
    fn on_request_headers(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
        use abi::envoy_dynamic_module_type_on_http_filter_request_headers_status as Status;
        self.in_request("on_request_headers", envoy_filter, Status::StopIteration, |filter, envoy| {
            filter.on_request_headers(envoy, end_of_stream)
        })
    }

    fn on_request_body(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_body_status {
        use abi::envoy_dynamic_module_type_on_http_filter_request_body_status as Status;
        self.in_request("on_request_body", envoy_filter, Status::StopIterationNoBuffer, |filter, envoy| {
            filter.on_request_body(envoy, end_of_stream)
        })
    }

    fn on_request_trailers(
        &mut self,
        envoy_filter: &mut EHF,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status {
        use abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status as Status;
        self.in_request("on_request_trailers", envoy_filter, Status::StopIteration, |filter, envoy| {
            filter.on_request_trailers(envoy)
        })
    }

    fn on_response_headers(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_headers_status {
        use abi::envoy_dynamic_module_type_on_http_filter_response_headers_status as Status;
        self.in_response(
            "on_response_headers",
            envoy_filter,
            Status::Continue,
            Status::StopIteration,
            |filter, envoy| filter.on_response_headers(envoy, end_of_stream),
        )
    }

    fn on_response_body(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_body_status {
        use abi::envoy_dynamic_module_type_on_http_filter_response_body_status as Status;
        self.in_response(
            "on_response_body",
            envoy_filter,
            Status::Continue,
            Status::StopIterationNoBuffer,
            |filter, envoy| filter.on_response_body(envoy, end_of_stream),
        )
    }

    fn on_response_trailers(
        &mut self,
        envoy_filter: &mut EHF,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status {
        use abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status as Status;
        self.in_response(
            "on_response_trailers",
            envoy_filter,
            Status::Continue,
            Status::StopIteration,
            |filter, envoy| filter.on_response_trailers(envoy),
        )
    }

    fn on_stream_complete(&mut self, envoy_filter: &mut EHF) {
        if self.failed.is_none() {
            // The stream is over already: there is nothing left to end.
            let _ = guard::run("on_stream_complete", || self.filter.on_stream_complete(envoy_filter));
        }
    }
}

/// So that the SDK can wrap what a module's configuration made.
impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Box<dyn HttpFilter<EHF>> {
    fn on_request_headers(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
        self.as_mut().on_request_headers(envoy_filter, end_of_stream)
    }

    fn on_request_body(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_body_status {
        self.as_mut().on_request_body(envoy_filter, end_of_stream)
    }

    fn on_request_trailers(
        &mut self,
        envoy_filter: &mut EHF,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status {
        self.as_mut().on_request_trailers(envoy_filter)
    }

    fn on_response_headers(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_headers_status {
        self.as_mut().on_response_headers(envoy_filter, end_of_stream)
    }

    fn on_response_body(
        &mut self,
        envoy_filter: &mut EHF,
        end_of_stream: bool,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_body_status {
        self.as_mut().on_response_body(envoy_filter, end_of_stream)
    }

    fn on_response_trailers(
        &mut self,
        envoy_filter: &mut EHF,
    ) -> abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status {
        self.as_mut().on_response_trailers(envoy_filter)
    }

    fn on_stream_complete(&mut self, envoy_filter: &mut EHF) {
        self.as_mut().on_stream_complete(envoy_filter);
    }
}
