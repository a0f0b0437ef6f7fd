// Hooks that the host wants to find in every module with an HTTP filter, for events that this SDK never asks for.
// The header declares them, so the compiler checks their signatures.
#include "abi.h"

#define FILTER                                                                                     \
  envoy_dynamic_module_type_http_filter_envoy_ptr stream,                                          \
      envoy_dynamic_module_type_http_filter_module_ptr self
#define UNUSED(name) (void)(name)

void envoy_dynamic_module_on_http_filter_http_stream_headers(
    FILTER, uint64_t id, envoy_dynamic_module_type_envoy_http_header *headers, size_t headers_size,
    bool end_of_stream) {
  UNUSED(stream), UNUSED(self), UNUSED(id);
  UNUSED(headers), UNUSED(headers_size), UNUSED(end_of_stream);
}

void envoy_dynamic_module_on_http_filter_http_stream_data(
    FILTER, uint64_t id, const envoy_dynamic_module_type_envoy_buffer *chunks, size_t chunks_size,
    bool end_of_stream) {
  UNUSED(stream), UNUSED(self), UNUSED(id);
  UNUSED(chunks), UNUSED(chunks_size), UNUSED(end_of_stream);
}

void envoy_dynamic_module_on_http_filter_http_stream_trailers(
    FILTER, uint64_t id, envoy_dynamic_module_type_envoy_http_header *trailers,
    size_t trailers_size) {
  UNUSED(stream), UNUSED(self), UNUSED(id), UNUSED(trailers), UNUSED(trailers_size);
}

void envoy_dynamic_module_on_http_filter_http_stream_complete(FILTER, uint64_t id) {
  UNUSED(stream), UNUSED(self), UNUSED(id);
}

void envoy_dynamic_module_on_http_filter_http_stream_reset(
    FILTER, uint64_t id, envoy_dynamic_module_type_http_stream_reset_reason reason) {
  UNUSED(stream), UNUSED(self), UNUSED(id), UNUSED(reason);
}

void envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(FILTER) {
  UNUSED(stream), UNUSED(self);
}

void envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(FILTER) {
  UNUSED(stream), UNUSED(self);
}
