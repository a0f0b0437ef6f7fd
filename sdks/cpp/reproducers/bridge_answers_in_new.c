// An upstream HTTP TCP bridge that answers while it is being made.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
envoy_dynamic_module_type_upstream_http_tcp_bridge_module_ptr envoy_dynamic_module_on_upstream_http_tcp_bridge_new(
    envoy_dynamic_module_type_upstream_http_tcp_bridge_config_module_ptr config,
    envoy_dynamic_module_type_upstream_http_tcp_bridge_envoy_ptr bridge) {
  envoy_dynamic_module_type_module_buffer none = {"", 0};
  envoy_dynamic_module_callback_upstream_http_tcp_bridge_send_response(bridge, 503, 0, 0, none);
  return bridge;
}
#endif
