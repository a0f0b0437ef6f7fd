// An HTTP filter that clears the route of its requests, and hands them on: for the upstream side.
#include "abi.h"

envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
#if DMCONFORM_SDK_MINOR >= 137
  envoy_dynamic_module_callback_http_clear_route_cache(filter);
#endif
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
}
