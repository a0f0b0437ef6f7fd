// A network filter that lets reading go on while it is being made.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_network_filter_module_ptr envoy_dynamic_module_on_network_filter_new(
    envoy_dynamic_module_type_network_filter_config_module_ptr config, envoy_dynamic_module_type_network_filter_envoy_ptr filter) {
  envoy_dynamic_module_callback_network_filter_continue_reading(filter);
  return filter;
}
#endif
