// A network filter that closes each connection with its first bytes, and lets what follows it see them all the same.
#include "abi.h"

envoy_dynamic_module_type_on_network_filter_data_status envoy_dynamic_module_on_network_filter_read(
    envoy_dynamic_module_type_network_filter_envoy_ptr envoy, envoy_dynamic_module_type_network_filter_module_ptr module,
    size_t length, bool end) {
  envoy_dynamic_module_callback_network_filter_close(envoy, envoy_dynamic_module_type_network_connection_close_type_NoFlush);
  return envoy_dynamic_module_type_on_network_filter_data_status_Continue;
}
