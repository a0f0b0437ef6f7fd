// An HTTP filter that holds a response at its headers, and lets it go by an event that it schedules at the next piece of the request.
#include "abi.h"

#define HOOK(what) envoy_dynamic_module_on_http_filter_##what
typedef envoy_dynamic_module_type_http_filter_envoy_ptr Envoy;
typedef envoy_dynamic_module_type_http_filter_module_ptr Module;

static bool is_held;  // one stream at a time

Module HOOK(new)(envoy_dynamic_module_type_http_filter_config_module_ptr config, Envoy host) {
  is_held = false;
  return &is_held;
}
envoy_dynamic_module_type_on_http_filter_response_headers_status HOOK(response_headers)(Envoy host, Module module, bool end) {
  is_held = true;
  return envoy_dynamic_module_type_on_http_filter_response_headers_status_StopAllIterationAndBuffer;
}
envoy_dynamic_module_type_on_http_filter_request_body_status HOOK(request_body)(Envoy host, Module module, bool end) {
  if (is_held) {
    envoy_dynamic_module_type_http_filter_scheduler_module_ptr scheduler = envoy_dynamic_module_callback_http_filter_scheduler_new(host);
    envoy_dynamic_module_callback_http_filter_scheduler_commit(scheduler, 1);
    envoy_dynamic_module_callback_http_filter_scheduler_delete(scheduler);
    is_held = false;
  }
  return envoy_dynamic_module_type_on_http_filter_request_body_status_Continue;
}
void HOOK(scheduled)(Envoy host, Module module, uint64_t event) { envoy_dynamic_module_callback_http_filter_continue_encoding(host); }
