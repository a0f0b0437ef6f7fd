// An HTTP filter that sets metadata and filter state of each type, and a custom flag; that it reads them, and metadata of the route, the
// cluster and the endpoint, again, response headers say. As a network filter it sends its connections to the cluster of its configuration.
#include "callbacks.h"

#if DMCONFORM_SDK_MINOR >= 138
typedef TYPE(http_filter_envoy_ptr) Host;
static const char NS[] = "dmconform", SERVER[] = "envoy.network.upstream_server_name", CLUSTER[] = "envoy.tcp_proxy.cluster";
static char cluster[64];

TYPE(on_http_filter_request_headers_status) ON(http_filter_request_headers)(Host e, TYPE(http_filter_module_ptr) filter, bool end) {
  CALL(http_set_dynamic_metadata_string)(e, text(NS), text("text"), text("a text"));
  CALL(http_set_dynamic_metadata_number)(e, text(NS), text("number"), 2.5);
  CALL(http_set_dynamic_metadata_bool)(e, text(NS), text("truth"), true);
  for (int i = 1; i <= 2; i++) CALL(http_add_dynamic_metadata_list_number)(e, text(NS), text("numbers"), i);
  CALL(http_add_dynamic_metadata_list_string)(e, text(NS), text("texts"), text("one"));
  CALL(http_add_dynamic_metadata_list_bool)(e, text(NS), text("truths"), true);
  say("set", "typed %d", CALL(http_set_filter_state_typed)(e, text(SERVER), text("a.server")));
  say("set", "of no type %d", CALL(http_set_filter_state_typed)(e, text("dmconform.unknown"), text("x")));
  CALL(http_add_custom_flag)(e, text("FIRST"));
  CALL(http_add_custom_flag)(e, text("SECOND"));
  return TYPE(on_http_filter_request_headers_status_Continue);
}
static void header(Host e, const char *name, const char *value, size_t length) {
  CALL(http_set_header)(e, TYPE(http_header_type_ResponseHeader), text(name), (own){value, length});
}
TYPE(on_http_filter_response_headers_status) ON(http_filter_response_headers)(Host e, TYPE(http_filter_module_ptr) filter, bool end) {
  static const char *names[] = {"x-dynamic", "x-route", "x-cluster", "x-endpoint"};
  char line[200];
  for (TYPE(metadata_source) from = 0; from < 4; from++) {
    given word = {0}, of_list = {0};
    double number = 0, first = 0;
    bool truth = false, yes = false;
    size_t size = 0;
    bool done[] = {CALL(http_get_metadata_string)(e, from, text(NS), text("text"), &word),
        CALL(http_get_metadata_number)(e, from, text(NS), text("number"), &number),
        CALL(http_get_metadata_bool)(e, from, text(NS), text("truth"), &truth),
        CALL(http_get_metadata_list_size)(e, from, text(NS), text("numbers"), &size),
        CALL(http_get_metadata_list_number)(e, from, text(NS), text("numbers"), 1, &first),
        CALL(http_get_metadata_list_string)(e, from, text(NS), text("texts"), 0, &of_list),
        CALL(http_get_metadata_list_bool)(e, from, text(NS), text("truths"), 0, &yes)};
    int length = 0, keys = (int)CALL(http_get_metadata_keys_count)(e, from, text(NS));
    for (size_t i = 0; i < sizeof done; i++) length += snprintf(line + length, 4, "%d", done[i]);
    length += snprintf(line + length, 150, " %.*s %g %d %zu %g %.*s %d, %d keys", (int)word.length, word.ptr ? word.ptr : "", number,
        truth, size, first, (int)of_list.length, of_list.ptr ? of_list.ptr : "", yes, keys);
    header(e, names[from], line, (size_t)length);
  }
  given state = {0};
  if (CALL(http_get_filter_state_typed)(e, text(SERVER), &state)) header(e, "x-typed", state.ptr, state.length);
  return TYPE(on_http_filter_response_headers_status_Continue);
}
TYPE(network_filter_config_module_ptr) ON(network_filter_config_new)(TYPE(network_filter_config_envoy_ptr) e, given name, given config) {
  snprintf(cluster, sizeof cluster, "%.*s", (int)config.length, config.ptr);
  return cluster;
}
TYPE(on_network_filter_data_status) ON(network_filter_new_connection)(TYPE(network_filter_envoy_ptr) e,
    TYPE(network_filter_module_ptr) filter) {
  say("set", "cluster %d", CALL(network_set_filter_state_typed)(e, text(CLUSTER), text(cluster)));
  return TYPE(on_network_filter_data_status_Continue);
}
#endif
