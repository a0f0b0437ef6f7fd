// Hooks that the host demands of every HTTP filter module, for features that this SDK leaves out. Streams and events of
// a configuration come only to a module that asked for them; watermarks are ignored.
#include "abi.h"

extern "C" {

void envoy_dynamic_module_on_http_filter_http_stream_headers(void*, const void*, uint64_t,
                                                             envoy_dynamic_module_type_envoy_http_header*, size_t,
                                                             bool) {}

void envoy_dynamic_module_on_http_filter_http_stream_data(void*, const void*, uint64_t,
                                                          const envoy_dynamic_module_type_envoy_buffer*, size_t,
                                                          bool) {}

void envoy_dynamic_module_on_http_filter_http_stream_trailers(void*, const void*, uint64_t,
                                                              envoy_dynamic_module_type_envoy_http_header*, size_t) {}

void envoy_dynamic_module_on_http_filter_http_stream_complete(void*, const void*, uint64_t) {}

void envoy_dynamic_module_on_http_filter_http_stream_reset(void*, const void*, uint64_t,
                                                           envoy_dynamic_module_type_http_stream_reset_reason) {}

void envoy_dynamic_module_on_http_filter_config_scheduled(void*, const void*, uint64_t) {}

void envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(void*, const void*) {}

void envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(void*, const void*) {}

} // extern "C"
