// An HTTP filter that prints what it sees of each stream when that ends: hooks, bytes, and their Adler-32.
// Configuration: "pass", or "hold" (whole bodies, both ways).
#include <stdio.h>
#include <stdlib.h>

#include "abi.h"

#define HOOK(what) envoy_dynamic_module_on_http_filter_##what
#define STATUS(of, what) envoy_dynamic_module_type_on_http_filter_##of##_status_##what
#define WAY(name, received)                                                                                                    \
  envoy_dynamic_module_type_on_http_filter_##name##_headers_status HOOK(name##_headers)(Envoy host, Module module, bool end) { \
    ((struct stream*)module)->name.headers++;                                                                                  \
    return holds(module) && !end ? STATUS(name##_headers, StopIteration) : STATUS(name##_headers, Continue);                   \
  }                                                                                                                            \
  envoy_dynamic_module_type_on_http_filter_##name##_body_status HOOK(name##_body)(Envoy host, Module module, bool end) {       \
    see(&((struct stream*)module)->name, host, envoy_dynamic_module_type_http_body_type_##received);                           \
    return holds(module) && !end ? STATUS(name##_body, StopIterationAndBuffer) : STATUS(name##_body, Continue);                \
  }                                                                                                                            \
  envoy_dynamic_module_type_on_http_filter_##name##_trailers_status HOOK(name##_trailers)(Envoy host, Module module) {         \
    ((struct stream*)module)->name.trailers++;                                                                                 \
    return STATUS(name##_trailers, Continue);                                                                                  \
  }
typedef envoy_dynamic_module_type_http_filter_envoy_ptr Envoy;
typedef envoy_dynamic_module_type_http_filter_module_ptr Module;
struct way {
  unsigned headers, body, trailers, low, high;
  size_t bytes;
};
struct stream {
  const char* kind;
  struct way request, response;
};

static bool holds(Module module) { return *((struct stream*)module)->kind == 'h'; }
static void see(struct way* way, Envoy host, envoy_dynamic_module_type_http_body_type type) {
  size_t count = envoy_dynamic_module_callback_http_get_body_chunks_size(host, type);
  envoy_dynamic_module_type_envoy_buffer chunks[count + 1];
  envoy_dynamic_module_callback_http_get_body_chunks(host, type, chunks);
  for (size_t each = 0; each < count; way->bytes += chunks[each++].length)
    for (size_t at = 0; at < chunks[each].length; at++)
      way->low = (way->low + (unsigned char)chunks[each].ptr[at]) % 65521, way->high = (way->high + way->low) % 65521;
  way->body++;
}
envoy_dynamic_module_type_http_filter_config_module_ptr HOOK(config_new)(envoy_dynamic_module_type_http_filter_config_envoy_ptr host,
    envoy_dynamic_module_type_envoy_buffer name, envoy_dynamic_module_type_envoy_buffer config) {
  return *config.ptr == 'h' ? "hold" : "pass";
}
Module HOOK(new)(envoy_dynamic_module_type_http_filter_config_module_ptr config, Envoy host) {
  struct stream* made = malloc(sizeof *made);
  return *made = (struct stream){config, {.low = 1}, {.low = 1}}, made;
}
WAY(request, ReceivedRequestBody)
WAY(response, ReceivedResponseBody)
void HOOK(destroy)(Module module) {
  const struct stream* stream = module;
  for (const struct way* way = &stream->request; way <= &stream->response; way++)
    fprintf(stderr, "neighbour %s %s: %u headers, %u body, %u trailers, %zu bytes, %08x\n", stream->kind,
        way == &stream->request ? "request" : "response", way->headers, way->body, way->trailers, way->bytes, way->high << 16 | way->low);
  free((void*)module);
}
