// A module of five uses that share what is in it. As a bootstrap extension it keeps its configuration; as a listener filter, a network
// filter and an access logger it counts; as an HTTP filter it counts, and answers with all of it. It prints the counts at its end.
#include "callbacks.h"

#include <stdatomic.h>

static char kept[64] = "nothing";
static atomic_int sockets, connections, requests, logged;

static int all(char *line, size_t size) {
  return snprintf(line, size, "%s: %d sockets, %d connections, %d requests, %d logged", kept, sockets, connections, requests, logged);
}
TYPE(bootstrap_extension_config_module_ptr) ON(bootstrap_extension_config_new)(TYPE(bootstrap_extension_config_envoy_ptr) e,
    given name, given config) {
  snprintf(kept, sizeof kept, "%.*s", (int)config.length, config.ptr);
#if DMCONFORM_SDK_MINOR >= 138
  CALL(bootstrap_extension_config_signal_init_complete)(e);
#endif
  return kept;
}
void ON(bootstrap_extension_config_destroy)(TYPE(bootstrap_extension_config_module_ptr) config) {
  char line[200];
  all(line, sizeof line);
  say("end", "%s", line);
}
TYPE(on_listener_filter_status) ON(listener_filter_on_accept)(TYPE(listener_filter_envoy_ptr) e, TYPE(listener_filter_module_ptr) filter) {
  sockets++;
  return TYPE(on_listener_filter_status_Continue);
}
TYPE(on_network_filter_data_status) ON(network_filter_new_connection)(TYPE(network_filter_envoy_ptr) e,
    TYPE(network_filter_module_ptr) filter) {
  connections++;
  return TYPE(on_network_filter_data_status_Continue);
}
TYPE(on_http_filter_response_headers_status) ON(http_filter_response_headers)(TYPE(http_filter_envoy_ptr) e,
    TYPE(http_filter_module_ptr) filter, bool end) {
  char line[200];
  requests++;
  int length = all(line, sizeof line);
  CALL(http_set_header)(e, TYPE(http_header_type_ResponseHeader), text("x-shared"), (own){line, (size_t)length});
  return TYPE(on_http_filter_response_headers_status_Continue);
}
void ON(access_logger_log)(TYPE(access_logger_envoy_ptr) e, TYPE(access_logger_module_ptr) logger, TYPE(access_log_type) type) {
  logged++;
  say("logger", "%d", logged);
}
