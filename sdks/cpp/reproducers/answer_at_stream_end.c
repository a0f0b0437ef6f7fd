// An HTTP filter that answers a request whose stream is complete.
#include "abi.h"

void envoy_dynamic_module_on_http_filter_stream_complete(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module) {
  envoy_dynamic_module_type_module_buffer none = {"", 0};
#if DMCONFORM_SDK_MINOR >= 137
  envoy_dynamic_module_callback_http_send_response(filter, 503, 0, 0, none, none);
#else
  (void)none;
#endif
}
