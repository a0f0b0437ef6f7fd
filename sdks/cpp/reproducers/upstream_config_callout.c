// An HTTP filter that starts a callout while its configuration is made: for the upstream side, where no cluster is there yet.
#include <stdio.h>

#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
envoy_dynamic_module_type_http_filter_config_module_ptr envoy_dynamic_module_on_http_filter_config_new(
    envoy_dynamic_module_type_http_filter_config_envoy_ptr host, envoy_dynamic_module_type_envoy_buffer name,
    envoy_dynamic_module_type_envoy_buffer config) {
  envoy_dynamic_module_type_module_http_header headers[] = {
      {":method", 7, "GET", 3}, {":path", 5, "/", 1}, {":authority", 10, "a", 1}};
  envoy_dynamic_module_type_module_buffer to = {"upstream", 8}, none = {"", 0};
  uint64_t callout = 0;
  int result = envoy_dynamic_module_callback_http_filter_config_http_callout(host, &callout, to, headers, 3, none, 1000);
  fprintf(stderr, "dmconform: callout of the configuration: %d\n", result);
  return host;
}
#endif
