// An upstream HTTP TCP bridge that answers while the request is not at its end, and then looks at the body that it was given.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
void envoy_dynamic_module_on_upstream_http_tcp_bridge_encode_headers(
    envoy_dynamic_module_type_upstream_http_tcp_bridge_envoy_ptr envoy,
    envoy_dynamic_module_type_upstream_http_tcp_bridge_module_ptr module, bool end) {}

void envoy_dynamic_module_on_upstream_http_tcp_bridge_encode_data(
    envoy_dynamic_module_type_upstream_http_tcp_bridge_envoy_ptr envoy,
    envoy_dynamic_module_type_upstream_http_tcp_bridge_module_ptr module, bool end) {
  envoy_dynamic_module_type_module_buffer body = {"early", 5};
  envoy_dynamic_module_type_envoy_buffer chunks[64];
  size_t count = 64, bytes = 0;
  void* reused[600];  // memory that was freed is in use again soon: elsewhere by other requests, here by this
  envoy_dynamic_module_callback_upstream_http_tcp_bridge_send_response(envoy, 200, 0, 0, body);
  for (size_t one = 0; one < 600; one++) {
    size_t size = 16 * (one % 200 + 1);
    reused[one] = malloc(size);
    memset(reused[one], 0x41, size);
  }
  envoy_dynamic_module_callback_upstream_http_tcp_bridge_get_request_buffer(envoy, chunks, &count);
  for (size_t one = 0; one < count && one < 64; one++) bytes += chunks[one].length;
  fprintf(stderr, "dmconform: the body has %zu bytes\n", bytes);
  for (size_t one = 0; one < 600; one++) free(reused[one]);
}
#endif
