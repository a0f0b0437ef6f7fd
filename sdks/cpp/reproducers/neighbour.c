// An HTTP filter that prints what it sees of each stream when that ends. Configuration: "pass", or "hold" (whole bodies, both ways).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"

#define HOOK(what) envoy_dynamic_module_on_http_filter_##what
#define STATUS(of, what) envoy_dynamic_module_type_on_http_filter_##of##_status_##what
#define WAY(name, received)                                                                                                    \
  envoy_dynamic_module_type_on_http_filter_##name##_headers_status HOOK(name##_headers)(Envoy host, Module module, bool end) { \
    struct way* way = &((struct stream*)module)->name;                                                                        \
    way->headers++;                                                                                                            \
    return hold && !end ? STATUS(name##_headers, StopIteration) : STATUS(name##_headers, Continue);                            \
  }                                                                                                                            \
  envoy_dynamic_module_type_on_http_filter_##name##_body_status HOOK(name##_body)(Envoy host, Module module, bool end) {      \
    see(&((struct stream*)module)->name, host, envoy_dynamic_module_type_http_body_type_##received);                          \
    return hold && !end ? STATUS(name##_body, StopIterationAndBuffer) : STATUS(name##_body, Continue);                         \
  }                                                                                                                            \
  envoy_dynamic_module_type_on_http_filter_##name##_trailers_status HOOK(name##_trailers)(Envoy host, Module module) {        \
    ((struct stream*)module)->name.trailers++;                                                                                 \
    return STATUS(name##_trailers, Continue);                                                                                  \
  }

typedef envoy_dynamic_module_type_http_filter_envoy_ptr Envoy;
typedef envoy_dynamic_module_type_http_filter_module_ptr Module;
struct way {
  unsigned headers, body, trailers, hash;
  size_t bytes;
};
struct stream {
  struct way request, response;
};
static bool hold;

static void see(struct way* way, Envoy host, envoy_dynamic_module_type_http_body_type type) {
  size_t count = envoy_dynamic_module_callback_http_get_body_chunks_size(host, type);
  envoy_dynamic_module_type_envoy_buffer* chunks = calloc(count + 1, sizeof *chunks);
  envoy_dynamic_module_callback_http_get_body_chunks(host, type, chunks);
  for (size_t each = 0; each < count; way->bytes += chunks[each++].length)
    for (size_t at = 0; at < chunks[each].length; at++) way->hash = way->hash * 31 + (unsigned char)chunks[each].ptr[at];
  free(chunks);
  way->body++;
}
envoy_dynamic_module_type_http_filter_config_module_ptr HOOK(config_new)(envoy_dynamic_module_type_http_filter_config_envoy_ptr host,
    envoy_dynamic_module_type_envoy_buffer name, envoy_dynamic_module_type_envoy_buffer config) {
  hold = config.length == 4 && memcmp(config.ptr, "hold", 4) == 0;
  return &hold;
}
Module HOOK(new)(envoy_dynamic_module_type_http_filter_config_module_ptr config, Envoy host) { return calloc(1, sizeof(struct stream)); }
WAY(request, ReceivedRequestBody)
WAY(response, ReceivedResponseBody)
void HOOK(destroy)(Module module) {
  const struct way ways[] = {((struct stream*)module)->request, ((struct stream*)module)->response};
  for (int each = 0; each < 2; each++)
    fprintf(stderr, "neighbour %s: %u headers, %u body, %u trailers, %zu bytes, hash %08x\n", each ? "response" : "request",
        ways[each].headers, ways[each].body, ways[each].trailers, ways[each].bytes, ways[each].hash);
  free((void*)module);
}
