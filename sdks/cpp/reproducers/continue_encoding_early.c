// An HTTP filter that lets a response go on before there is one.
#include "abi.h"

envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  envoy_dynamic_module_callback_http_filter_continue_encoding(filter);
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
}
