// A bootstrap extension that asks for the life of listeners while Envoy shuts down.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
static envoy_dynamic_module_type_bootstrap_extension_config_envoy_ptr kept;

envoy_dynamic_module_type_bootstrap_extension_config_module_ptr envoy_dynamic_module_on_bootstrap_extension_config_new(
    envoy_dynamic_module_type_bootstrap_extension_config_envoy_ptr config, envoy_dynamic_module_type_envoy_buffer name,
    envoy_dynamic_module_type_envoy_buffer text) {
  envoy_dynamic_module_callback_bootstrap_extension_config_signal_init_complete(config);
  kept = config;
  return config;
}

void envoy_dynamic_module_on_bootstrap_extension_shutdown(
    envoy_dynamic_module_type_bootstrap_extension_envoy_ptr bootstrap,
    envoy_dynamic_module_type_bootstrap_extension_module_ptr module, envoy_dynamic_module_type_event_cb completed, void* context) {
  envoy_dynamic_module_callback_bootstrap_extension_enable_listener_lifecycle(kept);
  completed(context);
}
#endif
