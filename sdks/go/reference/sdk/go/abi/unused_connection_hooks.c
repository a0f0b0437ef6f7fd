//go:build !sdk_1_37 && !sdk_1_38

// Hooks of network and listener filters for events that this SDK never asks for.
// The header declares them, so the compiler checks their signatures.
#include "abi.h"

#define NETWORK_FILTER                                                                             \
  envoy_dynamic_module_type_network_filter_envoy_ptr connection,                                   \
      envoy_dynamic_module_type_network_filter_module_ptr self
#define LISTENER_FILTER                                                                            \
  envoy_dynamic_module_type_listener_filter_envoy_ptr socket,                                      \
      envoy_dynamic_module_type_listener_filter_module_ptr self
#define UNUSED(name) (void)(name)

void envoy_dynamic_module_on_network_filter_http_callout_done(
    NETWORK_FILTER, uint64_t id, envoy_dynamic_module_type_http_callout_result result,
    envoy_dynamic_module_type_envoy_http_header *headers, size_t headers_size,
    envoy_dynamic_module_type_envoy_buffer *chunks, size_t chunks_size) {
  UNUSED(connection), UNUSED(self), UNUSED(id), UNUSED(result);
  UNUSED(headers), UNUSED(headers_size), UNUSED(chunks), UNUSED(chunks_size);
}

void envoy_dynamic_module_on_network_filter_scheduled(NETWORK_FILTER, uint64_t id) {
  UNUSED(connection), UNUSED(self), UNUSED(id);
}

void envoy_dynamic_module_on_network_filter_config_scheduled(
    envoy_dynamic_module_type_network_filter_config_module_ptr config, uint64_t id) {
  UNUSED(config), UNUSED(id);
}

void envoy_dynamic_module_on_network_filter_above_write_buffer_high_watermark(NETWORK_FILTER) {
  UNUSED(connection), UNUSED(self);
}

void envoy_dynamic_module_on_network_filter_below_write_buffer_low_watermark(NETWORK_FILTER) {
  UNUSED(connection), UNUSED(self);
}

void envoy_dynamic_module_on_listener_filter_http_callout_done(
    LISTENER_FILTER, uint64_t id, envoy_dynamic_module_type_http_callout_result result,
    envoy_dynamic_module_type_envoy_http_header *headers, size_t headers_size,
    envoy_dynamic_module_type_envoy_buffer *chunks, size_t chunks_size) {
  UNUSED(socket), UNUSED(self), UNUSED(id), UNUSED(result);
  UNUSED(headers), UNUSED(headers_size), UNUSED(chunks), UNUSED(chunks_size);
}

void envoy_dynamic_module_on_listener_filter_scheduled(LISTENER_FILTER, uint64_t id) {
  UNUSED(socket), UNUSED(self), UNUSED(id);
}

void envoy_dynamic_module_on_listener_filter_config_scheduled(
    envoy_dynamic_module_type_listener_filter_config_envoy_ptr host,
    envoy_dynamic_module_type_listener_filter_config_module_ptr config, uint64_t id) {
  UNUSED(host), UNUSED(config), UNUSED(id);
}
