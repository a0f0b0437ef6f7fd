// Network, listener and UDP listener filters that call setters, and print what getters give then.
#include "callbacks.h"

#define NETWORK TYPE(network_filter_envoy_ptr) e, TYPE(network_filter_module_ptr) filter
#define LISTENER TYPE(listener_filter_envoy_ptr) e, TYPE(listener_filter_module_ptr) filter

static size_t counters[3], gauges[3], histograms[3];

// The metrics of an extension point: `point` is its place in the arrays.
#define DEFINES(kind, point)                                                                                               \
  TYPE(kind##_config_module_ptr) ON(kind##_config_new)(TYPE(kind##_config_envoy_ptr) e, given name, given config) {        \
    say(#kind, "counter %d", CALL(kind##_config_define_counter)(e, text(#kind "_count"), &counters[point]));               \
    say(#kind, "gauge %d", CALL(kind##_config_define_gauge)(e, text(#kind "_level"), &gauges[point]));                     \
    say(#kind, "histogram %d", CALL(kind##_config_define_histogram)(e, text(#kind "_sizes"), &histograms[point]));         \
    return &counters[point];                                                                                               \
  }
#define COUNTS(kind, point)                                                                                                \
  do {                                                                                                                     \
    say(#kind, "count %d", CALL(kind##_increment_counter)(e, counters[point], 3));                                         \
    say(#kind, "level %d", CALL(kind##_set_gauge)(e, gauges[point], 7));                                                   \
    say(#kind, "more %d", CALL(kind##_increment_gauge)(e, gauges[point], 4));                                              \
    say(#kind, "less %d", CALL(kind##_decrement_gauge)(e, gauges[point], 1));                                              \
    say(#kind, "record %d", CALL(kind##_record_histogram_value)(e, histograms[point], 40));                                \
  } while (0)

DEFINES(network_filter, 0)
DEFINES(listener_filter, 1)
DEFINES(udp_listener_filter, 2)

static void network_kept(NETWORK) {
  given seen = {0};
  double number = 0;
  bool done = CALL(network_get_dynamic_metadata_string)(e, text("ns"), text("text"), &seen);
  say_text("network", "metadata", done, seen);
  say("network", "number %d %g", CALL(network_get_dynamic_metadata_number)(e, text("ns"), text("number"), &number), number);
  seen = (given){0};
  done = CALL(network_get_filter_state_bytes)(e, text("state"), &seen);
  say_text("network", "filter state", done, seen);
}

TYPE(on_network_filter_data_status) ON(network_filter_new_connection)(NETWORK) {
  given seen = {0};
  uint32_t port = 0;
  int64_t option = 0;
  bool done = CALL(network_filter_get_local_address)(e, &seen, &port);
  say_text("network", port ? "local with port" : "local", done, seen);
  done = CALL(network_filter_get_remote_address)(e, &seen, &port);
  say_text("network", port ? "remote with port" : "remote", done, seen);
  say("network", "ssl %d", CALL(network_filter_is_ssl)(e));
  network_kept(e, filter);
  CALL(network_set_dynamic_metadata_string)(e, text("ns"), text("text"), text("some text"));
  CALL(network_set_dynamic_metadata_number)(e, text("ns"), text("number"), 2.5);
  say("network", "state %d", CALL(network_set_filter_state_bytes)(e, text("state"), text("some state")));
  CALL(network_set_socket_option_int)(e, 6, 1, TYPE(socket_option_state_Prebind), 1);
  say("network", "options %zu", CALL(network_get_socket_options_size)(e));
  done = CALL(network_get_socket_option_int)(e, 6, 1, TYPE(socket_option_state_Prebind), &option);
  say("network", "option %d %lld", done, (long long)option);
  network_kept(e, filter);
  COUNTS(network_filter, 0);
  return TYPE(on_network_filter_data_status_Continue);
}

typedef bool (*get_chunks)(TYPE(network_filter_envoy_ptr), given *);

static void bytes(const char *what, TYPE(network_filter_envoy_ptr) e, size_t size, size_t count, get_chunks get) {
  given chunks[8] = {{0}};
  if (count > 8 || !get(e, chunks)) return say("network", "%s of %zu bytes none", what, size);
  say("network", "%s of %zu bytes=%.*s", what, size, chunks[0].length < 8 ? (int)chunks[0].length : 8, chunks[0].ptr);
}

#define BYTES(way, what)                                                                                                   \
  bytes(what, e, CALL(network_filter_get_##way##_buffer_size)(e), CALL(network_filter_get_##way##_buffer_chunks_size)(e), \
        CALL(network_filter_get_##way##_buffer_chunks))

TYPE(on_network_filter_data_status) ON(network_filter_read)(NETWORK, size_t size, bool end) {
  if (size == 0) return TYPE(on_network_filter_data_status_Continue);
  BYTES(read, "read");
  say("network", "drain %d", CALL(network_filter_drain_read_buffer)(e, 8));
  BYTES(read, "drained");
  say("network", "prepend %d", CALL(network_filter_prepend_read_buffer)(e, text("GET /net")));
  say("network", "append %d", CALL(network_filter_append_read_buffer)(e, text("x-appended: yes\r\n\r\n")));
  BYTES(read, "changed");
  return TYPE(on_network_filter_data_status_Continue);
}

TYPE(on_network_filter_data_status) ON(network_filter_write)(NETWORK, size_t size, bool end) {
  if (size == 0) return TYPE(on_network_filter_data_status_Continue);
  BYTES(write, "write");
  say("network", "drain %d", CALL(network_filter_drain_write_buffer)(e, 8));
  say("network", "prepend %d", CALL(network_filter_prepend_write_buffer)(e, text("HTTP/1.0")));
  say("network", "append %d", CALL(network_filter_append_write_buffer)(e, text("tail")));
  BYTES(write, "changed");
  network_kept(e, filter);
  return TYPE(on_network_filter_data_status_Continue);
}

static void listener_kept(LISTENER) {
  given seen = {0};
  bool done = CALL(listener_filter_get_dynamic_metadata_string)(e, text("ns"), text("text"), &seen);
  say_text("listener", "metadata", done, seen);
  seen = (given){0};
  done = CALL(listener_filter_get_filter_state)(e, text("state"), &seen);
  say_text("listener", "filter state", done, seen);
#if DMCONFORM_SDK_MINOR >= 138
  seen = (given){0};
  done = CALL(listener_filter_get_requested_server_name)(e, &seen);
  say_text("listener", "server name", done, seen);
  seen = (given){0};
  done = CALL(listener_filter_get_detected_transport_protocol)(e, &seen);
  say_text("listener", "transport protocol", done, seen);
#endif
}

size_t ON(listener_filter_get_max_read_bytes)(LISTENER) { return 4; }

TYPE(on_listener_filter_status) ON(listener_filter_on_accept)(LISTENER) {
  given seen = {0};
  uint32_t port = 0;
  bool done = CALL(listener_filter_get_local_address)(e, &seen, &port);
  say_text("listener", port ? "local with port" : "local", done, seen);
  done = CALL(listener_filter_get_remote_address)(e, &seen, &port);
  say_text("listener", port ? "remote with port" : "remote", done, seen);
  say("listener", "address type %d", CALL(listener_filter_get_address_type)(e));
  say("listener", "socket %d", CALL(listener_filter_get_socket_fd)(e) > 0);
  listener_kept(e, filter);
  CALL(listener_filter_set_dynamic_metadata_string)(e, text("ns"), text("text"), text("some text"));
  say("listener", "state %d", CALL(listener_filter_set_filter_state)(e, text("state"), text("some state")));
  CALL(listener_filter_set_requested_server_name)(e, text("some.name"));
  CALL(listener_filter_set_detected_transport_protocol)(e, text("some_protocol"));
  int64_t option = 0;
  say("listener", "set option %d", CALL(listener_filter_set_socket_option_int)(e, 1, 9, 1)); // SO_KEEPALIVE
  done = CALL(listener_filter_get_socket_option_int)(e, 1, 9, &option);
  say("listener", "option %d %lld", done, (long long)option);
  listener_kept(e, filter);
  COUNTS(listener_filter, 1);
  return TYPE(on_listener_filter_status_StopIteration);
}

TYPE(on_listener_filter_status) ON(listener_filter_on_data)(LISTENER, size_t size) {
  given seen = {0};
  bool done = CALL(listener_filter_get_buffer_chunk)(e, &seen);
  say_text("listener", "bytes", done, seen);
  say("listener", "drain %d", CALL(listener_filter_drain_buffer)(e, 4));
  return TYPE(on_listener_filter_status_Continue);
}

static void datagram(const char *what, TYPE(udp_listener_filter_envoy_ptr) e) {
  given chunks[8] = {{0}};
  size_t count = CALL(udp_listener_filter_get_datagram_data_chunks_size)(e);
  bool done = count <= 8 && CALL(udp_listener_filter_get_datagram_data_chunks)(e, chunks);
  say("udp", "%s of %zu bytes", what, CALL(udp_listener_filter_get_datagram_data_size)(e));
  say_text("udp", what, done, chunks[0]);
}

TYPE(on_udp_listener_filter_status) ON(udp_listener_filter_on_data)(TYPE(udp_listener_filter_envoy_ptr) e,
                                                                    TYPE(udp_listener_filter_module_ptr) filter) {
  given peer = {0}, local = {0};
  uint32_t port = 0, own_port = 0;
  bool done = CALL(udp_listener_filter_get_peer_address)(e, &peer, &port);
  say_text("udp", port ? "peer with port" : "peer", done, peer);
  bool also = CALL(udp_listener_filter_get_local_address)(e, &local, &own_port);
  say_text("udp", own_port ? "local with port" : "local", also, local);
  datagram("datagram", e);
  say("udp", "set %d", CALL(udp_listener_filter_set_datagram_data)(e, text("changed")));
  datagram("changed", e);
  if (done) say("udp", "send %d", CALL(udp_listener_filter_send_datagram)(e, text("an answer"), (own){peer.ptr, peer.length}, port));
  COUNTS(udp_listener_filter, 2);
  return TYPE(on_udp_listener_filter_status_Continue);
}
