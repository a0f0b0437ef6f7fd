// An HTTP filter that resets a stream of its own, and sends data on it when it is told of the reset.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  envoy_dynamic_module_type_module_http_header headers[] = {
      {":method", 7, "POST", 4}, {":path", 5, "/", 1}, {":authority", 10, "a", 1}};
  envoy_dynamic_module_type_module_buffer cluster = {"upstream", 8}, none = {"", 0};
  uint64_t stream = 0;
  envoy_dynamic_module_callback_http_filter_start_http_stream(filter, &stream, cluster, headers, 3, none, false, 1000);
  envoy_dynamic_module_callback_http_filter_reset_http_stream(filter, stream);
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
}

void envoy_dynamic_module_on_http_filter_http_stream_reset(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module,
    uint64_t stream, envoy_dynamic_module_type_http_stream_reset_reason reason) {
  envoy_dynamic_module_type_module_buffer data = {"data", 4};
  envoy_dynamic_module_callback_http_stream_send_data(filter, stream, data, false);
}
#endif
