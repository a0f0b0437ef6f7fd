// An HTTP filter that streams a response instead of handing requests on: for the upstream side.
#include "abi.h"

envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
#if DMCONFORM_SDK_MINOR >= 137
  envoy_dynamic_module_type_module_http_header headers[] = {{":status", 7, "200", 3}};
  envoy_dynamic_module_type_module_buffer body = {"streamed", 8};
  envoy_dynamic_module_callback_http_send_response_headers(filter, headers, 1, false);
  envoy_dynamic_module_callback_http_send_response_data(filter, body, true);
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_StopIteration;
#else
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
#endif
}
