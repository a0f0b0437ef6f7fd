// A listener filter that lets the chain of filters go on from inside the hook that is shown the first bytes.
#include "abi.h"

size_t envoy_dynamic_module_on_listener_filter_get_max_read_bytes(
    envoy_dynamic_module_type_listener_filter_envoy_ptr filter, envoy_dynamic_module_type_listener_filter_module_ptr module) {
  return 3;
}

envoy_dynamic_module_type_on_listener_filter_status envoy_dynamic_module_on_listener_filter_on_accept(
    envoy_dynamic_module_type_listener_filter_envoy_ptr filter, envoy_dynamic_module_type_listener_filter_module_ptr module) {
  return envoy_dynamic_module_type_on_listener_filter_status_StopIteration;
}

envoy_dynamic_module_type_on_listener_filter_status envoy_dynamic_module_on_listener_filter_on_data(
    envoy_dynamic_module_type_listener_filter_envoy_ptr filter, envoy_dynamic_module_type_listener_filter_module_ptr module,
    size_t length) {
  envoy_dynamic_module_callback_listener_filter_continue_filter_chain(filter, true);
  return envoy_dynamic_module_type_on_listener_filter_status_StopIteration;
}
