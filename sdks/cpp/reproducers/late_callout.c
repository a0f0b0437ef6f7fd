// An HTTP filter that starts a callout too late; its name says when: in `stream_complete`, in `destroy`, or after a `reset`.
#include <stdio.h>

#include "abi.h"

#define TEXT(text) {(text), sizeof(text) - 1}
#define HEADER(name, value) {(name), sizeof(name) - 1, (value), sizeof(value) - 1}

static char when;

envoy_dynamic_module_type_http_filter_config_module_ptr envoy_dynamic_module_on_http_filter_config_new(
    envoy_dynamic_module_type_http_filter_config_envoy_ptr envoy, envoy_dynamic_module_type_envoy_buffer name,
    envoy_dynamic_module_type_envoy_buffer config) {
  when = name.ptr[0];
  return &when;
}

envoy_dynamic_module_type_http_filter_module_ptr envoy_dynamic_module_on_http_filter_new(
    envoy_dynamic_module_type_http_filter_config_module_ptr config, envoy_dynamic_module_type_http_filter_envoy_ptr envoy) {
  return envoy;
}

static void start(envoy_dynamic_module_type_http_filter_envoy_ptr envoy) {
  envoy_dynamic_module_type_module_http_header headers[] = {
      HEADER(":method", "GET"), HEADER(":path", "/late"), HEADER("host", "upstream")};
  envoy_dynamic_module_type_module_buffer cluster = TEXT("upstream"), body = {0, 0};
  uint64_t id = 0;
  int result = envoy_dynamic_module_callback_http_filter_http_callout(envoy, &id, cluster, headers, 3, body, 1000);
  fprintf(stderr, "dmconform: callout %s\n", result == 0 ? "started" : "refused");
}

#if DMCONFORM_SDK_MINOR >= 138
envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  if (when != 'r') return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
  envoy_dynamic_module_type_module_buffer details = TEXT("reset");
  envoy_dynamic_module_callback_http_filter_reset_stream(envoy, 0, details);
  start(envoy);
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_StopIteration;
}
#endif

void envoy_dynamic_module_on_http_filter_stream_complete(
    envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_filter_module_ptr module) {
  if (when == 's') start(envoy);
}

void envoy_dynamic_module_on_http_filter_destroy(envoy_dynamic_module_type_http_filter_module_ptr module) {
  if (when == 'd') start((envoy_dynamic_module_type_http_filter_envoy_ptr)module);
}

void envoy_dynamic_module_on_http_filter_http_callout_done(
    envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_filter_module_ptr module, uint64_t id,
    envoy_dynamic_module_type_http_callout_result result, envoy_dynamic_module_type_envoy_http_header* headers, size_t headers_size,
    envoy_dynamic_module_type_envoy_buffer* body_chunks, size_t body_chunks_size) {
  fprintf(stderr, "dmconform: callout answered\n");
}
