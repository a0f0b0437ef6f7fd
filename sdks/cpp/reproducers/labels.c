// An HTTP filter that counts, sets and records with labels, each of its requests with the value of the header `x-label`, and also with
// what is wrong: too few labels, none, a metric that was not defined. It prints what the host returns.
#include "callbacks.h"

static size_t count, level, sizes;

TYPE(http_filter_config_module_ptr) ON(http_filter_config_new)(TYPE(http_filter_config_envoy_ptr) e, given name, given config) {
  own labels[] = {text("who"), text("what")};
  say("define", "%d %d %d", CALL(http_filter_config_define_counter)(e, text("calls"), labels, 2, &count),
      CALL(http_filter_config_define_gauge)(e, text("level"), labels, 2, &level),
      CALL(http_filter_config_define_histogram)(e, text("sizes"), labels, 2, &sizes));
  return &count;
}
TYPE(on_http_filter_request_headers_status) ON(http_filter_request_headers)(TYPE(http_filter_envoy_ptr) e,
    TYPE(http_filter_module_ptr) filter, bool end) {
  given seen = {0};
  CALL(http_get_header)(e, TYPE(http_header_type_RequestHeader), text("x-label"), &seen, 0, NULL);
  own values[] = {{seen.ptr, seen.length}, text("a request")};
  int results[] = {CALL(http_filter_increment_counter)(e, count, values, 2, 2), CALL(http_filter_set_gauge)(e, level, values, 2, 9),
      CALL(http_filter_increment_gauge)(e, level, values, 2, 3), CALL(http_filter_decrement_gauge)(e, level, values, 2, 2),
      CALL(http_filter_record_histogram_value)(e, sizes, values, 2, 40)};
  say("right", "%d %d %d %d %d", results[0], results[1], results[2], results[3], results[4]);
  say("too few", "%d %d %d", CALL(http_filter_increment_counter)(e, count, values, 1, 100),
      CALL(http_filter_set_gauge)(e, level, values, 1, 100), CALL(http_filter_record_histogram_value)(e, sizes, values, 1, 100));
  say("none", "%d %d %d", CALL(http_filter_increment_counter)(e, count, NULL, 0, 100),
      CALL(http_filter_set_gauge)(e, level, NULL, 0, 100), CALL(http_filter_record_histogram_value)(e, sizes, NULL, 0, 100));
  say("unknown", "%d %d %d", CALL(http_filter_increment_counter)(e, 99, values, 2, 100),
      CALL(http_filter_set_gauge)(e, 99, values, 2, 100), CALL(http_filter_record_histogram_value)(e, 99, values, 2, 100));
  return TYPE(on_http_filter_request_headers_status_Continue);
}
