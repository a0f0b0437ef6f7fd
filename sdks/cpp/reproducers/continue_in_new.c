// An HTTP filter that lets the request go on while it is being made.
#include "abi.h"

envoy_dynamic_module_type_http_filter_module_ptr envoy_dynamic_module_on_http_filter_new(
    envoy_dynamic_module_type_http_filter_config_module_ptr config, envoy_dynamic_module_type_http_filter_envoy_ptr filter) {
  envoy_dynamic_module_callback_http_filter_continue_decoding(filter);
  return filter;
}
