// A bootstrap extension that starts a callout from inside the hook that destroys its configuration.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
envoy_dynamic_module_type_bootstrap_extension_config_module_ptr envoy_dynamic_module_on_bootstrap_extension_config_new(
    envoy_dynamic_module_type_bootstrap_extension_config_envoy_ptr config, envoy_dynamic_module_type_envoy_buffer name,
    envoy_dynamic_module_type_envoy_buffer text) {
  envoy_dynamic_module_callback_bootstrap_extension_config_signal_init_complete(config);
  return config;
}

void envoy_dynamic_module_on_bootstrap_extension_config_destroy(
    envoy_dynamic_module_type_bootstrap_extension_config_module_ptr config) {
  envoy_dynamic_module_type_module_http_header headers[] = {
      {":method", 7, "GET", 3}, {":path", 5, "/", 1}, {":authority", 10, "a", 1}};
  envoy_dynamic_module_type_module_buffer cluster = {"upstream", 8}, none = {"", 0};
  uint64_t callout = 0;
  envoy_dynamic_module_callback_bootstrap_extension_http_callout(
      (envoy_dynamic_module_type_bootstrap_extension_config_envoy_ptr)config, &callout, cluster, headers, 3, none, 1000);
}
#endif
