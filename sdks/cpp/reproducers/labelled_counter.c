// An HTTP filter that counts its requests, with a label.
#include "abi.h"

static size_t counter;

envoy_dynamic_module_type_http_filter_config_module_ptr envoy_dynamic_module_on_http_filter_config_new(
    envoy_dynamic_module_type_http_filter_config_envoy_ptr envoy, envoy_dynamic_module_type_envoy_buffer name,
    envoy_dynamic_module_type_envoy_buffer config) {
  envoy_dynamic_module_type_module_buffer calls = {"calls", 5}, label = {"kind", 4};
  envoy_dynamic_module_callback_http_filter_config_define_counter(envoy, calls, &label, 1, &counter);
  return &counter;
}

envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  envoy_dynamic_module_type_module_buffer value = {"get", 3};
  envoy_dynamic_module_callback_http_filter_increment_counter(envoy, counter, &value, 1, 1);
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
}
