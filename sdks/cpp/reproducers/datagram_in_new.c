// A UDP listener filter that sends a datagram while it is being made.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_udp_listener_filter_module_ptr envoy_dynamic_module_on_udp_listener_filter_new(
    envoy_dynamic_module_type_udp_listener_filter_config_module_ptr config,
    envoy_dynamic_module_type_udp_listener_filter_envoy_ptr filter) {
  envoy_dynamic_module_type_module_buffer data = {"data", 4}, address = {"127.0.0.1", 9};
  envoy_dynamic_module_callback_udp_listener_filter_send_datagram(filter, data, address, 9);
  return filter;
}
#endif
