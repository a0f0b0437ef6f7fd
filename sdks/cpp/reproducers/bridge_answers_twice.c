// An upstream HTTP TCP bridge that answers a request, and answers it again in the same hook.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
void envoy_dynamic_module_on_upstream_http_tcp_bridge_encode_headers(
    envoy_dynamic_module_type_upstream_http_tcp_bridge_envoy_ptr bridge,
    envoy_dynamic_module_type_upstream_http_tcp_bridge_module_ptr module, bool end) {
  envoy_dynamic_module_type_module_buffer none = {"", 0};
  envoy_dynamic_module_callback_upstream_http_tcp_bridge_send_response(bridge, 503, 0, 0, none);
  envoy_dynamic_module_callback_upstream_http_tcp_bridge_send_response(bridge, 503, 0, 0, none);
}
#endif
