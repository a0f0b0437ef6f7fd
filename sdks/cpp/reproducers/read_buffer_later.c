// Two network filters: `inject` hands its bytes on as data of its own, `look` reads its buffer when the answer comes.
#include <stdio.h>

#include "abi.h"

envoy_dynamic_module_type_network_filter_config_module_ptr envoy_dynamic_module_on_network_filter_config_new(
    envoy_dynamic_module_type_network_filter_config_envoy_ptr envoy, envoy_dynamic_module_type_envoy_buffer name,
    envoy_dynamic_module_type_envoy_buffer config) {
  return name.ptr[0] == 'i' ? "i" : "l";
}

envoy_dynamic_module_type_network_filter_module_ptr envoy_dynamic_module_on_network_filter_new(
    envoy_dynamic_module_type_network_filter_config_module_ptr config, envoy_dynamic_module_type_network_filter_envoy_ptr envoy) {
  return config;
}

envoy_dynamic_module_type_on_network_filter_data_status envoy_dynamic_module_on_network_filter_read(
    envoy_dynamic_module_type_network_filter_envoy_ptr envoy, envoy_dynamic_module_type_network_filter_module_ptr module,
    size_t length, bool end) {
  if (*(const char*)module != 'i') return envoy_dynamic_module_type_on_network_filter_data_status_Continue;
  static const char request[] = "GET /injected HTTP/1.1\r\nhost: upstream\r\n\r\n";
  envoy_dynamic_module_type_module_buffer data = {request, sizeof request - 1};
  envoy_dynamic_module_callback_network_filter_drain_read_buffer(envoy, length);
  envoy_dynamic_module_callback_network_filter_inject_read_data(envoy, data, end);
  return envoy_dynamic_module_type_on_network_filter_data_status_StopIteration;
}

envoy_dynamic_module_type_on_network_filter_data_status envoy_dynamic_module_on_network_filter_write(
    envoy_dynamic_module_type_network_filter_envoy_ptr envoy, envoy_dynamic_module_type_network_filter_module_ptr module,
    size_t length, bool end) {
  if (*(const char*)module == 'l') {
    envoy_dynamic_module_type_envoy_buffer chunks[64];
    size_t count = envoy_dynamic_module_callback_network_filter_get_read_buffer_chunks_size(envoy), bytes = 0;
    fprintf(stderr, "dmconform: later it has %zu chunks\n", count);
    if (count <= 64 && envoy_dynamic_module_callback_network_filter_get_read_buffer_chunks(envoy, chunks)) {
      for (size_t one = 0; one < count; one++) {
        for (size_t at = 0; at < chunks[one].length; at++) bytes += chunks[one].ptr[at] != 0;
      }
    }
    fprintf(stderr, "dmconform: later it has %zu bytes\n", bytes);
  }
  return envoy_dynamic_module_type_on_network_filter_data_status_Continue;
}
