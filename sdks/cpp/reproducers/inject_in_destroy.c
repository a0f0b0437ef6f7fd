// A network filter that injects data for its client from inside the hook that destroys the filter.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_network_filter_module_ptr envoy_dynamic_module_on_network_filter_new(
    envoy_dynamic_module_type_network_filter_config_module_ptr config, envoy_dynamic_module_type_network_filter_envoy_ptr filter) {
  return filter;
}

void envoy_dynamic_module_on_network_filter_destroy(envoy_dynamic_module_type_network_filter_module_ptr filter) {
  envoy_dynamic_module_type_module_buffer text = {"text", 4};
  envoy_dynamic_module_callback_network_filter_inject_write_data(
      (envoy_dynamic_module_type_network_filter_envoy_ptr)filter, text, false);
}
#endif
