// An HTTP filter that has the first stream recreated, and hands on what comes if that fails: for the upstream side.
#include <stdatomic.h>
#include <stdio.h>

#include "abi.h"

envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
#if DMCONFORM_SDK_MINOR >= 138
  static atomic_flag done = ATOMIC_FLAG_INIT;
  if (!atomic_flag_test_and_set(&done)) {
    bool recreated = envoy_dynamic_module_callback_http_filter_recreate_stream(filter, NULL, 0);
    fprintf(stderr, "dmconform: recreated: %d\n", recreated);
    if (recreated) return envoy_dynamic_module_type_on_http_filter_request_headers_status_StopIteration;
  }
#endif
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
}
