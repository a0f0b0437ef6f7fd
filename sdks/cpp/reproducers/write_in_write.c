// A network filter that writes to its client when something is written to it, once.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_on_network_filter_data_status envoy_dynamic_module_on_network_filter_write(
    envoy_dynamic_module_type_network_filter_envoy_ptr filter, envoy_dynamic_module_type_network_filter_module_ptr module,
    size_t length, bool end) {
  static bool done;
  envoy_dynamic_module_type_module_buffer text = {"text", 4};
  if (!done) {
    done = true;
    envoy_dynamic_module_callback_network_filter_write(filter, text, false);
  }
  return envoy_dynamic_module_type_on_network_filter_data_status_Continue;
}
#endif
