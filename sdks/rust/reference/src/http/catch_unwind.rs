//! How an HTTP filter that panics ends its stream: with a 500 on the way of the request, with a reset on the way of the
//! response and elsewhere.

use super::{EnvoyHttpFilter, HttpFilter};
use crate::abi;
use crate::buffer::EnvoyBuffer;
use crate::catch_unwind::{CatchUnwind, Failed};

impl<F> CatchUnwind<F> {
    /// Calls the filter on the way of the request.
    ///
    /// After a panic the answer is `stop`: the local reply is on its way, nothing more of the request may pass.
    fn in_request<EHF: EnvoyHttpFilter, S>(
        &self,
        name: &str,
        envoy: &mut EHF,
        stop: S,
        call: impl FnOnce(&mut F, &mut EHF) -> S,
    ) -> S {
        if self.failed().is_some() {
            return stop;
        }
        self.catch(name, Failed::Answered, |filter| call(filter, envoy)).unwrap_or_else(|| {
            answer_500(envoy);
            stop
        })
    }

    /// Calls the filter on the way of the response.
    ///
    /// After a panic in the request this is the local reply, which must pass (`pass`); after one in the response, nothing
    /// more of it may (`stop`).
    fn in_response<EHF: EnvoyHttpFilter, S>(
        &self,
        name: &str,
        envoy: &mut EHF,
        pass: S,
        stop: S,
        call: impl FnOnce(&mut F, &mut EHF) -> S,
    ) -> S {
        match self.failed() {
            Some(Failed::Answered) => return pass,
            Some(Failed::Ended) => return stop,
            None => {}
        }
        self.catch(name, Failed::Ended, |filter| call(filter, envoy)).unwrap_or_else(|| {
            abandon(envoy);
            stop
        })
    }
}

pub(super) fn answer_500<EHF: EnvoyHttpFilter>(envoy: &mut EHF) {
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

macro_rules! catch_unwind {
    ($self:ident, $($receiver:tt)+) => {
        impl<EHF: EnvoyHttpFilter, F: HttpFilter<EHF>> HttpFilter<EHF> for CatchUnwind<F> {
            fn on_request_headers(
                $($receiver)+,
                envoy_filter: &mut EHF,
                end_of_stream: bool,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
                use abi::envoy_dynamic_module_type_on_http_filter_request_headers_status as Status;
                $self.in_request("on_request_headers", envoy_filter, Status::StopIteration, |filter, envoy| {
                    filter.on_request_headers(envoy, end_of_stream)
                })
            }

            fn on_request_body(
                $($receiver)+,
                envoy_filter: &mut EHF,
                end_of_stream: bool,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_request_body_status {
                use abi::envoy_dynamic_module_type_on_http_filter_request_body_status as Status;
                $self.in_request("on_request_body", envoy_filter, Status::StopIterationNoBuffer, |filter, envoy| {
                    filter.on_request_body(envoy, end_of_stream)
                })
            }

            fn on_request_trailers(
                $($receiver)+,
                envoy_filter: &mut EHF,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status {
                use abi::envoy_dynamic_module_type_on_http_filter_request_trailers_status as Status;
                $self.in_request("on_request_trailers", envoy_filter, Status::StopIteration, |filter, envoy| {
                    filter.on_request_trailers(envoy)
                })
            }

            fn on_response_headers(
                $($receiver)+,
                envoy_filter: &mut EHF,
                end_of_stream: bool,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_response_headers_status {
                use abi::envoy_dynamic_module_type_on_http_filter_response_headers_status as Status;
                $self.in_response(
                    "on_response_headers",
                    envoy_filter,
                    Status::Continue,
                    Status::StopIteration,
                    |filter, envoy| filter.on_response_headers(envoy, end_of_stream),
                )
            }

            fn on_response_body(
                $($receiver)+,
                envoy_filter: &mut EHF,
                end_of_stream: bool,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_response_body_status {
                use abi::envoy_dynamic_module_type_on_http_filter_response_body_status as Status;
                $self.in_response(
                    "on_response_body",
                    envoy_filter,
                    Status::Continue,
                    Status::StopIterationNoBuffer,
                    |filter, envoy| filter.on_response_body(envoy, end_of_stream),
                )
            }

            fn on_response_trailers(
                $($receiver)+,
                envoy_filter: &mut EHF,
            ) -> abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status {
                use abi::envoy_dynamic_module_type_on_http_filter_response_trailers_status as Status;
                $self.in_response(
                    "on_response_trailers",
                    envoy_filter,
                    Status::Continue,
                    Status::StopIteration,
                    |filter, envoy| filter.on_response_trailers(envoy),
                )
            }

            fn on_stream_complete($($receiver)+, envoy_filter: &mut EHF) {
                // The stream is over already: there is nothing left to end.
                $self.notify("on_stream_complete", |filter| filter.on_stream_complete(envoy_filter));
            }

            fn on_http_callout_done(
                $($receiver)+,
                envoy_filter: &mut EHF,
                callout_id: u64,
                result: abi::envoy_dynamic_module_type_http_callout_result,
                response_headers: Option<&[(EnvoyBuffer, EnvoyBuffer)]>,
                response_body: Option<&[EnvoyBuffer]>,
            ) {
                if $self.notify("on_http_callout_done", |filter| {
                    filter.on_http_callout_done(envoy_filter, callout_id, result, response_headers, response_body);
                }) {
                    abandon(envoy_filter);
                }
            }

            fn on_scheduled($($receiver)+, envoy_filter: &mut EHF, event_id: u64) {
                if $self.notify("on_scheduled", |filter| filter.on_scheduled(envoy_filter, event_id)) {
                    abandon(envoy_filter);
                }
            }
        }
    };
}

#[cfg(not(feature = "shared-self"))]
catch_unwind!(self, &mut self);
#[cfg(feature = "shared-self")]
catch_unwind!(self, &self);
