// An HTTP filter that sends GOAWAY and closes when its stream is complete.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
void envoy_dynamic_module_on_http_filter_stream_complete(
    envoy_dynamic_module_type_http_filter_envoy_ptr filter, envoy_dynamic_module_type_http_filter_module_ptr module) {
  envoy_dynamic_module_callback_http_filter_send_go_away_and_close(filter, false);
}
#endif
