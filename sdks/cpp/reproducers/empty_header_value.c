// An HTTP filter that sets headers of requests and responses to an empty value: the pointer is not null, the length is 0.
#include "abi.h"

static void set(envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_header_type type) {
  envoy_dynamic_module_type_module_buffer name = {"x-empty", 7}, new_name = {"x-new", 5}, value = {"", 0};
  envoy_dynamic_module_callback_http_set_header(envoy, type, name, value);
  envoy_dynamic_module_callback_http_set_header(envoy, type, new_name, value);
}

envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  set(envoy, envoy_dynamic_module_type_http_header_type_RequestHeader);
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
}

envoy_dynamic_module_type_on_http_filter_response_headers_status envoy_dynamic_module_on_http_filter_response_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  set(envoy, envoy_dynamic_module_type_http_header_type_ResponseHeader);
  return envoy_dynamic_module_type_on_http_filter_response_headers_status_Continue;
}
