// An HTTP filter that looks at the texts of attributes, answers in the place of a response, and looks at the same bytes again.
#include <stdio.h>
#include <string.h>

#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
enum { ATTRIBUTES = 40, MOST_BYTES = 64 };

envoy_dynamic_module_type_on_http_filter_response_headers_status envoy_dynamic_module_on_http_filter_response_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  envoy_dynamic_module_type_envoy_buffer seen[ATTRIBUTES] = {{0, 0}};
  char before[ATTRIBUTES][MOST_BYTES];
  envoy_dynamic_module_type_module_buffer body = {"an answer in its place", 22}, none = {"", 0};
  for (int each = 0; each < ATTRIBUTES; each++) {
    if (
        !envoy_dynamic_module_callback_http_filter_get_attribute_string(filter, (envoy_dynamic_module_type_attribute_id)each,
        &seen[each])) seen[each].length = 0;
    if (seen[each].length > MOST_BYTES) seen[each].length = MOST_BYTES;
    if (seen[each].length > 0) memcpy(before[each], seen[each].ptr, seen[each].length);
  }
  envoy_dynamic_module_callback_http_send_response(filter, 503, 0, 0, body, none);
  for (int each = 0; each < ATTRIBUTES; each++) {
    if (seen[each].length > 0 && memcmp(before[each], seen[each].ptr, seen[each].length) != 0)
      fprintf(stderr, "dmconform: wrong: the text of attribute %d is another one after an answer\n", each);
  }
  return envoy_dynamic_module_type_on_http_filter_response_headers_status_StopIteration;
}
#endif
