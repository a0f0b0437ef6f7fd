// An HTTP filter that opens a stream to the cluster of the header `x-cluster`, sends two pieces and trailers, and answers with the body
// that comes back, its status and its trailer in headers. With the header `x-reset` it resets the stream at once. It prints each hook.
#include "callbacks.h"

#define STREAM TYPE(http_filter_envoy_ptr) e, TYPE(http_filter_module_ptr) filter, uint64_t id
typedef TYPE(module_http_header) Header;
static char body[4096], trailer[64], status[8];
static size_t at;
static bool is_done;

static void answer(TYPE(http_filter_envoy_ptr) e, uint32_t code) {
  Header headers[] = {{"x-stream-status", 15, status, strlen(status)}, {"x-stream-trailer", 16, trailer, strlen(trailer)}};
  if (!is_done) CALL(http_send_response)(e, code, headers, 2, (own){body, at}, text("stream_callout"));
  is_done = true;
}
TYPE(on_http_filter_request_headers_status) ON(http_filter_request_headers)(TYPE(http_filter_envoy_ptr) e,
    TYPE(http_filter_module_ptr) filter, bool end) {
  Header headers[] = {{":method", 7, "POST", 4}, {":path", 5, "/stream?mirror&trailers", 23}, {"host", 4, "dmconform", 9}};
  Header last = {"x-last", 6, "yes", 3};
  given reset = {0}, cluster = {0};
  uint64_t id = 0;
  at = 0;
  is_done = false;
  trailer[0] = status[0] = 0;
  CALL(http_get_header)(e, TYPE(http_header_type_RequestHeader), text("x-cluster"), &cluster, 0, NULL);
  own to = {cluster.ptr, cluster.length};
  int started = CALL(http_filter_start_http_stream)(e, &id, to, headers, 3, (own){0}, false, 5000);
  say("start", "%d", started);
  if (started) {
    answer(e, 502);
  } else if (CALL(http_get_header)(e, TYPE(http_header_type_RequestHeader), text("x-reset"), &reset, 0, NULL)) {
    CALL(http_filter_reset_http_stream)(e, id);
    say("after reset", "%d", CALL(http_stream_send_data)(e, id, text("late"), false));
    answer(e, 504);
  } else {
    bool sent[] = {CALL(http_stream_send_data)(e, id, text("one "), false), CALL(http_stream_send_data)(e, id, text("two"), false),
        CALL(http_stream_send_trailers)(e, id, &last, 1)};
    say("send", "%d %d %d", sent[0], sent[1], sent[2]);
  }
  return TYPE(on_http_filter_request_headers_status_StopIteration);
}
void ON(http_filter_http_stream_headers)(STREAM, TYPE(envoy_http_header) *headers, size_t count, bool end) {
  for (size_t i = 0; i < count; i++)
    if (headers[i].key_length == 7) snprintf(status, sizeof status, "%.*s", (int)headers[i].value_length, headers[i].value_ptr);
  say("hook", "headers");
}
void ON(http_filter_http_stream_data)(STREAM, const given *data, size_t count, bool end) {
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < data[i].length && at < sizeof body; j++) body[at++] = data[i].ptr[j];
}
void ON(http_filter_http_stream_trailers)(STREAM, TYPE(envoy_http_header) *headers, size_t count) {
  if (count) snprintf(trailer, sizeof trailer, "%.*s", (int)headers[0].value_length, headers[0].value_ptr);
  say("hook", "trailers");
}
void ON(http_filter_http_stream_complete)(STREAM) { say("hook", "complete"), answer(e, 200); }
void ON(http_filter_http_stream_reset)(STREAM, TYPE(http_stream_reset_reason) reason) { say("hook", "reset"), answer(e, 503); }
