// An HTTP filter that clears the route when the body of a response comes.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_on_http_filter_response_body_status envoy_dynamic_module_on_http_filter_response_body(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  envoy_dynamic_module_callback_http_clear_route_cache(filter);
  return envoy_dynamic_module_type_on_http_filter_response_body_status_Continue;
}
#endif
