// A bootstrap extension that iterates over counters from inside an iteration over counters.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
static envoy_dynamic_module_type_stats_iteration_action take(
    envoy_dynamic_module_type_envoy_buffer name, uint64_t value, void* bootstrap) {
  if (bootstrap) envoy_dynamic_module_callback_bootstrap_extension_iterate_counters(bootstrap, take, 0);
  return envoy_dynamic_module_type_stats_iteration_action_Stop;
}

void envoy_dynamic_module_on_bootstrap_extension_server_initialized(
    envoy_dynamic_module_type_bootstrap_extension_envoy_ptr bootstrap,
    envoy_dynamic_module_type_bootstrap_extension_module_ptr module) {
  envoy_dynamic_module_callback_bootstrap_extension_iterate_counters(bootstrap, take, bootstrap);
}
#endif
