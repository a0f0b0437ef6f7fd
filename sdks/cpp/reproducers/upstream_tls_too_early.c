// A network filter that asks for TLS to an upstream server to which there is no connection yet.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_on_network_filter_data_status envoy_dynamic_module_on_network_filter_new_connection(
    envoy_dynamic_module_type_network_filter_envoy_ptr filter, envoy_dynamic_module_type_network_filter_module_ptr module) {
  envoy_dynamic_module_callback_network_filter_start_upstream_secure_transport(filter);
  return envoy_dynamic_module_type_on_network_filter_data_status_Continue;
}
#endif
