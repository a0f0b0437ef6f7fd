// An upstream HTTP TCP bridge that asks for the request's body when the server's answer comes.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
__attribute__((noinline)) static void use_stack(void) {  // as other calls would
  volatile char used[1 << 16];
  for (size_t each = 0; each < sizeof used; each++) used[each] = 'x';
}

typedef envoy_dynamic_module_type_upstream_http_tcp_bridge_envoy_ptr Bridge;
typedef envoy_dynamic_module_type_upstream_http_tcp_bridge_module_ptr Module;

void envoy_dynamic_module_on_upstream_http_tcp_bridge_encode_headers(Bridge bridge, Module module, bool end) {
  envoy_dynamic_module_type_module_buffer request = {"GET / HTTP/1.0\r\n\r\n", 18};
  envoy_dynamic_module_callback_upstream_http_tcp_bridge_send_upstream_data(bridge, request, false);
}

void envoy_dynamic_module_on_upstream_http_tcp_bridge_on_upstream_data(Bridge bridge, Module module, bool end) {
  static envoy_dynamic_module_type_envoy_buffer slices[64];
  envoy_dynamic_module_type_module_buffer none = {"", 0};
  size_t count = 0;
  use_stack();
  envoy_dynamic_module_callback_upstream_http_tcp_bridge_get_request_buffer(bridge, slices, &count);
  envoy_dynamic_module_callback_upstream_http_tcp_bridge_send_response(bridge, 200, 0, 0, none);
}
#endif
