// A tracer that says which of its spans get tags, and an HTTP filter that takes the span of its request out of the sample.
#include <stdio.h>

#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 138
static const char first[] = "first", child[] = "child";

envoy_dynamic_module_type_tracer_span_module_ptr envoy_dynamic_module_on_tracer_start_span(
    envoy_dynamic_module_type_tracer_config_module_ptr config, envoy_dynamic_module_type_tracer_span_envoy_ptr span,
    envoy_dynamic_module_type_envoy_buffer operation, bool traced, envoy_dynamic_module_type_trace_reason reason) {
  fprintf(stderr, "dmconform: %s span\n", traced ? "sampled" : "other");
  return first;
}

envoy_dynamic_module_type_tracer_span_module_ptr envoy_dynamic_module_on_tracer_span_spawn_child(
    envoy_dynamic_module_type_tracer_span_module_ptr span, envoy_dynamic_module_type_envoy_buffer name, int64_t start_ns) {
  return child;
}

void envoy_dynamic_module_on_tracer_span_set_tag(
    envoy_dynamic_module_type_tracer_span_module_ptr span, envoy_dynamic_module_type_envoy_buffer key,
    envoy_dynamic_module_type_envoy_buffer value) {
  fprintf(stderr, "dmconform: tag of the %s span\n", (const char*)span);
}

void envoy_dynamic_module_on_tracer_span_finish(envoy_dynamic_module_type_tracer_span_module_ptr span) {
  fprintf(stderr, "dmconform: end of the %s span\n", (const char*)span);
}

envoy_dynamic_module_type_on_http_filter_request_headers_status envoy_dynamic_module_on_http_filter_request_headers(
    envoy_dynamic_module_type_http_filter_envoy_ptr envoy, envoy_dynamic_module_type_http_filter_module_ptr module, bool end) {
  envoy_dynamic_module_type_span_envoy_ptr span = envoy_dynamic_module_callback_http_get_active_span(envoy);
  envoy_dynamic_module_callback_http_span_set_sampled(span, false);
  return envoy_dynamic_module_type_on_http_filter_request_headers_status_Continue;
}
#endif
