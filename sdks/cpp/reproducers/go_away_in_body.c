// An HTTP filter that sends GOAWAY and closes when the body of a request comes.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
envoy_dynamic_module_type_on_http_filter_request_body_status envoy_dynamic_module_on_http_filter_request_body(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  envoy_dynamic_module_callback_http_filter_send_go_away_and_close(filter, false);
  return envoy_dynamic_module_type_on_http_filter_request_body_status_StopIterationNoBuffer;
}
#endif
