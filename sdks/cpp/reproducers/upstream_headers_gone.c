// An HTTP filter that counts the headers of the response in the hook for its body: for the upstream side.
#include <stdio.h>

#include "abi.h"

envoy_dynamic_module_type_on_http_filter_response_body_status envoy_dynamic_module_on_http_filter_response_body(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
#if DMCONFORM_SDK_MINOR >= 137
  size_t count = envoy_dynamic_module_callback_http_get_headers_size(filter, envoy_dynamic_module_type_http_header_type_ResponseHeader);
  if (count == 0) fprintf(stderr, "dmconform: wrong: no headers in the hook for the body\n");
#endif
  return envoy_dynamic_module_type_on_http_filter_response_body_status_Continue;
}
