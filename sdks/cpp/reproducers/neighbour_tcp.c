// A network filter that prints what it sees of each connection when that ends: bytes each way, and their Adler-32.
#include <stdio.h>
#include <stdlib.h>

#include "abi.h"

#define HOOK(what) envoy_dynamic_module_on_network_filter_##what
#define WAY(way)                                                                                                                 \
  envoy_dynamic_module_type_on_network_filter_data_status HOOK(way)(Envoy host, Module module, size_t length, bool end) {        \
    size_t count = envoy_dynamic_module_callback_network_filter_get_##way##_buffer_chunks_size(host);                            \
    envoy_dynamic_module_type_envoy_buffer chunks[count + 1];                                                                    \
    envoy_dynamic_module_callback_network_filter_get_##way##_buffer_chunks(host, chunks);                                        \
    see(&((struct connection*)module)->way, chunks, count);                                                                      \
    return envoy_dynamic_module_type_on_network_filter_data_status_Continue;                                                     \
  }

typedef envoy_dynamic_module_type_network_filter_envoy_ptr Envoy;
typedef envoy_dynamic_module_type_network_filter_module_ptr Module;
struct way {
  unsigned low, high;
  size_t bytes;
};
struct connection {
  struct way read, write;
};

static void see(struct way* way, const envoy_dynamic_module_type_envoy_buffer* chunks, size_t count) {
  for (size_t each = 0; each < count; way->bytes += chunks[each++].length)
    for (size_t at = 0; at < chunks[each].length; at++)
      way->low = (way->low + (unsigned char)chunks[each].ptr[at]) % 65521, way->high = (way->high + way->low) % 65521;
}
Module HOOK(new)(envoy_dynamic_module_type_network_filter_config_module_ptr config, Envoy host) {
  struct connection* made = malloc(sizeof *made);
  return *made = (struct connection){{.low = 1}, {.low = 1}}, made;
}
WAY(read)
WAY(write)
void HOOK(destroy)(Module module) {
  const struct connection* connection = module;
  fprintf(stderr, "neighbour read: %zu bytes, %08x; write: %zu bytes, %08x\n", connection->read.bytes,
      connection->read.high << 16 | connection->read.low, connection->write.bytes, connection->write.high << 16 | connection->write.low);
  free((void*)module);
}
