// An HTTP filter that calls setters, and prints what getters give then; what has an effect outside is seen there.
#include "callbacks.h"

#define FILTER TYPE(http_filter_envoy_ptr) e, TYPE(http_filter_module_ptr) filter
#define REQUEST TYPE(http_header_type_RequestHeader)
#define RESPONSE TYPE(http_header_type_ResponseHeader)

static size_t plain, tagged, level, sizes;

static void header(const char *hook, TYPE(http_filter_envoy_ptr) e, TYPE(http_header_type) of, const char *name, size_t index) {
  given seen = {0};
  size_t count = 0;
  bool done = CALL(http_get_header)(e, of, text(name), &seen, index, &count);
  say(hook, "header %d %s[%zu of %zu]%s%.*s", of, name, index, count, done ? "=" : " none", done ? (int)seen.length : 0, seen.ptr);
}

static void body(const char *hook, TYPE(http_filter_envoy_ptr) e, TYPE(http_body_type) of) {
  given chunks[8] = {{0}};
  size_t count = CALL(http_get_body_chunks_size)(e, of), size = CALL(http_get_body_size)(e, of), at = 0;
  char all[256];
  bool done = count <= 8 && CALL(http_get_body_chunks)(e, of, chunks);
  for (size_t i = 0; done && i < count; i++)
    for (size_t j = 0; j < chunks[i].length && at < sizeof all; j++) all[at++] = chunks[i].ptr[j];
  say(hook, "body %d of %zu bytes%s%.*s", of, size, done ? "=" : " none", (int)(at < 20 ? at : 20), all);
}

static void kept(const char *hook, TYPE(http_filter_envoy_ptr) e) {
  given seen = {0};
  double number = 0;
  bool done = CALL(http_get_metadata_string)(e, TYPE(metadata_source_Dynamic), text("ns"), text("text"), &seen);
  say_text(hook, "metadata", done, seen);
  done = CALL(http_get_metadata_number)(e, TYPE(metadata_source_Dynamic), text("ns"), text("number"), &number);
  say(hook, "number %d %g", done, number);
  done = CALL(http_get_metadata_string)(e, TYPE(metadata_source_Dynamic), text("other"), text("text"), &seen);
  say_text(hook, "metadata of another namespace", done, seen);
  seen = (given){0};
  done = CALL(http_get_filter_state_bytes)(e, text("state"), &seen);
  say_text(hook, "filter state", done, seen);
}

static void attributes(const char *hook, TYPE(http_filter_envoy_ptr) e) {
  static const TYPE(attribute_id) texts[] = {0, 1, 2, 4, 10, 11, 16}, numbers[] = {13, 15, 21};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    given seen = {0};
    char name[32];
    snprintf(name, sizeof name, "attribute %d", texts[i]);
    bool done = CALL(http_filter_get_attribute_string)(e, texts[i], &seen);
    say_text(hook, name, done, seen);
  }
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    uint64_t number = 0;
    bool done = CALL(http_filter_get_attribute_int)(e, numbers[i], &number);
    say(hook, "attribute %d %s %llu", numbers[i], done ? "is" : "none", (unsigned long long)number);
  }
}

TYPE(http_filter_config_module_ptr) ON(http_filter_config_new)(TYPE(http_filter_config_envoy_ptr) e, given name, given config) {
  own labels[] = {text("color"), text("shape")};
  say("config", "counter %d", CALL(http_filter_config_define_counter)(e, text("plain"), NULL, 0, &plain));
  say("config", "counter with labels %d", CALL(http_filter_config_define_counter)(e, text("tagged"), labels, 2, &tagged));
  say("config", "gauge %d", CALL(http_filter_config_define_gauge)(e, text("level"), NULL, 0, &level));
  say("config", "histogram %d", CALL(http_filter_config_define_histogram)(e, text("sizes"), NULL, 0, &sizes));
  for (TYPE(log_level) each = TYPE(log_level_Trace); each < TYPE(log_level_Off); each++) {
    char line[32];
    snprintf(line, sizeof line, "callbacks logs at level %d", each);
    say("config", "log level %d is %s", each, CALL(log_enabled)(each) ? "on" : "off");
    CALL(log)(each, text(line));
  }
  return &plain;
}

TYPE(on_http_filter_request_headers_status) ON(http_filter_request_headers)(FILTER, bool end) {
  static const char hook[] = "request_headers";
  say(hook, "headers %zu", CALL(http_get_headers_size)(e, REQUEST));
  header(hook, e, REQUEST, "x-in", 0);
  header(hook, e, REQUEST, "x-in", 1);
  header(hook, e, RESPONSE, "x-in", 0);
  say(hook, "add %d", CALL(http_add_header)(e, REQUEST, text("x-added"), text("a value")));
  say(hook, "add another %d", CALL(http_add_header)(e, REQUEST, text("x-added"), text("another value")));
  say(hook, "set %d", CALL(http_set_header)(e, REQUEST, text("x-set"), text("first")));
  say(hook, "set again %d", CALL(http_set_header)(e, REQUEST, text("x-set"), text("second")));
  header(hook, e, REQUEST, "x-added", 1);
  header(hook, e, REQUEST, "x-set", 0);
  say(hook, "headers %zu", CALL(http_get_headers_size)(e, REQUEST));
  kept(hook, e);
  CALL(http_set_dynamic_metadata_string)(e, text("ns"), text("text"), text("some text"));
  CALL(http_set_dynamic_metadata_number)(e, text("ns"), text("number"), 2.5);
  say(hook, "state %d", CALL(http_set_filter_state_bytes)(e, text("state"), text("some state")));
  kept(hook, e);
  attributes(hook, e);
  own red[] = {text("red"), text("round")}, blue[] = {text("blue"), text("square")};
  say(hook, "count %d", CALL(http_filter_increment_counter)(e, plain, NULL, 0, 3));
  say(hook, "count red %d", CALL(http_filter_increment_counter)(e, tagged, red, 2, 2));
  say(hook, "count blue %d", CALL(http_filter_increment_counter)(e, tagged, blue, 2, 5));
  say(hook, "count without labels %d", CALL(http_filter_increment_counter)(e, tagged, NULL, 0, 1));
  say(hook, "gauge %d", CALL(http_filter_set_gauge)(e, level, NULL, 0, 7));
  say(hook, "more %d", CALL(http_filter_increment_gauge)(e, level, NULL, 0, 4));
  say(hook, "less %d", CALL(http_filter_decrement_gauge)(e, level, NULL, 0, 1));
  say(hook, "record %d", CALL(http_filter_record_histogram_value)(e, sizes, NULL, 0, 40));
  return TYPE(on_http_filter_request_headers_status_Continue);
}

TYPE(on_http_filter_request_body_status) ON(http_filter_request_body)(FILTER, bool end) {
  static const char hook[] = "request_body";
  static const TYPE(http_body_type) of = TYPE(http_body_type_ReceivedRequestBody);
  body(hook, e, of);
  body(hook, e, TYPE(http_body_type_ReceivedResponseBody));
  if (CALL(http_get_body_size)(e, of) == 0) return TYPE(on_http_filter_request_body_status_Continue);
  say(hook, "drain %d", CALL(http_drain_body)(e, of, 2));
  body(hook, e, of);
  say(hook, "append %d", CALL(http_append_body)(e, of, text(" and more")));
  body(hook, e, of);
  return TYPE(on_http_filter_request_body_status_Continue);
}

TYPE(on_http_filter_request_trailers_status) ON(http_filter_request_trailers)(FILTER) {
  static const char hook[] = "request_trailers";
  header(hook, e, TYPE(http_header_type_RequestTrailer), "x-trailer", 0);
  header(hook, e, REQUEST, "x-trailer", 0);
  say(hook, "add %d", CALL(http_add_header)(e, TYPE(http_header_type_RequestTrailer), text("x-added-trailer"), text("late")));
  header(hook, e, TYPE(http_header_type_RequestTrailer), "x-added-trailer", 0);
  return TYPE(on_http_filter_request_trailers_status_Continue);
}

TYPE(on_http_filter_response_headers_status) ON(http_filter_response_headers)(FILTER, bool end) {
  static const char hook[] = "response_headers";
  header(hook, e, RESPONSE, ":status", 0);
  header(hook, e, REQUEST, "x-set", 0);
  header(hook, e, RESPONSE, "x-set", 0);
  say(hook, "add %d", CALL(http_add_header)(e, RESPONSE, text("x-answer"), text("a value")));
  say(hook, "set %d", CALL(http_set_header)(e, RESPONSE, text("x-answer-set"), text("a longer value")));
  header(hook, e, RESPONSE, "x-answer-set", 0);
  kept(hook, e);
  CALL(http_set_dynamic_metadata_string)(e, text("ns"), text("text"), text("other text"));
  kept(hook, e);
  return TYPE(on_http_filter_response_headers_status_Continue);
}

TYPE(on_http_filter_response_body_status) ON(http_filter_response_body)(FILTER, bool end) {
  static const char hook[] = "response_body";
  static const TYPE(http_body_type) of = TYPE(http_body_type_ReceivedResponseBody);
  if (CALL(http_get_body_size)(e, of) == 0) return TYPE(on_http_filter_response_body_status_Continue);
  body(hook, e, of);
  say(hook, "append %d", CALL(http_append_body)(e, of, text("tail")));
  return TYPE(on_http_filter_response_body_status_Continue);
}

TYPE(on_http_filter_response_trailers_status) ON(http_filter_response_trailers)(FILTER) {
  static const char hook[] = "response_trailers";
  header(hook, e, TYPE(http_header_type_ResponseTrailer), "x-upstream-trailer", 0);
  say(hook, "add %d", CALL(http_add_header)(e, TYPE(http_header_type_ResponseTrailer), text("x-answer-trailer"), text("late")));
  return TYPE(on_http_filter_response_trailers_status_Continue);
}

void ON(http_filter_stream_complete)(FILTER) { attributes("stream_complete", e); }
