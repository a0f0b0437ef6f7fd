// A listener filter that starts a callout when a connection is accepted.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
envoy_dynamic_module_type_on_listener_filter_status envoy_dynamic_module_on_listener_filter_on_accept(
    envoy_dynamic_module_type_listener_filter_envoy_ptr filter, envoy_dynamic_module_type_listener_filter_module_ptr module) {
  envoy_dynamic_module_type_module_http_header headers[] = {
      {":method", 7, "GET", 3}, {":path", 5, "/", 1}, {":authority", 10, "a", 1}};
  envoy_dynamic_module_type_module_buffer cluster = {"upstream", 8}, none = {"", 0};
  uint64_t callout = 0;
  envoy_dynamic_module_callback_listener_filter_http_callout(filter, &callout, cluster, headers, 3, none, 1000);
  return envoy_dynamic_module_type_on_listener_filter_status_Continue;
}
#endif
