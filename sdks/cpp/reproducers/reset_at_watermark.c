// An HTTP filter that resets the stream when it is told that the client does not keep up.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
void envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module) {
  envoy_dynamic_module_type_module_buffer details = {"slow", 4};
  envoy_dynamic_module_callback_http_filter_reset_stream(
      filter, envoy_dynamic_module_type_http_filter_stream_reset_reason_LocalReset, details);
}
#endif
