// The hooks of HTTP filters on messages.
#include "lend.h"
#include "stream.h"

using namespace Envoy::DynamicModules; // NOLINT(google-build-using-namespace): a file of C functions

namespace {

// A hook of the request's path: where it throws, the client gets a 500.
template <class Status, class Call>
Status onRequest(const void* pointer, std::string_view hook, Status stop, Call call) {
  return guardedCall(stream(pointer), hook, static_cast<Status>(0), stop, failRequest, call);
}

// A hook of the response's path: where it throws, the response ends.
template <class Status, class Call>
Status onResponse(const void* pointer, std::string_view hook, Status stop, Call call) {
  return guardedCall(stream(pointer), hook, static_cast<Status>(0), stop, abandonResponse, call);
}

} // namespace

extern "C" {

envoy_dynamic_module_type_on_http_filter_request_headers_status
envoy_dynamic_module_on_http_filter_request_headers(void*, const void* filter, bool end_of_stream) {
  constexpr auto stop = envoy_dynamic_module_type_on_http_filter_request_headers_status_StopIteration;
  if (stream(filter).filter == nullptr) {
    failRequest(stream(filter));
    return stop;
  }
  return onRequest(filter, "request_headers", stop, [&](Stream& s) {
    return s.filter->onRequestHeaders(s.handle.requestHeaders(), end_of_stream);
  });
}

envoy_dynamic_module_type_on_http_filter_request_body_status
envoy_dynamic_module_on_http_filter_request_body(void*, const void* filter, bool end_of_stream) {
  return onRequest(filter, "request_body",
                   envoy_dynamic_module_type_on_http_filter_request_body_status_StopIterationNoBuffer,
                   [&](Stream& s) { return s.filter->onRequestBody(s.handle.receivedRequestBody(), end_of_stream); });
}

envoy_dynamic_module_type_on_http_filter_request_trailers_status
envoy_dynamic_module_on_http_filter_request_trailers(void*, const void* filter) {
  return onRequest(filter, "request_trailers",
                   envoy_dynamic_module_type_on_http_filter_request_trailers_status_StopIteration,
                   [](Stream& s) { return s.filter->onRequestTrailers(s.handle.requestTrailers()); });
}

envoy_dynamic_module_type_on_http_filter_response_headers_status
envoy_dynamic_module_on_http_filter_response_headers(void*, const void* filter, bool end_of_stream) {
  return onResponse(filter, "response_headers",
                    envoy_dynamic_module_type_on_http_filter_response_headers_status_StopIteration,
                    [&](Stream& s) { return s.filter->onResponseHeaders(s.handle.responseHeaders(), end_of_stream); });
}

envoy_dynamic_module_type_on_http_filter_response_body_status
envoy_dynamic_module_on_http_filter_response_body(void*, const void* filter, bool end_of_stream) {
  return onResponse(
      filter, "response_body", envoy_dynamic_module_type_on_http_filter_response_body_status_StopIterationNoBuffer,
      [&](Stream& s) { return s.filter->onResponseBody(s.handle.receivedResponseBody(), end_of_stream); });
}

envoy_dynamic_module_type_on_http_filter_response_trailers_status
envoy_dynamic_module_on_http_filter_response_trailers(void*, const void* filter) {
  return onResponse(filter, "response_trailers",
                    envoy_dynamic_module_type_on_http_filter_response_trailers_status_StopIteration,
                    [](Stream& s) { return s.filter->onResponseTrailers(s.handle.responseTrailers()); });
}

#if DMCONFORM_SDK_MINOR >= 139
envoy_dynamic_module_type_on_http_filter_local_reply_status
envoy_dynamic_module_on_http_filter_local_reply(void*, const void* filter, uint32_t response_code,
                                                envoy_dynamic_module_type_envoy_buffer details, bool reset_imminent) {
  // The status alone has the host reset the stream.
  return guardedCall(
      stream(filter), "local_reply", envoy_dynamic_module_type_on_http_filter_local_reply_status_Continue,
      envoy_dynamic_module_type_on_http_filter_local_reply_status_ContinueAndResetStream, leaveAlone<Stream>,
      [&](Stream& s) { return s.filter->onLocalReply(response_code, text(details), reset_imminent); });
}
#endif

} // extern "C"
