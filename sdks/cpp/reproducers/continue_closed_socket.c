// A listener filter that closes the socket that was accepted, and then lets the chain of filters go on.
#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
envoy_dynamic_module_type_on_listener_filter_status envoy_dynamic_module_on_listener_filter_on_accept(
    envoy_dynamic_module_type_listener_filter_envoy_ptr filter, envoy_dynamic_module_type_listener_filter_module_ptr module) {
#if DMCONFORM_SDK_MINOR >= 138
  envoy_dynamic_module_callback_listener_filter_close_socket(filter, (envoy_dynamic_module_type_module_buffer){"closed", 6});
#else
  envoy_dynamic_module_callback_listener_filter_close_socket(filter);
#endif
  envoy_dynamic_module_callback_listener_filter_continue_filter_chain(filter, true);
  return envoy_dynamic_module_type_on_listener_filter_status_StopIteration;
}
#endif
