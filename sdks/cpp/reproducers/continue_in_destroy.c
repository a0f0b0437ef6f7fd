// A listener filter that continues the chain from inside the hook that destroys the filter.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_listener_filter_module_ptr envoy_dynamic_module_on_listener_filter_new(
    envoy_dynamic_module_type_listener_filter_config_module_ptr config,
    envoy_dynamic_module_type_listener_filter_envoy_ptr filter) {
  return filter;
}

void envoy_dynamic_module_on_listener_filter_destroy(envoy_dynamic_module_type_listener_filter_module_ptr filter) {
  envoy_dynamic_module_callback_listener_filter_continue_filter_chain(
      (envoy_dynamic_module_type_listener_filter_envoy_ptr)filter, true);
}
#endif
