// An HTTP filter that clears the route and then begins a response.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  envoy_dynamic_module_type_module_http_header status = {":status", 7, "200", 3};
  envoy_dynamic_module_callback_http_clear_route_cache(filter);
  envoy_dynamic_module_callback_http_send_response_headers(filter, &status, 1, false);
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
}
#endif
