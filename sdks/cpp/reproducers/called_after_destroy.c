// An HTTP filter that says which of its hooks is called after it was destroyed.
#include <stdio.h>
#include <stdlib.h>

#include "abi.h"

// A filter in C++ or Rust would be gone, or the pointer to it is null: its hook would use what is there.
static void look(envoy_dynamic_module_type_http_filter_module_ptr module, const char* hook) {
  if (module == NULL) {
    fprintf(stderr, "dmconform: %s without a filter\n", hook);
  } else if (*(const int*)module == 0) {
    fprintf(stderr, "dmconform: %s after destroy\n", hook);
  }
}

envoy_dynamic_module_type_http_filter_module_ptr envoy_dynamic_module_on_http_filter_new(
    envoy_dynamic_module_type_http_filter_config_module_ptr config, envoy_dynamic_module_type_http_filter_envoy_ptr envoy) {
  int* lives = malloc(sizeof *lives);
  *lives = 1;
  return lives;
}

void envoy_dynamic_module_on_http_filter_destroy(envoy_dynamic_module_type_http_filter_module_ptr module) {
  look(module, "destroy");
  if (module != NULL) *(int*)module = 0;  // it is kept, to be looked at
}

envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  look(module, "request_headers");
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
}

envoy_dynamic_module_type_on_http_filter_response_headers_status envoy_dynamic_module_on_http_filter_response_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  look(module, "response_headers");
  return envoy_dynamic_module_type_on_http_filter_response_headers_status_Continue;
}

void envoy_dynamic_module_on_http_filter_stream_complete(
    envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_filter_module_ptr module) {
  look(module, "stream_complete");
}
