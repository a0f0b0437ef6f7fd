// An HTTP filter that asks for the secret of its configuration (NAME SOURCE), and has it in the response header `x-secret` of each request.
#include "callbacks.h"

#if DMCONFORM_SDK_MINOR >= 140
static size_t secret;

TYPE(http_filter_config_module_ptr) ON(http_filter_config_new)(TYPE(http_filter_config_envoy_ptr) e, given name, given config) {
  const char *blank = memchr(config.ptr, ' ', config.length);
  size_t length = (size_t)(blank - config.ptr);
  own source = {blank + 1, config.length - length - 1};
  secret = CALL(http_filter_config_generic_secret_subscribe)(e, (own){config.ptr, length}, source);
  say("subscribe", "%zu", secret);
  return &secret;
}
TYPE(on_http_filter_response_headers_status) ON(http_filter_response_headers)(TYPE(http_filter_envoy_ptr) e,
    TYPE(http_filter_module_ptr) filter, bool end) {
  given seen = {0};
  bool done = CALL(http_filter_get_generic_secret)(e, secret, &seen);
  own value = done ? (own){seen.ptr, seen.length} : text("(none)");
  CALL(http_set_header)(e, TYPE(http_header_type_ResponseHeader), text("x-secret"), value);
  return TYPE(on_http_filter_response_headers_status_Continue);
}
#endif
