// An HTTP filter that resets its stream and then asks for the configuration of its route, in the same hook.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  envoy_dynamic_module_type_module_buffer details = {"reset", 5};
  envoy_dynamic_module_callback_http_filter_reset_stream(filter, 0, details);
  envoy_dynamic_module_callback_get_most_specific_route_config(filter);
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_StopIteration;
}
#endif
