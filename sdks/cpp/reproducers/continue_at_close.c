// A listener filter that waits for data, and continues the chain when it is told that the client has closed the connection.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_on_listener_filter_status envoy_dynamic_module_on_listener_filter_on_accept(
    envoy_dynamic_module_type_listener_filter_envoy_ptr filter, envoy_dynamic_module_type_listener_filter_module_ptr module) {
  return envoy_dynamic_module_type_on_listener_filter_status_StopIteration;
}

size_t envoy_dynamic_module_on_listener_filter_get_max_read_bytes(
    envoy_dynamic_module_type_listener_filter_envoy_ptr filter, envoy_dynamic_module_type_listener_filter_module_ptr module) {
  return 1;
}

void envoy_dynamic_module_on_listener_filter_on_close(
    envoy_dynamic_module_type_listener_filter_envoy_ptr filter, envoy_dynamic_module_type_listener_filter_module_ptr module) {
  envoy_dynamic_module_callback_listener_filter_continue_filter_chain(filter, true);
}
#endif
