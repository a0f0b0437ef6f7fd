// An HTTP filter that ends the response of the upstream server with trailers of its own, as if it had begun it.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_on_http_filter_response_body_status envoy_dynamic_module_on_http_filter_response_body(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  envoy_dynamic_module_type_module_http_header trailer = {"x-end", 5, "1", 1};
  envoy_dynamic_module_callback_http_send_response_trailers(filter, &trailer, 1);
  return envoy_dynamic_module_type_on_http_filter_response_body_status_Continue;
}
#endif
