// An HTTP filter that asks for each attribute, as a text, as a number and as a truth value, and prints those that there are: of the
// request at its headers, and of all when the stream is complete.
#include "callbacks.h"

enum { ATTRIBUTES = 71 };

static void all(const char *hook, TYPE(http_filter_envoy_ptr) e) {
  for (int id = 0; id < ATTRIBUTES; id++) {
    given seen = {0};
    uint64_t number = 0;
    char name[32];
    snprintf(name, sizeof name, "%d", id);
    if (CALL(http_filter_get_attribute_string)(e, id, &seen)) say_text(hook, name, true, seen);
    if (CALL(http_filter_get_attribute_int)(e, id, &number)) say(hook, "%d is %llu", id, (unsigned long long)number);
#if DMCONFORM_SDK_MINOR >= 138
    bool truth = false;
    if (CALL(http_filter_get_attribute_bool)(e, id, &truth)) say(hook, "%d is %s", id, truth ? "true" : "false");
#endif
  }
}
TYPE(on_http_filter_request_headers_status) ON(http_filter_request_headers)(TYPE(http_filter_envoy_ptr) e,
    TYPE(http_filter_module_ptr) filter, bool end) {
  all("request", e);
  return TYPE(on_http_filter_request_headers_status_Continue);
}
void ON(http_filter_stream_complete)(TYPE(http_filter_envoy_ptr) e, TYPE(http_filter_module_ptr) filter) { all("complete", e); }
