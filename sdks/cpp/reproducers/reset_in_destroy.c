// An HTTP filter that resets its stream from inside the hook that destroys the filter.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
envoy_dynamic_module_type_http_filter_module_ptr envoy_dynamic_module_on_http_filter_new(
    envoy_dynamic_module_type_http_filter_config_module_ptr config, envoy_dynamic_module_type_http_filter_envoy_ptr filter) {
  return filter;
}

void envoy_dynamic_module_on_http_filter_destroy(envoy_dynamic_module_type_http_filter_module_ptr filter) {
  envoy_dynamic_module_type_module_buffer details = {"reset", 5};
  envoy_dynamic_module_callback_http_filter_reset_stream((envoy_dynamic_module_type_http_filter_envoy_ptr)filter, 0, details);
}
#endif
