// An HTTP filter that adds a trailer to a response when it sees the end of its body: most responses have no trailers.
#include <stdio.h>

#include "abi.h"

envoy_dynamic_module_type_on_http_filter_response_body_status envoy_dynamic_module_on_http_filter_response_body(
    envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  envoy_dynamic_module_type_module_buffer name = {"x-added", 7}, value = {"yes", 3};
  if (end) {
    bool added = envoy_dynamic_module_callback_http_add_header(
        envoy, envoy_dynamic_module_type_http_header_type_ResponseTrailer, name, value);
    fprintf(stderr, "dmconform: adding returned %s\n", added ? "true" : "false");
  }
  return envoy_dynamic_module_type_on_http_filter_response_body_status_Continue;
}
