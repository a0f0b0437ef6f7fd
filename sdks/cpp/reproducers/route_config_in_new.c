// An HTTP filter that asks for the configuration of its route while it is being made.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_http_filter_module_ptr envoy_dynamic_module_on_http_filter_new(
    envoy_dynamic_module_type_http_filter_config_module_ptr config, envoy_dynamic_module_type_http_filter_envoy_ptr filter) {
  envoy_dynamic_module_callback_get_most_specific_route_config(filter);
  return filter;
}
#endif
